// The look a host page may give: these custom properties and no others, each checked by its kind.
import type { Tokens } from "./protocol.ts";

/** What the host sets as `--dramac-<name>`, and the variable of module pages that it becomes. */
export const TOKENS = {
  accent: "--accent",
  page: "--page",
  surface: "--surface",
  text: "--text",
  "text-soft": "--text-soft",
  line: "--line",
  edge: "--edge",
  radius: "--radius",
  font: "--font",
} as const;
export type Token = keyof typeof TOKENS;

const COLOR = /^(#[0-9a-f]{3,8}|(rgb|rgba|hsl|hsla|hwb|lab|lch|oklab|oklch|color)\([a-z0-9 ,./%+-]{1,80}\)|[a-z]{3,24})$/i;
const RADIUS = /^(0|\d{1,3}(\.\d{1,3})?(px|rem|em))$/;
const FONT = /^[\p{L}\p{N} ,"'_-]{1,200}$/u;

/** The values that may be used, by token; whatever is unknown or looks like more than a plain value is left out. */
export function cleanTokens(given: Record<string, string>): Tokens {
  const kept: Tokens = {};
  for (const name of Object.keys(TOKENS) as Token[]) {
    const value = (Object.hasOwn(given, name) ? (given[name] ?? "") : "").trim();
    const shape = name === "radius" ? RADIUS : name === "font" ? FONT : COLOR;
    if (value && shape.test(value)) kept[name] = value;
  }
  return kept;
}

/** What the host page says about an element, from its computed style. */
export function tokensOf(element: Element): Tokens {
  const style = getComputedStyle(element);
  const given: Record<string, string> = {};
  for (const name of Object.keys(TOKENS)) given[name] = style.getPropertyValue(`--dramac-${name}`);
  return cleanTokens(given);
}
