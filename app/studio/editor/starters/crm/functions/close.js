// Before a deal changes: one that closes gets its day, its chance is certain, and a won one is told to the world.
const CERTAIN = { won: 100, lost: 0 };

export default function (ctx, input) {
  const { old, new: deal } = input;
  if (deal.stage === old.stage) return deal;
  if (!(deal.stage in CERTAIN)) return { ...deal, closed_at: null };
  if (deal.stage === "won") ctx.emit("deal.won", { deal: old.id, amount: deal.amount });
  return { ...deal, closed_at: ctx.now, chance: CERTAIN[deal.stage] };
}
