// After somebody booked on the page: a letter that says whether they have a place.
export default function (ctx, input) {
  const booking = ctx.db.bookings.get(input.record.id);
  const session = ctx.db.sessions.get(booking.session);
  const when = ctx.time.format(session.starts, "datetime");
  const has = booking.state === "booked";
  ctx.mail({
    to: booking.email,
    subject: `${session.name}: ${has ? "you have a place" : "you are on the waiting list"}`,
    text: `${when}\n\n${has ? "See you there." : "We write as soon as a place is free."}`,
  });
  return null;
}
