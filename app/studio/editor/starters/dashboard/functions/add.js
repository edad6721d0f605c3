// POST …/fn/figures {"goal": "<name>", "day": "2027-03-01", "amount": 12}: a figure from another system, added to its day.
export default function (ctx, input) {
  const { goal: name, day, amount } = input.body || input;
  if (!Number.isSafeInteger(amount) || amount < 0) ctx.invalid("amount", "Send a whole number, 0 or more.");
  const [goal] = ctx.db.goals.find({ where: { name }, limit: 1 });
  if (!goal) ctx.invalid("goal", "There is no goal of this name.");

  const on = day || ctx.now.slice(0, 10);
  const [there] = ctx.db.figures.find({ where: { goal: goal.id, day: on }, limit: 1 });
  const kept = there
    ? ctx.db.figures.update(there.id, { amount: there.amount + amount })
    : ctx.db.figures.insert({ goal: goal.id, day: on, amount });
  return { goal: goal.name, day: on, amount: kept.amount };
}
