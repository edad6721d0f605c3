// Before time is booked: at the matter's rate unless another is named, never on a closed matter; passing the limit is told.
export default function (ctx, input) {
  const matter = ctx.db.matters.lock(input.new.matter);
  if (matter.state === "closed") ctx.invalid("matter", "This matter is closed.");
  const rate = input.new.rate ?? matter.rate;
  const worth = Math.round((input.new.minutes * rate) / 60);
  const before = matter.spent || 0;
  if (matter.most && before <= matter.most && before + worth > matter.most) {
    ctx.emit("matter.over_limit", { matter: matter.id, number: matter.number, by: before + worth - matter.most });
  }
  return { ...input.new, rate };
}
