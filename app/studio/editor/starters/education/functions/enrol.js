// Before somebody is enrolled: the course takes enrolments. That it has a place left, the table itself makes sure.
export default function (ctx, input) {
  const course = ctx.db.courses.get(input.new.course);
  if (course.state !== "open") ctx.invalid("course", "This course takes no enrolments now.");
  return input.new;
}
