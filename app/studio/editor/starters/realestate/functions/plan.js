// Before a viewing is kept: it has an end, it is of a home that is offered, and its agent is the home's unless another was named.
export default function (ctx, input) {
  const { old, new: viewing } = input;
  const home = ctx.db.homes.get(viewing.home);
  if (!old && home.state !== "offered") ctx.invalid("home", "This home cannot be viewed now.");
  const moved = !old || old.starts !== viewing.starts;
  const ends = moved ? ctx.time.add(viewing.starts, { minutes: ctx.settings.minutes }) : viewing.ends;
  return { ...viewing, ends, agent: viewing.agent || home.agent };
}
