// Before a line is added: the invoice must still be a draft. It is locked, so that nobody sends it meanwhile.
export default function (ctx, input) {
  const invoice = ctx.db.invoices.lock(input.new.invoice);
  if (invoice.state !== "draft") ctx.invalid("invoice", "The invoice was sent. Void it and write another.");
  return input.new;
}
