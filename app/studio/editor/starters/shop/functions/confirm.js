// After an order was sent from the page: a confirmation to the buyer, a notice to the shop.
export default function (ctx, input) {
  const purchase = ctx.db.purchases.get(input.record.id);
  const product = ctx.db.products.get(purchase.product);
  const data = { purchase, product, total: ctx.money.format(purchase.total) };
  ctx.mail({ to: purchase.email, subject: `Your order ${purchase.number}`, template: "confirmation", data });
  if (ctx.settings.notify_to) {
    ctx.mail({ to: ctx.settings.notify_to, subject: `${purchase.number}: ${purchase.amount} × ${product.name}`, template: "confirmation", data });
  }
  return null;
}
