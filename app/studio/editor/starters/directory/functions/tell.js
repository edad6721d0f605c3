// After a suggestion came in: one letter to whoever looks after the directory.
export default function (ctx, input) {
  const entry = ctx.db.entries.get(input.record.id);
  if (!ctx.settings.notify_to || entry.state !== "suggested") return null;
  const text = `${entry.name}\n\n${entry.text || "No description."}\n\nList or hide it in the directory's entries.`;
  ctx.mail({ to: ctx.settings.notify_to, subject: `Suggested: ${entry.name}`, text });
  return null;
}
