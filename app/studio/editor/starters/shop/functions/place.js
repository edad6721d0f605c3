// Before a purchase is kept: the price of this moment is written down and the pieces are taken from stock, under a lock.
export default function (ctx, input) {
  const purchase = input.new;
  const product = ctx.db.products.lock(purchase.product);
  if (product.state !== "shown") ctx.invalid("product", "This product is not for sale now.");
  if (product.stock < purchase.amount) {
    ctx.invalid("amount", product.stock === 0 ? "This product is sold out." : `Only ${product.stock} are left.`);
  }
  const left = product.stock - purchase.amount;
  ctx.db.products.update(product.id, { stock: left });
  if (left === 0) ctx.emit("product.sold_out", { product: product.id, name: product.name });
  return { ...purchase, price: product.price };
}
