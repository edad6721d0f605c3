// GET …/fn/summary: how many enquiries there are in each state.
export default function (ctx) {
  const states = ["new", "open", "waiting", "closed", "spam"];
  return Object.fromEntries(states.map((status) => [status, ctx.db.enquiries.count({ status })]));
}
