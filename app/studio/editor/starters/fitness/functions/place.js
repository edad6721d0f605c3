// Before a booking is kept: a place while there is one, the waiting list after that. The session is locked meanwhile.
export default function (ctx, input) {
  const session = ctx.db.sessions.lock(input.new.session);
  const taken = ctx.db.bookings.count({ session: session.id, state: "booked" });
  return { ...input.new, state: taken < session.places ? "booked" : "waiting" };
}
