// Before a booking is kept: the course must take bookings and the terms must be agreed to.
export default function (ctx, input) {
  const booking = input.new;
  if (!booking.terms) ctx.invalid("terms", "Please agree to the terms.");
  const course = ctx.db.courses.lock(booking.course);
  if (course.state !== "open") ctx.invalid("course", "This course takes no bookings now.");
  const mine = ctx.db.bookings.count({ course: course.id, email: booking.email, state: "booked" });
  if (mine >= ctx.settings.most) ctx.invalid("email", "These are all the places you can book.");
  return booking;
}
