// Every hour: what nobody has answered in time becomes urgent, once.
export default function (ctx) {
  const before = ctx.time.add(ctx.now, { hours: -ctx.settings.hours });
  const forgotten = ctx.db.tickets.find({
    where: { all: [{ state: { in: ["new", "open"] } }, { urgency: { ne: "high" } }, { created_at: { lt: before } }] },
    sort: "created_at",
    limit: 50,
  });
  for (const ticket of forgotten) {
    ctx.db.tickets.update(ticket.id, { urgency: "high" });
    ctx.emit("ticket.raised", { ticket: ticket.id, number: ticket.number });
  }
  if (forgotten.length > 0 && ctx.settings.team) {
    const text = forgotten.map((ticket) => `${ticket.number}  ${ticket.subject}`).join("\n");
    ctx.mail({ to: ctx.settings.team, subject: `${forgotten.length} tickets wait too long`, text });
  }
  return { raised: forgotten.length };
}
