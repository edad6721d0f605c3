// window.dramac: what a host page's own scripts may call, before and after this file has loaded.
import { DramacModule } from "./element.ts";
import { Link } from "./link.ts";
import { off, on, typeOf, type Handler } from "./listen.ts";
import { lookOf } from "./look.ts";
import { writeOptions } from "./options.ts";
import type { FromChild, Theme } from "./protocol.ts";

declare const VERSION: string;

type Given = Record<string, unknown>;
type Target = string | Element;
type Command = (...given: never[]) => unknown;

const frames = new WeakMap<HTMLIFrameElement, Link>();

function find(target: Target): Element {
  const found = typeof target === "string" ? document.querySelector(target) : target;
  if (!found) throw new Error(`dramac: nothing on this page is ${String(target)}`);
  return found;
}

/** The element of a module inside the target, or the target itself. */
function moduleIn(target: Target): DramacModule | null {
  const found = find(target);
  return found instanceof DramacModule ? found : found.querySelector<DramacModule>("dramac-module");
}

/** Put a page into the target; options are the element's attributes, params an object, on… are listeners. */
function mount(target: Target, options: Given): DramacModule {
  const element = document.createElement("dramac-module") as DramacModule;
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === "function") element.addEventListener(typeOf(name.replace(/^on/, "").toLowerCase()), value as EventListener);
  }
  writeOptions(element, options);
  find(target).append(element);
  return element;
}

function unmount(target: Target): void {
  moduleIn(target)?.remove();
}

/** Give an <iframe> that the host wrote itself the height of its page, its look and its events. */
function frame(target: Target): void {
  const iframe = find(target);
  if (!(iframe instanceof HTMLIFrameElement) || frames.has(iframe)) return;
  const address = iframe.src.split("#", 1)[0]!;
  const asked = new URL(address).searchParams.get("theme");
  const theme: Theme = asked === "dark" || asked === "light" ? asked : "auto";
  const tell = (name: string, detail: Given = {}): void =>
    void iframe.dispatchEvent(new CustomEvent(`dramac:${name}`, { detail, bubbles: true, composed: true }));
  const hasOrigin = !iframe.hasAttribute("sandbox") || iframe.sandbox.contains("allow-same-origin");
  const link = new Link(iframe, hasOrigin ? new URL(address).origin : "null", {
    connected: (first) => {
      link.say({ type: "welcome", ...lookOf(iframe, theme), fit: true });
      if (first) tell("ready");
    },
    said: (message: FromChild) => {
      if (message.type === "height") iframe.style.height = `${message.height}px`;
      if (message.type === "height") tell("resize", { height: message.height });
      if (message.type === "event") tell("event", { name: message.name, data: message.data });
      if (message.type === "page") tell(message.sent ? "submitted" : "navigate", { page: message.page });
    },
    silent: (code, message) => tell("error", { code, message }),
  });
  frames.set(iframe, link);
  link.open(address, true);
}

const each = (act: (module: DramacModule) => void) => (target?: Target): void => {
  if (target) {
    const found = moduleIn(target);
    if (found) act(found);
  } else document.querySelectorAll<DramacModule>("dramac-module").forEach(act);
};

const instances = (): DramacModule[] => [...document.querySelectorAll<DramacModule>("dramac-module")];
/** Both earlier SDKs named the place in their options: init({container, …}) and embed({container, …}). */
const init = (options: Given): DramacModule => mount((options.container as Target | undefined) ?? document.body, options);

const send = (target: Target, name: string, data?: unknown): void => moduleIn(target)?.send(name, data);
const update = (target: Target, options: Given): void => moduleIn(target)?.update(options);

const COMMANDS = {
  mount,
  unmount,
  on: (name: string, handler: Handler) => on(document, name, handler),
  off: (name: string, handler?: Handler): void => off(document, name, handler),
  frame,
  instances,
  init,
  embed: init,
  open: each((module) => module.open()),
  close: each((module) => module.close()),
  toggle: each((module) => module.toggle()),
  refresh: each((module) => module.refresh()),
  destroy: unmount,
  send,
  update,
  ready: (act: () => void): void => act(),
  // what earlier SDKs called these
  sendMessage: send,
  updateSettings: update,
  getInstances: instances,
  getVersion: (): string => VERSION,
};

export type Api = ((command: string, ...given: unknown[]) => unknown) & typeof COMMANDS & { version: string };

/** The one global. A command may be a word, `dramac("mount", …)`, or a method, `dramac.mount(…)`. */
export function makeApi(): Api {
  const api = (command: string, ...given: unknown[]): unknown => {
    if (!Object.hasOwn(COMMANDS, command)) throw new Error(`dramac: there is no command "${command}"`);
    return (COMMANDS as unknown as Record<string, Command>)[command]!(...(given as never[]));
  };
  return Object.assign(api, COMMANDS, { version: VERSION });
}
