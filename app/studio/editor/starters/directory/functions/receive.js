// Before an entry is kept: what a visitor suggests is looked at first, whatever the form says.
export default function (ctx, input) {
  if (ctx.actor.kind !== "visitor") return input.new;
  return { ...input.new, state: "suggested" };
}
