// After a booking changed: when somebody cancelled, the first who waits gets the place and a letter.
export default function (ctx, input) {
  const booking = ctx.db.bookings.get(input.record.id);
  if (!booking || booking.state !== "cancelled") return null;
  const session = ctx.db.sessions.lock(booking.session);
  const taken = ctx.db.bookings.count({ session: session.id, state: "booked" });
  if (taken >= session.places) return null;
  const [next] = ctx.db.bookings.find({ where: { session: session.id, state: "waiting" }, sort: "created_at", limit: 1 });
  if (!next) return null;
  ctx.db.bookings.update(next.id, { state: "booked" });
  ctx.emit("booking.moved_up", { booking: next.id, session: session.id });
  const when = ctx.time.format(session.starts, "datetime");
  ctx.mail({ to: next.email, subject: `${session.name}: a place is free for you`, text: `${when}\n\nYou have a place. Tell us if you cannot come.` });
  return { moved: next.id };
}
