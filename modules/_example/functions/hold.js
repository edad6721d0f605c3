// Before a course is deleted: one with bookings stays.
export default function (ctx, input) {
  if (input.old.booked > 0) ctx.invalid("state", "People have booked this course.");
}
