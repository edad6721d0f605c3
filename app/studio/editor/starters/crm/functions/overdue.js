// Each working morning: deals whose day of decision has passed, in one letter.
export default function (ctx) {
  const today = ctx.now.slice(0, 10);
  const late = ctx.db.deals.find({
    where: { all: [{ stage: { in: ["lead", "talking", "offer"] } }, { close_on: { lt: today } }] },
    sort: "close_on",
    limit: 50,
  });
  if (late.length === 0 || !ctx.settings.notify_to) return { late: late.length };
  const text = late.map((deal) => `${deal.close_on}  ${deal.name}`).join("\n");
  ctx.mail({ to: ctx.settings.notify_to, subject: `${late.length} decisions are overdue`, text });
  return { late: late.length };
}
