// After a booking: the last place fills the course.
export default function (ctx, input) {
  const course = ctx.db.courses.get(input.record.course);
  if (!course || course.state !== "open" || course.booked < course.seats) return null;
  ctx.db.courses.update(course.id, { state: "full" });
  ctx.emit("course.filled", { course: course.id, title: course.title });
  return { filled: course.title };
}
