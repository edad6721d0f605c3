// POST …/fn/transfer {"article": "<id>", "from": "<id>", "to": "<id>", "amount": 3}: out of one place and into another, or neither.
export default function (ctx, input) {
  const { article, from, to, amount } = input.body || input;
  if (!Number.isSafeInteger(amount) || amount < 1) ctx.invalid("amount", "Send a whole number above 0.");
  if (from === to) ctx.invalid("to", "Choose two places.");
  ctx.db.movements.insert({ article, place: from, amount: -amount, reason: "transfer" });
  ctx.db.movements.insert({ article, place: to, amount, reason: "transfer" });
  return { moved: amount };
}
