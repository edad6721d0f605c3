// After somebody booked on the page: a letter to them, and one to the desk.
export default function (ctx, input) {
  const booking = input.record;
  const course = ctx.db.courses.get(booking.course);
  const data = { name: booking.name, number: booking.number, course: course.title, at: course.starts_at };
  ctx.mail({ to: booking.email, subject: `Your place: ${course.title}`, template: "confirmation", data });
  if (ctx.settings.desk) ctx.mail({ to: `user:${ctx.settings.desk}`, subject: `${booking.name} booked`, template: "invitation", data });
  ctx.log.info("confirmed", { number: booking.number });
  return null;
}
