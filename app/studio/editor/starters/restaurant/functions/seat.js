// Before a reservation is kept: the sitting has seats for all of the party. It is locked, so two parties cannot share them.
export default function (ctx, input) {
  const { old, new: party } = input;
  if (party.state === "cancelled") return party;
  const sitting = ctx.db.sittings.lock(party.sitting);
  if (!old && !sitting.open) ctx.invalid("sitting", "This sitting takes no reservations any more.");
  const same = old && old.state !== "cancelled" && old.sitting === party.sitting;
  const left = sitting.seats - (sitting.taken || 0) + (same ? old.guests : 0);
  if (party.guests > left) ctx.invalid("guests", left > 0 ? `Only ${left} seats are left.` : "This sitting is full.");
  return party;
}
