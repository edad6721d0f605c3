// After guests reserved on the page: a letter with the day and the number of seats.
export default function (ctx, input) {
  const party = ctx.db.reservations.get(input.record.id);
  const sitting = ctx.db.sittings.get(party.sitting);
  ctx.mail({ to: party.email, subject: `Your table: ${sitting.name}`, template: "confirmation", data: { party, sitting } });
  return null;
}
