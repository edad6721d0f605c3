// The host's look on this page: property by property, which a content security policy has nothing against.
import { readableOn } from "../color.ts";
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
  // an empty value takes the property away
  style.setProperty("--on-accent", tokens.accent ? readableOn(tokens.accent, document.body) : "");
}
