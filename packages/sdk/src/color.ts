// Colours as the browser reads them: how light they are, and which words can be read on them.

const DARK_BELOW = 0.18; // of WCAG's relative luminance: below it white has more contrast than near-black

interface Seen {
  luminance: number;
  alpha: number;
}

/** Any CSS colour; system colours by the scheme of where `at` stands. Null for what is no colour. */
export function seen(color: string, at: Node): Seen | null {
  const probe = document.createElement("i");
  probe.style.color = color;
  if (!probe.style.color) return null;
  at.appendChild(probe);
  const read = (): string => getComputedStyle(probe).color;
  let computed = read();
  if (!computed.startsWith("rgb")) {
    probe.style.color = `color-mix(in srgb, ${color}, ${color})`; // oklch() and its like, as red, green and blue from 0 to 1
    computed = read();
  }
  probe.remove();
  const [red = 0, green = 0, blue = 0, alpha = 1] = (computed.match(/-?[\d.]+(e-?\d+)?/g) ?? []).map(Number);
  const whole = computed.startsWith("rgb") ? 255 : 1;
  return { luminance: 0.2126 * linear(red / whole) + 0.7152 * linear(green / whole) + 0.0722 * linear(blue / whole), alpha };
}

const linear = (share: number): number => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);

export const isDark = (luminance: number): boolean => luminance < DARK_BELOW;

/** White or near-black, whichever contrasts more with the colour; "" for what is no colour. */
export function readableOn(color: string, at: Node): string {
  const found = seen(color, at);
  if (!found) return "";
  return isDark(found.luminance) ? "#fff" : "#1b1d26";
}
