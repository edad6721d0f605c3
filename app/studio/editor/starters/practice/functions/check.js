// Before a request is kept: without the agreement nothing is.
export default function (ctx, input) {
  if (!input.new.terms) ctx.invalid("terms", "Without your agreement we may not keep this.");
  return input.new;
}
