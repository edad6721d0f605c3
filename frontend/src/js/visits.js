// A site's own page: it is kept whole for everybody, so it says which page it is, and each visitor's browser asks for a key. Who asks
// not to be counted gets none.
import { count } from "./counting.js";

const KEY_LASTS_MS = 115 * 60_000; // a little less than it is taken

async function ask() {
  if (document.prerendering) await new Promise((done) => document.addEventListener("prerenderingchange", done, { once: true }));
  const answer = await fetch("/embed/analytics/key", { method: "POST", body: document.documentElement.dataset.visits, credentials: "omit" });
  if (answer.status === 200) count(await answer.text());
}

const quietly = () => ask().catch(() => {}); // a page is whole without being counted
quietly();
setInterval(quietly, KEY_LASTS_MS);
