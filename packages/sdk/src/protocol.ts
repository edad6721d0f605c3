// What host page and module page say to each other. Both sides read every message through these functions, so that what
// is too large, of the wrong type or of another version is dropped and never acted on.

export const PROTOCOL = 1;
export const MAX_HEIGHT_PX = 10_000;
export const FRAME_MS = 50; // at most 20 heights a second
const MAX_DATA_BYTES = 16_384;
const EVENT_NAME = /^[a-z][a-z0-9_.:-]{0,79}$/;
const PAGE_NAME = /^[a-z][a-z0-9-]{0,59}$/;
const NONCE = /^[A-Za-z0-9_-]{22,64}$/;

export type Theme = "light" | "dark" | "auto";
export type Tokens = Record<string, string>;

/** The only message of a page that crosses windows; it carries the port that everything else is said over. */
export interface Hello {
  dramac: typeof PROTOCOL;
  type: "hello";
  nonce: string;
}

/** What comes instead from where there is no page of this name. */
export interface Missing {
  dramac: typeof PROTOCOL;
  type: "missing";
  nonce: string;
}

/** What a module's page says to its host. */
export type FromChild =
  | { type: "height"; height: number }
  | { type: "page"; page: string; sent: boolean }
  | { type: "event"; name: string; data: unknown }
  | { type: "session"; refused: boolean };

/** What the host says to a module's page. */
export type FromHost =
  | { type: "welcome"; theme: Theme; tokens: Tokens; fit: boolean }
  | { type: "look"; theme: Theme; tokens: Tokens }
  | { type: "fit"; fit: boolean }
  | { type: "message"; name: string; data: unknown }
  | { type: "session"; token: string };

type Read<T> = (given: Record<string, unknown>) => T | null;

const isTheme = (value: unknown): value is Theme => value === "light" || value === "dark" || value === "auto";
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** A height that may be set: whole pixels from 0 to MAX_HEIGHT_PX; null for what is no number. */
export function readHeight(value: unknown): number | null {
  if (typeof value !== "number" || !Number.isFinite(value)) return null;
  return Math.min(MAX_HEIGHT_PX, Math.max(0, Math.ceil(value)));
}

function look(given: Record<string, unknown>): { theme: Theme; tokens: Tokens } | null {
  if (!isTheme(given.theme) || !isObject(given.tokens)) return null;
  const tokens = Object.entries(given.tokens).filter((pair): pair is [string, string] => typeof pair[1] === "string");
  return { theme: given.theme, tokens: Object.fromEntries(tokens.slice(0, 20)) };
}

function named(given: Record<string, unknown>): { name: string; data: unknown } | null {
  if (typeof given.name !== "string" || !EVENT_NAME.test(given.name)) return null;
  const text = JSON.stringify(given.data ?? null);
  return text === undefined || text.length > MAX_DATA_BYTES ? null : { name: given.name, data: JSON.parse(text) };
}

const CHILD: { [K in FromChild["type"]]: Read<FromChild> } = {
  height: (given) => {
    const height = readHeight(given.height);
    return height === null ? null : { type: "height", height };
  },
  page: (given) =>
    typeof given.page === "string" && PAGE_NAME.test(given.page)
      ? { type: "page", page: given.page, sent: given.sent === true }
      : null,
  event: (given) => {
    const read = named(given);
    return read && { type: "event", ...read };
  },
  session: (given) => ({ type: "session", refused: given.refused === true }),
};

const HOST: { [K in FromHost["type"]]: Read<FromHost> } = {
  welcome: (given) => {
    const read = look(given);
    return read && { type: "welcome", ...read, fit: given.fit === true };
  },
  look: (given) => {
    const read = look(given);
    return read && { type: "look", ...read };
  },
  fit: (given) => ({ type: "fit", fit: given.fit === true }),
  message: (given) => {
    const read = named(given);
    return read && { type: "message", ...read };
  },
  session: (given) =>
    typeof given.token === "string" && given.token.length <= 2048 ? { type: "session", token: given.token } : null,
};

function reader<T>(readers: Record<string, Read<T>>): (data: unknown) => T | null {
  return (data) => {
    if (!isObject(data) || data.v !== PROTOCOL || typeof data.type !== "string") return null;
    return Object.hasOwn(readers, data.type) ? readers[data.type]!(data) : null;
  };
}

/** The message a child sent, checked; null for what is none. */
export const readFromChild = reader<FromChild>(CHILD);
/** The message a host sent, checked; null for what is none. */
export const readFromHost = reader<FromHost>(HOST);

const crosses = (data: unknown, type: string): boolean =>
  isObject(data) && data.dramac === PROTOCOL && data.type === type && typeof data.nonce === "string" && NONCE.test(data.nonce);

export const isHello = (data: unknown): data is Hello => crosses(data, "hello");
export const isMissing = (data: unknown): data is Missing => crosses(data, "missing");

/** `dramac=<nonce>&host=<origin>`, without the #: a fragment is seen by the page alone, not by servers or the next page. */
export const greeting = (nonce: string, host: string): string => `dramac=${nonce}&host=${encodeURIComponent(host)}`;

export function readGreeting(hash: string): { nonce: string; host: string } | null {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const nonce = given.get("dramac") ?? "";
  const host = given.get("host") ?? "";
  return NONCE.test(nonce) && host ? { nonce, host } : null;
}
