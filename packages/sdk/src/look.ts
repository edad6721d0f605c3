// The host page's look as module pages are told it, and word of when it changes.
import { isDark, seen } from "./color.ts";
import type { Theme, Tokens } from "./protocol.ts";
import { tokensOf } from "./tokens.ts";

export interface Look {
  theme: Theme;
  tokens: Tokens;
}

/** asked "auto" follows the host: the one colour scheme it declares, else how dark it is where the element stands. */
export function lookOf(element: Element, asked: Theme): Look {
  const tokens = tokensOf(element);
  return { theme: asked === "auto" ? themeOf(element, tokens) : asked, tokens };
}

function themeOf(element: Element, tokens: Tokens): Theme {
  const declared = getComputedStyle(element).colorScheme.replace("only", "").trim();
  if (declared === "dark" || declared === "light") return declared;
  return isDark(luminanceBehind(element, tokens.page)) ? "dark" : "light";
}

/** Of what the page inside is painted on: backgrounds up to one that covers what is behind it, in the end the browser's own. */
function luminanceBehind(element: Element, page: string | undefined): number {
  const probes = element.shadowRoot ?? element.parentElement ?? document.body;
  let sum = 0;
  let through = 1;
  const add = (color: string, covers = false): void => {
    const found = seen(color, probes);
    if (!found) return;
    const part = through * (covers ? 1 : found.alpha);
    sum += part * found.luminance;
    through -= part;
  };
  if (page) add(page);
  for (let node: Element | null = element; node && through > 0.05; node = around(node)) {
    const { backgroundColor, backgroundImage, color } = getComputedStyle(node);
    add(backgroundColor);
    // nobody can say how dark a picture is; but words in a light colour were not meant for a light one
    if (backgroundImage !== "none" && through > 0.05) add(isDark(seen(color, probes)?.luminance ?? 0) ? "#fff" : "#000", true);
  }
  add("Canvas", true); // what a page without a background is painted on: white, unless it declares that it can be dark
  return sum;
}

function around(node: Element): Element | null {
  const outer = node.assignedSlot ?? node.parentNode;
  return outer instanceof ShadowRoot ? outer.host : outer instanceof Element ? outer : null;
}

/** Frames are see-through only while both sides use the same scheme. */
export const schemeOf = (theme: Theme): string => (theme === "auto" ? "light dark" : theme);

const watching = new Set<() => void>();
const changed = (): void => void requestAnimationFrame(() => watching.forEach((tell) => tell()));
const faded = (event: TransitionEvent): void => void (event.propertyName === "background-color" && changed());
const device = matchMedia("(prefers-color-scheme: dark)");
let observer: MutationObserver | undefined;

/** Call back when the host page may look different: its root or body changed, a background faded, the device turned dark.
 * Returns the way to stop. */
export function watchLook(tell: () => void): () => void {
  watching.add(tell);
  if (!observer) {
    observer = new MutationObserver(changed);
    for (const node of [document.documentElement, document.body]) observer.observe(node, { attributes: true });
    device.addEventListener("change", changed);
    document.addEventListener("transitionend", faded);
    addEventListener("load", changed); // style sheets of the host may come after this script
  }
  return () => {
    watching.delete(tell);
    if (watching.size > 0) return;
    observer?.disconnect();
    device.removeEventListener("change", changed);
    document.removeEventListener("transitionend", faded);
    removeEventListener("load", changed);
    observer = undefined;
  };
}
