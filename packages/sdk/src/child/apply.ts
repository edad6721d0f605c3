// The host's look on this page: property by property, which a content security policy has nothing against.
import type { Theme, Tokens } from "../protocol.ts";
import { TOKENS, cleanTokens, type Token } from "../tokens.ts";

export function applyLook(theme: Theme, given: Tokens): void {
  const { style, dataset } = document.documentElement;
  dataset.theme = theme;
  const tokens = cleanTokens(given);
  for (const [name, variable] of Object.entries(TOKENS)) {
    const value = tokens[name as Token];
    if (value) style.setProperty(variable, value);
    else style.removeProperty(variable);
  }
  if (!tokens.accent) return void style.removeProperty("--on-accent");
  style.setProperty("--on-accent", readableOn(tokens.accent));
}

/** White or near-black, whichever contrasts more with the colour (WCAG relative luminance). */
function readableOn(color: string): string {
  const probe = document.createElement("i");
  probe.style.color = color;
  document.body.append(probe);
  const channels = (getComputedStyle(probe).color.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
  probe.remove();
  const [red = 0, green = 0, blue = 0] = channels.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#1b1d26" : "#fff";
}
