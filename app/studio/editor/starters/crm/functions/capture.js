// After somebody wrote on the site: mark where they came from, open a deal, write to them and to the team.
export default function (ctx, input) {
  const contact = ctx.db.contacts.update(input.record.id, { source: "website" });
  ctx.db.deals.insert({ name: `${contact.name}, from the site`, contact: contact.id });
  if (contact.email) ctx.mail({ to: contact.email, subject: `Thank you, ${contact.name}`, template: "welcome", data: { contact } });
  if (ctx.settings.notify_to) {
    ctx.mail({ to: ctx.settings.notify_to, reply_to: contact.email, subject: `New contact: ${contact.name}`, text: contact.phone || contact.email || "No address given." });
  }
  return null;
}
