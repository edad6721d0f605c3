// The other service tells which number an order has there: POST /fn/sent {"order": "...", "remote": "..."}.
export default function (ctx, input) {
  const { order, remote } = input.body || input;
  if (!order || !remote) ctx.invalid("order", "Send order and remote.");
  ctx.db.orders.update(order, { remote, state: "sent" });
  return { ok: true };
}
