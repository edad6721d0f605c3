// The host's end of one frame: it is greeted by the page inside, keeps its port, and trusts nothing else.
import { FRAME_MS, PROTOCOL, greeting, isHello, isMissing, readFromChild, type FromChild, type FromHost } from "./protocol.ts";

const SILENT_MS = 6_000; // after the frame has loaded: what has not greeted by then is an error page, or refused to be framed
const MOST_MESSAGES_S = 40;

export interface Listener {
  connected(first: boolean): void;
  said(message: FromChild): void;
  /** No page came; code and message are those of the `dramac:error` event. */
  silent(code: string, message: string): void;
}

const UNAVAILABLE =
  "The page did not answer. Is this site's domain verified for embedding, is the page meant for other sites, and is its module running?";
const NOT_FOUND = "The module has no page of this name. Is the page attribute right?";

const links = new Map<string, Link>();

function newNonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}

function hear(event: MessageEvent): void {
  const missing = isMissing(event.data);
  if (!missing && !isHello(event.data)) return;
  const link = links.get(event.data.nonce);
  // a page that was navigated to in the frame has the same window, and in a sandbox the same origin "null", but not the nonce
  if (!link || event.source !== link.frame.contentWindow || event.origin !== link.origin) return;
  const port = event.ports[0];
  if (missing) link.miss();
  else if (port) link.take(port);
}

/** One frame. origin: what messages of the page inside come from; "null" in a sandbox. */
export class Link {
  readonly #nonce = newNonce();
  #port: MessagePort | null = null;
  #times = 0;
  #greeted = false;
  #address = "";
  #again = false;
  #waiting: ReturnType<typeof setTimeout> | undefined;
  #height: ReturnType<typeof setTimeout> | undefined;
  #lastHeight: FromChild | null = null;
  #counted = { second: 0, messages: 0 };

  constructor(
    readonly frame: HTMLIFrameElement,
    readonly origin: string,
    readonly listener: Listener,
  ) {
    if (links.size === 0) addEventListener("message", hear);
    links.set(this.#nonce, this);
    frame.addEventListener("load", this.#loaded);
  }

  /** Load an address in the frame, with what its page needs in order to greet. again: the frame may be loading it already. */
  open(address: string, again = false): void {
    this.#address = `${address}#${greeting(this.#nonce, location.origin)}`;
    this.#again = again;
    this.frame.src = this.#address;
  }

  get connected(): boolean {
    return this.#port !== null;
  }

  say(message: FromHost): void {
    this.#port?.postMessage({ v: PROTOCOL, ...message });
  }

  take(port: MessagePort): void {
    this.#answered();
    this.#port?.close();
    this.#port = port;
    port.onmessage = (event) => this.#read(event.data);
    this.#times += 1;
    this.listener.connected(this.#times === 1);
  }

  miss(): void {
    this.#answered();
    this.listener.silent("not_found", NOT_FOUND);
  }

  close(): void {
    links.delete(this.#nonce);
    if (links.size === 0) removeEventListener("message", hear);
    this.#wait(false);
    clearTimeout(this.#height);
    this.frame.removeEventListener("load", this.#loaded);
    this.#port?.close();
    this.#port = null;
  }

  #answered(): void {
    this.#greeted = this.#waiting === undefined; // the page's script mostly runs before its load event
    this.#wait(false);
  }

  #loaded = (): void => {
    // a browser may drop a fragment that is set at the moment a page arrives; one that is there already stays as it is
    if (this.#again && this.#times === 0) this.frame.src = this.#address;
    this.#again = false;
    this.#wait(!this.#greeted);
    this.#greeted = false;
  };

  #wait(begin: boolean): void {
    clearTimeout(this.#waiting);
    this.#waiting = begin ? setTimeout(() => this.listener.silent("unavailable", UNAVAILABLE), SILENT_MS) : undefined;
  }

  #read(data: unknown): void {
    const message = readFromChild(data);
    if (!message) return;
    if (message.type === "height") return this.#tellHeight(message);
    const second = Math.floor(performance.now() / 1000);
    if (this.#counted.second !== second) this.#counted = { second, messages: 0 };
    this.#counted.messages += 1;
    if (this.#counted.messages <= MOST_MESSAGES_S) this.listener.said(message);
  }

  /** The first height at once, later ones at most every FRAME_MS, and always the last. */
  #tellHeight(message: FromChild): void {
    this.#lastHeight = message;
    if (this.#height !== undefined) return;
    this.#flush();
  }

  #flush(): void {
    const message = this.#lastHeight;
    this.#lastHeight = null;
    this.#height = undefined;
    if (!message) return;
    this.listener.said(message);
    this.#height = setTimeout(() => this.#flush(), FRAME_MS);
  }
}
