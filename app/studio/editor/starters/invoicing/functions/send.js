// Before an invoice changes: sending writes down the day, the amount and the customer's letter; a sent one stays as it is.
export default function (ctx, input) {
  const { old, new: invoice } = input;
  const today = ctx.now.slice(0, 10);
  if (old.state !== "draft" && invoice.customer !== old.customer) ctx.invalid("customer", "A sent invoice keeps its customer.");
  if (old.state === "draft" && invoice.state === "sent") return sent(ctx, { ...invoice, id: old.id, number: old.number, issued_on: today });
  if (old.state === "sent" && invoice.state === "paid") {
    ctx.emit("invoice.paid", { invoice: old.id, amount: old.due_amount });
    return { ...invoice, paid_on: invoice.paid_on || today };
  }
  return invoice;
}

function sent(ctx, invoice) {
  const lines = ctx.db.lines.find({ where: { invoice: invoice.id }, sort: "created_at", limit: 200 });
  if (lines.length === 0) ctx.invalid("state", "An invoice needs at least one line before it is sent.");
  const customer = ctx.db.customers.get(invoice.customer);
  const total = lines.reduce((sum, line) => sum + line.net + line.tax, 0);
  const due_on = ctx.time.add(ctx.now, { days: customer.days }).slice(0, 10);
  const data = {
    invoice: { number: invoice.number, due_on },
    customer: { name: customer.name },
    lines: lines.map((line) => ({ text: line.text, amount: line.amount, net: ctx.money.format(line.net) })),
    total: ctx.money.format(total),
    sender: ctx.settings.sender,
    bank: ctx.settings.bank,
  };
  ctx.mail({ to: customer.email, subject: `Invoice ${invoice.number}`, template: "letter", data });
  ctx.emit("invoice.sent", { invoice: invoice.id, amount: total });
  return { ...invoice, due_on, due_amount: total };
}
