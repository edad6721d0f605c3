// After a reply was written: it goes to the asker unless it is for the team, and the ticket waits for them.
export default function (ctx, input) {
  const reply = ctx.db.replies.get(input.record.id);
  if (reply.inside) return null;
  const ticket = ctx.db.tickets.get(reply.ticket);
  ctx.mail({ to: ticket.email, subject: `Re: ${ticket.number}: ${ticket.subject}`, template: "answer", data: { ticket, reply } });
  const change = { first_at: ticket.first_at || ctx.now };
  if (ticket.state !== "solved") change.state = "waiting";
  ctx.db.tickets.update(ticket.id, change);
  return null;
}
