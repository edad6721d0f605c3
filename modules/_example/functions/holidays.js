// Behind the button of a setting: whether the key works.
export default function (ctx) {
  if (!ctx.settings.api_key) ctx.invalid("api_key", "Enter the key first.");
  try {
    const answer = ctx.http.get("https://api.example.com/holidays", { headers: { authorization: `Bearer ${ctx.settings.api_key}` } });
    return { works: answer.status === 200 };
  } catch (error) {
    return { works: false, why: error.message };
  }
}
