// Before a change is kept: note when an enquiry was first answered and when it was closed.
export default function (ctx, input) {
  const { old, new: now } = input;
  if (old.status === now.status) return now;
  const changed = { ...now };
  if (old.status === "new" && now.status !== "spam" && !now.answered_at) changed.answered_at = ctx.now;
  changed.closed_at = now.status === "closed" ? ctx.now : null;
  return changed;
}
