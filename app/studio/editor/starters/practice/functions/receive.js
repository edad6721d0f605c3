// After a request came in: a receipt. It names nobody's field and no reason: letters are read by others, too.
export default function (ctx, input) {
  const request = ctx.db.requests.get(input.record.id);
  ctx.mail({ to: request.email, subject: `Your request to ${ctx.site.name}`, template: "received", data: { name: request.name } });
  return null;
}
