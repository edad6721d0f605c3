// htmx: CSRF header, clean addresses, focus after a swap, where errors go, the loading line.
import { csrfToken } from "./dom.js";
import { toast } from "./toasts.js";

// a form or a row answers these itself; every other failure goes to #flash and leaves the page as it was
const ANSWERED_IN_PLACE = new Set([409, 412, 422]);

document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (ctx.request.method === "GET") {
    for (const [key, value] of [...ctx.request.body]) if (value === "") ctx.request.body.delete(key, value);
  } else {
    ctx.request.headers["X-CSRFToken"] = csrfToken();
  }
});

document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
  const flash = document.getElementById("flash");
  if (ANSWERED_IN_PLACE.has(ctx.response.status) || ctx.hx.retarget || !flash) return;
  ctx.target = flash;
  ctx.swap = "innerHTML";
  ctx.push = ctx.replace = null;
});

document.addEventListener("htmx:error", ({ detail: { error } }) => {
  if (!(error instanceof TypeError)) return; // fetch reports a lost connection as TypeError
  const words = document.getElementById("toasts").dataset;
  toast({ level: "error", title: words.offlineTitle, text: words.offlineText });
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const status = ctx.response?.status ?? 200;
  if (ANSWERED_IN_PLACE.has(status)) firstProblem(ctx.target)?.focus();
  else if (ctx.target?.id === "flash") document.getElementById("flash").scrollIntoView({ block: "nearest" });
});

function firstProblem(target) {
  const place = target?.isConnected ? target : document;
  return place.querySelector("[aria-invalid=true]:not([type=hidden]), [data-invalid=true] input, [data-error-summary]");
}

// after a navigation without a page load the reader starts at the content, as after a page load
document.addEventListener("htmx:after:history:update", ({ detail }) => {
  if (detail.sourceElement?._htmx?.boosted) document.getElementById("main")?.focus({ preventScroll: true });
});

// what asks again and again does so only while somebody looks
document.addEventListener("htmx:before:request", (event) => {
  if (document.hidden && event.detail.ctx.sourceElement?.matches("[data-while-seen]")) event.preventDefault();
});

// the line at the top of the page; CSS holds it back for 150 ms
let running = 0;
const counted = new WeakSet(); // a request dropped before it was sent has a finish without a start
const show = () => document.documentElement.toggleAttribute("data-loading", running > 0);
document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement?.matches("[hx-trigger^=every]")) return;
  counted.add(ctx);
  running += 1;
  show();
});
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (!counted.delete(ctx)) return;
  running -= 1;
  show();
});

// after a page of the server itself shows errors (no htmx), its summary is where to start
document.querySelector("[data-error-summary]")?.focus();
