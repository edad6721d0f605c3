// Each morning: deadlines of the coming days that are not done, each told once.
export default function (ctx) {
  const today = ctx.now.slice(0, 10);
  const until = ctx.time.add(ctx.now, { days: ctx.settings.days }).slice(0, 10);
  const near = ctx.db.deadlines.find({
    where: { all: [{ done: false }, { day: { lte: until } }, { told_on: { is: "null" } }] },
    sort: "day",
    limit: 100,
  });
  if (near.length === 0 || !ctx.settings.notify_to) return { told: 0 };
  const lines = near.map((deadline) => {
    const matter = ctx.db.matters.get(deadline.matter);
    return `${deadline.day}${deadline.day < today ? " OVERDUE" : ""}  ${matter.number}: ${deadline.name}`;
  });
  ctx.mail({ to: ctx.settings.notify_to, subject: `${near.length} deadlines`, text: lines.join("\n") });
  for (const deadline of near) ctx.db.deadlines.update(deadline.id, { told_on: today });
  return { told: near.length };
}
