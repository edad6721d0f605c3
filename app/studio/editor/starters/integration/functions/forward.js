// After an order was made. What throws is tried again later, with the same event id: the other side can tell repeats.
export default function (ctx, input) {
  if (!ctx.settings.api_key) {
    ctx.log.warn("no key yet, nothing is sent");
    return null;
  }
  const order = ctx.db.orders.get(input.record.id);
  const answer = ctx.http.post("https://api.example.com/orders", {
    headers: { authorization: `Bearer ${ctx.settings.api_key}`, "idempotency-key": input.event.id },
    json: { buyer: order.buyer, total: order.total },
  });
  if (answer.status >= 500) throw new Error(`the other service answered ${answer.status}`);
  ctx.db.orders.update(order.id, { state: answer.status < 300 ? "sent" : "refused" });
  return null;
}
