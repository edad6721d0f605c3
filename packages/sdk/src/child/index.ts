// Runs in every page of a module. In a frame of a page that may embed it, it greets the host and speaks with it.
import { PROTOCOL, readFromHost, readGreeting, type FromChild, type FromHost } from "../protocol.ts";
import { reportHeight } from "./height.ts";
import { applyLook } from "./apply.ts";
import { isWaiting, keepFragment, takeSession } from "./pages.ts";

const root = document.documentElement;
/** The server's list of who may frame this page; what the fragment claims must be one of them. */
const allowed = (root.dataset.parents ?? "").split(" ").filter(Boolean);
/** A site's own page frames modules of the same host, which a sandboxed page knows by its address alone. */
const mayFrame = (host: string): boolean =>
  allowed.includes(host) || (allowed.includes("'self'") && host === new URL(location.href).origin);
let greeted = false;

function heard(message: FromHost, say: (message: FromChild) => void): void {
  if (message.type === "welcome" || message.type === "look") applyLook(message.theme, message.tokens);
  if (message.type === "welcome" || message.type === "fit") root.toggleAttribute("data-fit", message.fit);
  if (message.type === "message") {
    document.dispatchEvent(new CustomEvent("dramac:message", { detail: { name: message.name, data: message.data } }));
  }
  if (message.type === "session") takeSession(message.token);
  if (message.type === "welcome") {
    if (root.hasAttribute("data-closed")) say({ type: "session", refused: root.hasAttribute("data-refused") });
    if (isWaiting()) return; // there is nothing to show yet
    reportHeight((height) => say({ type: "height", height }));
    say({ type: "page", page: root.dataset.page ?? "", sent: root.hasAttribute("data-sent") });
  }
}

function connect(nonce: string, host: string): void {
  const { port1: port, port2: theirs } = new MessageChannel();
  const say = (message: FromChild): void => port.postMessage({ v: PROTOCOL, ...message });
  port.onmessage = (event) => {
    const message = readFromHost(event.data);
    if (message) heard(message, say);
  };
  // the module's own scripts speak by events of the document, so there is no global for them either
  document.addEventListener("dramac:send", (event) => {
    const detail = (event as CustomEvent<{ name?: unknown; data?: unknown } | null>).detail;
    if (typeof detail?.name === "string") say({ type: "event", name: detail.name, data: detail.data ?? null });
  });
  keepFragment(location.hash);
  // delivered only if the framing page is of this very origin, port and all
  window.parent.postMessage({ dramac: PROTOCOL, type: "hello", nonce }, host, [theirs]);
}

function greet(): void {
  const greeting = readGreeting(location.hash);
  if (greeted || !greeting || !mayFrame(greeting.host)) return;
  greeted = true;
  if (root.hasAttribute("data-missing")) window.parent.postMessage({ dramac: PROTOCOL, type: "missing", nonce: greeting.nonce }, greeting.host);
  else connect(greeting.nonce, greeting.host);
}

if (window.parent !== window) {
  root.toggleAttribute("data-embedded", true);
  greet();
  // a frame the host wrote itself may be here before the host's script is: its address then gets a fragment, and nothing is loaded
  addEventListener("hashchange", greet);
}
