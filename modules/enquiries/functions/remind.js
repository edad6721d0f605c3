// Each working morning: one letter with what has waited too long.
export default function (ctx) {
  const team = (ctx.settings.notify_to || "").split(/[\s,;]+/).filter((one) => one.includes("@")).slice(0, 10);
  if (!ctx.settings.remind || team.length === 0) return { sent: 0 };

  const before = ctx.time.add(ctx.now, { days: -(ctx.settings.remind_after || 2) });
  const waiting = ctx.db.enquiries.find({
    where: { all: [{ status: { in: ["new", "open"] } }, { created_at: { lt: before } }] },
    sort: "created_at",
    limit: 50,
    fields: ["number", "name", "created_at"],
  });
  if (waiting.length === 0) return { sent: 0 };
  for (const to of team) {
    ctx.mail({ to, subject: `${waiting.length} open enquiries`, template: "reminder", data: { enquiries: waiting, count: waiting.length } });
  }
  return { sent: team.length };
}
