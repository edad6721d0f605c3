// The other service tells that an order has left: {"type": "order.shipped", "data": {"order": "number over there"}}.
// A message is run once; what throws is tried again, what ctx.invalid() refuses is not. input.id tells a run from any other.
export default function (ctx, input) {
  const { type, data } = input.json || {};
  if (type !== "order.shipped") return null; // told of more than it asked for
  if (!data || !data.order) ctx.invalid("order", "The message names no order.");
  const [order] = ctx.db.orders.find({ remote: data.order });
  if (!order) throw new Error(`no order ${data.order} yet`);
  ctx.db.orders.update(order.id, { state: "shipped" });
  return null;
}
