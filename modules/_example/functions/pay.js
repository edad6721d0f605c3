// Notes a payment: two entries that balance, under the next number of a series without gaps.
export default function (ctx, input) {
  const booking = ctx.db.bookings.lock(input.booking);
  const lot = `P-${ctx.seq("payments")}`;
  const amount = ctx.money.add(input.amount, 0);
  ctx.db.entries.insert({ lot, text: `${booking.number} paid`, debit: amount });
  ctx.db.entries.insert({ lot, text: "Course fees", credit: amount });
  ctx.db.bookings.update(booking.id, { paid: ctx.money.add(booking.paid, amount) });
  return { lot, weekday: ctx.time.inZone(ctx.now).weekday };
}
