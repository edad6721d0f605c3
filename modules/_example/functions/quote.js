// POST …/fn/quote {course, places}: what that costs.
export default function (ctx, input) {
  const { course: id, places = 1 } = input.body ?? {};
  const course = id ? ctx.db.courses.get(id) : null;
  if (!course) return { status: 404, body: { error: "There is no such course." } };
  if (!Number.isInteger(places) || places < 1) ctx.invalid("places", "How many places?");
  const total = ctx.money.multiply(course.to_pay, places);
  return { total, text: ctx.money.format(total), each: ctx.money.split(total, places) };
}
