// Before an enrolment changes: a mark says by itself whether it is enough.
export default function (ctx, input) {
  const { mark } = input.new;
  return { ...input.new, passed: mark !== null && mark !== undefined && mark >= ctx.settings.pass_at };
}
