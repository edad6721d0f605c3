// After somebody enrolled on the page: a letter with what they need to know.
export default function (ctx, input) {
  const enrolment = ctx.db.enrolments.get(input.record.id);
  const course = ctx.db.courses.get(enrolment.course);
  const data = { name: enrolment.name, course, fee: course.fee ? ctx.money.format(course.fee) : "" };
  ctx.mail({ to: enrolment.email, subject: `Your place: ${course.name}`, template: "welcome", data });
  return null;
}
