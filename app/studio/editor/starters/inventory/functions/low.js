// Each morning: what fell below its mark since the last letter. An article is told once until it is filled again.
export default function (ctx) {
  const today = ctx.now.slice(0, 10);
  const articles = ctx.db.articles.find({ where: { low: { gt: 0 } }, sort: "name", limit: 200 });
  const told = [];
  for (const article of articles) {
    const low = (article.stock || 0) < article.low;
    if (low && !article.told_on) {
      told.push(article);
      ctx.db.articles.update(article.id, { told_on: today });
    } else if (!low && article.told_on) {
      ctx.db.articles.update(article.id, { told_on: null });
    }
  }
  if (told.length > 0 && ctx.settings.notify_to) {
    const text = told.map((one) => `${one.code}  ${one.name}: ${one.stock || 0} left, reorder below ${one.low}`).join("\n");
    ctx.mail({ to: ctx.settings.notify_to, subject: `${told.length} articles run low`, text });
  }
  return { told: told.map((one) => one.code) };
}
