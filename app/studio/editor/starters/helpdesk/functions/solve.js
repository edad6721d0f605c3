// Before a ticket changes: the moment it is solved is written down, and taken away when it opens again.
export default function (ctx, input) {
  const { old, new: ticket } = input;
  if (ticket.state === old.state) return ticket;
  return { ...ticket, solved_at: ticket.state === "solved" ? ctx.now : null };
}
