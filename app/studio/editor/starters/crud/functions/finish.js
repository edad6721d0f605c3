// Before a project changes: it is only finished when its tasks are.
export default function (ctx, input) {
  if (input.new.state === "finished" && ctx.db.tasks.count({ project: input.old.id, done: false }) > 0) {
    ctx.invalid("state", "Some tasks are still open.");
  }
  return input.new;
}
