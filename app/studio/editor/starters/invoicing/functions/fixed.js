// Before a line changes: only lines of drafts do.
export default function (ctx, input) {
  const invoice = ctx.db.invoices.get(input.old.invoice);
  if (invoice.state !== "draft") ctx.invalid("text", "The invoice was sent. Void it and write another.");
  return input.new;
}
