// After a visitor asked on the page: a letter to them, one to the office.
export default function (ctx, input) {
  const viewing = ctx.db.viewings.get(input.record.id);
  const home = ctx.db.homes.get(viewing.home);
  const data = { viewing, home: { name: home.name, code: home.code, city: home.city } };
  ctx.mail({ to: viewing.email, subject: `Viewing of ${home.name}`, template: "confirmation", data });
  if (ctx.settings.notify_to) {
    ctx.mail({ to: ctx.settings.notify_to, reply_to: viewing.email, subject: `${home.code}: ${viewing.name} asks for a viewing`, template: "confirmation", data });
  }
  return null;
}
