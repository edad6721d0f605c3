// Each working morning: a reminder for what is late, at most three, some days apart.
const MOST = 3;

export default function (ctx) {
  const today = ctx.now.slice(0, 10);
  const late = ctx.db.invoices.find({
    where: { all: [{ state: "sent" }, { due_on: { lt: today } }, { reminded: { lt: MOST } }] },
    sort: "due_on",
    limit: 100,
  });
  let reminded = 0;
  for (const invoice of late) {
    const days = ctx.time.diff(`${invoice.due_on}T00:00:00Z`, `${today}T00:00:00Z`, "days");
    if (days < (invoice.reminded + 1) * ctx.settings.gap) continue;
    const customer = ctx.db.customers.get(invoice.customer);
    const data = { invoice, customer, total: ctx.money.format(invoice.due_amount), bank: ctx.settings.bank };
    ctx.mail({ to: customer.email, subject: `Reminder: invoice ${invoice.number}`, template: "reminder", data });
    ctx.db.invoices.update(invoice.id, { reminded: invoice.reminded + 1 });
    reminded += 1;
  }
  return { late: late.length, reminded };
}
