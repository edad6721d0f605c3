// What a host asks for, from attributes, data attributes or an object, under one set of names.
import type { Theme } from "./protocol.ts";

export type Mode = "inline" | "popup" | "button";
export type Corner = "bottom-right" | "bottom-left" | "top-right" | "top-left";

export interface Options {
  install: string;
  page: string;
  mode: Mode;
  theme: Theme;
  lang: string;
  accent: string;
  params: Record<string, string>;
  heightPx: number;
  maxHeightPx: number;
  widthPx: number;
  position: Corner;
  label: string;
  closeLabel: string;
  title: string;
  trigger: string;
  eager: boolean;
  token: string;
  session: string;
  preview: boolean;
}

/** Names of the SDK before this one, in plain attribute form, and what they are called now. */
const ALIASES: Record<string, string> = {
  "module-id": "install",
  "trigger-text": "label",
  "trigger-color": "accent",
  type: "mode",
};
/** Names of attributes that are ours, beside `param-…`; whatever else stands on the element is the host's own business. */
const OWN = new Set(
  "install page params mode theme lang accent height max-height width position label close-label title trigger loading token session preview".split(" "),
);
const MODES: Record<string, Mode> = { inline: "inline", popup: "popup", button: "button", widget: "button" };
const CORNERS: readonly string[] = ["bottom-right", "bottom-left", "top-right", "top-left"];
const INSTALL = /^ins_[0-9a-hjkmnp-tv-z]{26}$/;
const PAGE = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
/** Names of the query string that are ours; a page's parameters cannot take them over. */
const OURS = new Set(["theme", "lang", "accent", "sent", "_preview"]);

export class BadOptions extends Error {
  override name = "BadOptions";
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const plain = (name: string): string => name.replace(/^data-(?!mode$)/, "");

/** The attributes of an element as readOptions() takes them; `data-mode` is what the element itself writes there. */
export const attributesOf = (element: Element): Record<string, string> =>
  Object.fromEntries(Array.from(element.attributes, (one) => [plain(one.name), one.value]));

/** Whether an attribute of this name says anything to us. */
export function isOwn(attribute: string): boolean {
  const name = plain(attribute);
  return name.startsWith("param-") || OWN.has(ALIASES[name] ?? name);
}

/** Write options on an element: params as JSON, what is none taken away. */
export function writeOptions(element: Element, options: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(options)) {
    const name = kebab(key);
    if (name === "container" || typeof value === "function") continue;
    if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, typeof value === "object" ? JSON.stringify(value) : String(value));
  }
}

function pixels(value: string | undefined, fallback: number, most: number): number {
  const number = Number.parseFloat(value ?? "");
  return Number.isFinite(number) && number > 0 ? Math.min(number, most) : fallback;
}

/** `form=survey&size=2`, or a JSON object; anything else is nothing. */
export function readParams(text: string): Record<string, string> {
  if (!text.trim().startsWith("{")) return Object.fromEntries(new URLSearchParams(text));
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
    return Object.fromEntries(entries.filter(([, value]) => value !== null).map(([name, value]) => [name, String(value)]));
  } catch {
    return {};
  }
}

/** Options by plain names. given: `{install, page, theme, "param-form": …}` as attributes have them, or camelCase. Throws BadOptions. */
export function readOptions(given: Record<string, unknown>): Options {
  const named: Record<string, string> = {};
  let params: Record<string, string> = {};
  for (const [key, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    const name = kebab(key);
    if (name === "params") params = { ...readParams(typeof value === "object" ? JSON.stringify(value) : String(value)), ...params };
    else if (name.startsWith("param-")) params[name.slice(6).replaceAll("-", "_")] = String(value);
    else named[ALIASES[name] ?? name] ??= String(value);
  }
  const { install = "", page = "", theme = "auto", position = "" } = named;
  if (!INSTALL.test(install)) throw new BadOptions(`install must be the id of an install, such as ins_…, not "${install}"`);
  if (!PAGE.test(page)) throw new BadOptions(`page must be the name of a page, such as contact, not "${page}"`);
  const mode = MODES[named.mode ?? "inline"] ?? "inline";
  return {
    install,
    page,
    mode,
    theme: theme === "dark" || theme === "light" ? theme : "auto",
    lang: /^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$/.test(named.lang ?? "") ? named.lang! : "",
    accent: named.accent ?? "",
    params,
    heightPx: pixels(named.height, mode === "inline" ? 240 : 480, 10_000),
    maxHeightPx: pixels(named["max-height"], 10_000, 10_000),
    widthPx: pixels(named.width, mode === "button" ? 400 : 640, 2_000),
    position: CORNERS.includes(position) ? (position as Corner) : "bottom-right",
    label: named.label ?? "Open",
    closeLabel: named["close-label"] ?? "Close",
    title: named.title ?? named.label ?? page.replaceAll("-", " "),
    trigger: named.trigger ?? "",
    eager: named.loading === "eager",
    token: named.token ?? "",
    session: named.session ?? "",
    preview: named.preview !== undefined,
  };
}

/** The address of the page, without a fragment. theme: resolved, so that the first paint is right. */
export function addressOf(options: Options, runtime: string, theme: Theme): string {
  const url = new URL(`/embed/${options.install}/${options.page}`, runtime);
  for (const [name, value] of Object.entries(options.params)) if (!OURS.has(name)) url.searchParams.set(name, value);
  url.searchParams.set("theme", theme);
  for (const name of ["lang", "accent"] as const) if (options[name]) url.searchParams.set(name, options[name]);
  if (options.preview) url.searchParams.set("_preview", "1");
  return url.href;
}

/** What an element shows, as text: while it stays the same the frame does too, and with it what a visitor has typed. */
export const placeOf = (options: Options): string => options.mode + addressOf(options, "https://x", "auto");
