// By the clock: what has ended is over.
export default function (ctx) {
  const ended = ctx.db.courses.find({ where: { all: [{ state: { in: ["open", "full"] } }, { ends_at: { lt: ctx.now } }] }, limit: 100 });
  for (const course of ended) ctx.db.courses.update(course.id, { state: "over" });
  return { closed: ended.length };
}
