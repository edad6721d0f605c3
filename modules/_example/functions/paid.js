// A message of the payment service, proven before it comes here; run once, tried again when this throws.
export default function (ctx, input) {
  ctx.log.info(`${input.hook} ${input.message}`, { kind: input.headers["x-payment-kind"] ?? "" });
  if (!input.json || !input.json.id) ctx.invalid("id", "The message has no id.");
  return { id: input.json.id };
}
