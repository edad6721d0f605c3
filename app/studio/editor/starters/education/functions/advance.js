// Each night: courses that begin today run, courses that ended yesterday are over.
export default function (ctx) {
  const today = ctx.now.slice(0, 10);
  const begun = ctx.db.courses.find({ where: { state: "open", begins: { lte: today } }, limit: 200 });
  const ended = ctx.db.courses.find({ where: { state: "running", ends: { lt: today } }, limit: 200 });
  for (const course of begun) ctx.db.courses.update(course.id, { state: "running" });
  for (const course of ended) ctx.db.courses.update(course.id, { state: "over" });
  return { begun: begun.length, ended: ended.length };
}
