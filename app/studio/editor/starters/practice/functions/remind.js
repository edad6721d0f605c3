// Every hour: whoever comes soon and has an address gets one reminder, with the hour alone.
export default function (ctx) {
  const until = ctx.time.add(ctx.now, { hours: ctx.settings.hours });
  const soon = ctx.db.appointments.find({
    where: { all: [{ state: "planned" }, { starts: { gt: ctx.now, lt: until } }, { reminded_at: { is: "null" } }] },
    sort: "starts",
    limit: 100,
  });
  let sent = 0;
  for (const appointment of soon) {
    const patient = ctx.db.patients.get(appointment.patient);
    if (!patient.email) continue;
    const when = ctx.time.format(appointment.starts, "datetime");
    ctx.mail({ to: patient.email, subject: `Your appointment at ${ctx.site.name}`, text: `${when}\n\nCall us if you cannot come.` });
    ctx.db.appointments.update(appointment.id, { reminded_at: ctx.now });
    sent += 1;
  }
  return { sent };
}
