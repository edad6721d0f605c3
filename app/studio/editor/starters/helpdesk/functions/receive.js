// After a question came in from the page: the sender knows it arrived, the team knows it is there.
export default function (ctx, input) {
  const ticket = ctx.db.tickets.get(input.record.id);
  ctx.mail({ to: ticket.email, subject: `${ticket.number}: ${ticket.subject}`, template: "received", data: { ticket } });
  if (ctx.settings.team) {
    ctx.mail({ to: ctx.settings.team, reply_to: ticket.email, subject: `New: ${ticket.subject}`, text: ticket.text });
  }
  return null;
}
