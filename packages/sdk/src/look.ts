// The host page's look as module pages are told it, and word of when it changes.
import type { Theme, Tokens } from "./protocol.ts";
import { tokensOf } from "./tokens.ts";

export interface Look {
  theme: Theme;
  tokens: Tokens;
}

/** asked "auto" follows a host that declares one colour scheme, and else the visitor's own setting. */
export function lookOf(element: Element, asked: Theme): Look {
  const declared = getComputedStyle(element).colorScheme;
  const theme = asked === "auto" && (declared === "dark" || declared === "light") ? declared : asked;
  return { theme, tokens: tokensOf(element) };
}

/** Frames are see-through only while both sides use the same scheme. */
export const schemeOf = (theme: Theme): string => (theme === "auto" ? "light dark" : theme);

const watching = new Set<() => void>();
let observer: MutationObserver | undefined;

/** Call back when the host page switches its theme: a class, attribute or style of its root or body. Returns the way to stop. */
export function watchLook(changed: () => void): () => void {
  watching.add(changed);
  if (!observer) {
    observer = new MutationObserver(() => requestAnimationFrame(() => watching.forEach((tell) => tell())));
    for (const node of [document.documentElement, document.body]) observer.observe(node, { attributes: true });
  }
  return () => {
    watching.delete(changed);
    if (watching.size > 0) return;
    observer?.disconnect();
    observer = undefined;
  };
}
