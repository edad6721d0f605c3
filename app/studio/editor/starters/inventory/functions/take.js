// Before a movement is kept: nothing leaves a place that is not there. The article is locked, so two cannot take the last one.
export default function (ctx, input) {
  const movement = input.new;
  if (movement.amount === 0) ctx.invalid("amount", "A movement of nothing is none.");
  if (movement.amount > 0) return movement;
  ctx.db.articles.lock(movement.article);
  const there = ctx.db.movements.sum("amount", { article: movement.article, place: movement.place });
  if (there + movement.amount < 0) ctx.invalid("amount", `There are only ${there} here.`);
  return movement;
}
