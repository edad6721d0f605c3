// After an entry came in: tell the team.
export default function (ctx, input) {
  if (!ctx.settings.notify_to) return null;
  const entry = ctx.db.entries.get(input.record.id);
  ctx.mail({ to: ctx.settings.notify_to, reply_to: entry.email, subject: `${entry.name} signed up`, template: "notice", data: entry });
  return null;
}
