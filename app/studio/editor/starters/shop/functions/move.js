// Before a purchase changes: what was ordered stays as it was, and a cancelled one puts its pieces back.
export default function (ctx, input) {
  const { old, new: purchase } = input;
  if (purchase.product !== old.product || purchase.amount !== old.amount || purchase.price !== old.price) {
    ctx.invalid("amount", "What was ordered does not change. Cancel it and order again.");
  }
  if (purchase.state === "cancelled" && old.state !== "cancelled") {
    const product = ctx.db.products.lock(old.product);
    ctx.db.products.update(product.id, { stock: product.stock + old.amount });
  }
  return purchase;
}
