// What a page tells of itself: that it works, what is done on it, for how long it is looked at. No cookie, no name of anybody: the
// key stands for the page alone. Nothing is told for visitors who ask not to be counted, who get no key.

const root = document.documentElement;
const LATER_MS = 800;
const TIME_EVERY_MS = 15_000; // a page that is left in a hurry loses no more than this
const MOST = 250; // events of one page; the server takes no more either
const MOST_ERRORS = 5;
const NAME = /^[a-z][a-z0-9_.:-]{0,79}$/;

let key;
let told = 0;
let errors = 0;
let waiting = [];
let due;

function tell(event, name = "", value = 0) {
  if (told >= MOST) return;
  waiting.push({ event, n: told++, name, value: Math.min(Math.max(Math.round(value) || 0, 0), 86_400_000), at: performance.now() });
  due ??= setTimeout(send, LATER_MS, false);
}

function send(leaving = false) {
  clearTimeout(due);
  due = undefined;
  while (waiting.length) {
    const now = performance.now();
    const events = waiting.splice(0, 40).map(({ at, ...event }) => ({ ...event, ago: Math.min(Math.round(now - at), 7_200_000) }));
    const body = JSON.stringify({ key, events });
    const address = new URL("/embed/analytics", location.href).href; // a sandboxed frame has no origin, but an address
    // plain text asks nobody for leave first; what is sent while a page is left has to be a beacon
    if (leaving && navigator.sendBeacon?.(address, body)) continue;
    fetch(address, { method: "POST", body, mode: "no-cors", credentials: "omit", keepalive: true }).catch(() => {});
  }
}

function failed(what) {
  if (errors++ < MOST_ERRORS) tell("error", String(what || "Unknown error").slice(0, 200));
}

/** Time counts while the page is on the screen: the tab in front, the frame not scrolled away. */
function watchTime() {
  let onScreen = true;
  let since;
  const look = () => {
    const looking = onScreen && document.visibilityState === "visible";
    if (looking) return void (since ??= performance.now());
    if (since === undefined) return;
    if (performance.now() - since >= 100) tell("time", "", performance.now() - since);
    since = undefined;
  };
  setInterval(() => {
    if (since === undefined) return;
    tell("time", "", performance.now() - since);
    since = performance.now();
  }, TIME_EVERY_MS);
  new IntersectionObserver((seen) => {
    onScreen = seen.at(-1).isIntersecting;
    look();
  }).observe(root);
  document.addEventListener("visibilitychange", () => {
    look();
    if (document.visibilityState === "hidden") send(true);
  });
  addEventListener("pagehide", () => {
    onScreen = false;
    look();
    send(true);
  });
  addEventListener("pageshow", () => {
    onScreen = true;
    look();
  });
  look();
}

/** Begin to count with a key; called again it goes on with a newer one. again: the page came back, as after a form. */
export function count(given, { again = false } = {}) {
  const counting = key !== undefined;
  key = given;
  if (counting) return;
  if (!again) tell("mount");
  addEventListener("error", (event) => event.message && failed(event.message));
  addEventListener("unhandledrejection", (event) => failed(event.reason?.message ?? event.reason));
  let started = again;
  document.addEventListener("input", (event) => {
    if (started || event.target.form?.method !== "post") return;
    started = true;
    tell("start");
  });
  document.addEventListener("click", (event) => {
    const name = event.target instanceof Element && event.target.closest("[data-track]")?.dataset.track;
    if (name && NAME.test(name)) tell("click", name);
  });
  // a module's own script: document.dispatchEvent(new CustomEvent("dramac:track", { detail: { name: "cart.added", value: 2 } }))
  document.addEventListener("dramac:track", ({ detail }) => {
    if (typeof detail?.name === "string" && NAME.test(detail.name)) tell("custom", detail.name, Number(detail.value ?? 0));
  });
  watchTime();
}
