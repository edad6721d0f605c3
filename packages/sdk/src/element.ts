// <dramac-module install="ins_…" page="contact">: one page of an installed module on somebody's site.
import { Link } from "./link.ts";
import { off, on, type Handler } from "./listen.ts";
import { lookOf, schemeOf, watchLook, type Look } from "./look.ts";
import { BadOptions, addressOf, attributesOf, isOwn, placeOf, readOptions, writeOptions, type Options } from "./options.ts";
import { Panel } from "./panel.ts";
import type { FromChild, Theme } from "./protocol.ts";
import { Sessions, askSession } from "./session.ts";
import { dress, make } from "./styles.ts";

const SANDBOX = "allow-scripts allow-forms allow-popups";
/** Names that the SDK before this one gave to its events. */
const OLD_NAMES: Record<string, string> = { ready: "ready", event: "module-event", error: "module-error" };

/** Where module pages come from: the origin of this very script. */
let runtime = "";
export const setRuntime = (origin: string): void => void (runtime = origin);

export class DramacModule extends HTMLElement {
  #options: Options | null = null;
  #link: Link | null = null;
  #panel: Panel | null = null;
  #sessions: Sessions | null = null;
  #box: HTMLElement | null = null;
  #served: HTMLElement | null = null;
  #isTaken = false;
  #beganServed = false;
  #unwatch: (() => void) | null = null;
  #lastLook = "";
  #heightPx = 0; // the last that the page told, 0 before
  #wantsSession = false;
  readonly #changes = new MutationObserver((records) => this.#changed(records));

  connectedCallback(): void {
    this.#changes.observe(this, { attributes: true });
    queueMicrotask(() => this.isConnected && !this.#options && this.#mount()); // frameworks set attributes after inserting
  }

  disconnectedCallback(): void {
    this.#changes.disconnect();
    this.#unmount();
  }

  /** Show the panel of a popup or button; an inline page is always open. */
  open(): void {
    this.#panel?.open();
  }

  close(): void {
    this.#panel?.close();
  }

  toggle(): void {
    if (this.#panel?.isOpen) this.#panel.close();
    else this.#panel?.open();
  }

  get isOpen(): boolean {
    return this.#panel ? this.#panel.isOpen : this.#link !== null;
  }

  get isReady(): boolean {
    return this.#link?.connected ?? false;
  }

  /** Load the page anew, with the attributes as they are now. */
  refresh(): void {
    const open = this.#panel?.isOpen ?? false;
    this.#unmount();
    this.#mount();
    if (open) this.open();
  }

  /** Tell the page's own scripts something; it reaches them as a `dramac:message` event of their document. */
  send(name: string, data: unknown = null): void {
    this.#link?.say({ type: "message", name, data });
  }

  setTheme(theme: Theme): void {
    this.setAttribute("theme", theme);
  }

  /** Change options; the page is loaded anew only when it becomes another one. */
  update(options: Record<string, unknown>): void {
    writeOptions(this, options);
  }

  on(name: string, handler: Handler): () => void {
    return on(this, name, handler);
  }

  off(name: string, handler?: Handler): void {
    off(this, name, handler);
  }

  // what earlier SDKs called these
  sendMessage(name: string, data: unknown = null): void {
    this.send(name, data);
  }

  updateSettings(options: Record<string, unknown>): void {
    this.update(options);
  }

  destroy(): void {
    this.remove();
  }

  #mount(): void {
    if (!this.#read()) return;
    const options = this.#options!;
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    dress(root);
    this.#takeServed(root);
    this.dataset.mode = options.mode;
    this.#unwatch = watchLook(() => this.#sayLook());
    if (this.#isComplete()) return this.#tell("ready", { served: true });
    this.#box = make("div", { className: "box" });
    if (options.mode === "inline") {
      root.append(this.#box);
      this.#load();
    } else {
      this.#panel = new Panel(root, this.#box, options, { opened: () => this.#opened(), closed: () => this.#tell("close") });
      this.#panel.paint(this.#look());
    }
  }

  #read(): boolean {
    try {
      this.#options = readOptions(attributesOf(this));
      return true;
    } catch (error) {
      if (!(error instanceof BadOptions)) throw error;
      this.#tell("error", { code: "bad_options", message: error.message });
      return false;
    }
  }

  /** What the server put here already stays until the frame is ready, or for good. */
  #takeServed(root: ShadowRoot): void {
    if (!this.#isTaken) this.#served = root.querySelector(".served");
    this.#isTaken = true;
    if (this.#served && this.#options!.mode !== "inline") this.#dropServed();
    this.#beganServed = this.#served !== null;
  }

  /** A served page without forms or scripts of its own needs no frame. */
  #isComplete(): boolean {
    if (this.#served?.dataset.complete !== this.#signature()) return false;
    this.#served!.dataset.theme = this.#look().theme;
    return true;
  }

  #signature(): string {
    const { install, page, params, lang } = this.#options!;
    return [install, page, new URLSearchParams(params).toString(), lang].join(" ");
  }

  #opened(): void {
    if (!this.#link) this.#load();
    this.#tell("open");
  }

  #load(): void {
    const options = this.#options!;
    const look = this.#look();
    const frame = make("iframe", { referrerPolicy: "strict-origin", allow: "" });
    frame.setAttribute("sandbox", SANDBOX);
    this.#label(frame);
    frame.style.height = `${this.#served?.offsetHeight || options.heightPx}px`;
    frame.style.colorScheme = schemeOf(look.theme);
    this.#link = new Link(frame, "null", {
      connected: (first) => this.#connected(first),
      said: (message) => this.#said(message),
      silent: (code, message) => this.#failed(code, message),
    });
    const address = addressOf(options, runtime, look.theme);
    this.#link.open(address);
    const link = make("a", { href: address, target: "_blank", rel: "noopener", textContent: options.title });
    this.#box!.append(make("div", { className: "fallback" }, make("slot", {}, link)), frame);
    if (options.token) this.#sessions = this.#keepSession(options);
  }

  #label(frame: HTMLIFrameElement): void {
    const { title, eager, mode } = this.#options!;
    Object.assign(frame, { title, loading: eager || mode !== "inline" ? "eager" : "lazy" });
  }

  #keepSession(options: Options): Sessions {
    return new Sessions(
      () => askSession(runtime, options.install, options.token),
      (token) => this.#link?.say({ type: "session", token }),
      (error) => this.#failed("no_session", error.message),
    );
  }

  /** The page inside is a closed one and asks for a session. */
  #handSession(refused: boolean): void {
    const { session } = this.#options!;
    this.#wantsSession = true;
    if (this.#sessions) void this.#sessions.hand(refused);
    else if (session && !refused) this.#link?.say({ type: "session", token: session });
    else this.#failed("no_session", "This page opens only with an embed token: give the element a token attribute.");
  }

  #connected(first: boolean): void {
    const look = this.#look();
    this.#lastLook = JSON.stringify(look);
    this.#link!.say({ type: "welcome", ...look, fit: this.#fits() });
    this.#box!.classList.remove("failed");
    if (first) this.#tell("ready", {});
  }

  #said(message: FromChild): void {
    if (message.type === "height") return this.#fit(message.height);
    if (message.type === "event") return this.#tell("event", { name: message.name, data: message.data });
    if (message.type === "session") return this.#handSession(message.refused);
    this.#tell("navigate", { page: message.page });
    if (!message.sent) return;
    this.#tell("submitted", { page: message.page });
    if (this.#box!.getBoundingClientRect().top < 0) this.scrollIntoView({ block: "start" }); // the answer is shorter than the form was
  }

  /** Whether the page gets the height it wants, and so needs no scroll bar. */
  #fits(): boolean {
    return this.#options!.maxHeightPx >= 10_000 || this.#options!.mode !== "inline";
  }

  #fit(given: number): void {
    this.#heightPx = given;
    const height = Math.min(given, this.#options!.maxHeightPx);
    const frame = this.#link!.frame;
    if (frame.style.height !== `${height}px`) frame.style.height = `${height}px`;
    if (!this.#box!.classList.contains("ready")) this.#reveal();
    this.#tell("resize", { height });
  }

  #reveal(): void {
    this.#box!.classList.add("ready");
    this.#dropServed();
  }

  #dropServed(): void {
    this.#served?.remove();
    this.#served = null;
  }

  /** A frame that takes the place of served HTML has its font too, or every line would move. */
  #look(): Look {
    const look = lookOf(this, this.#options!.theme);
    return this.#beganServed ? { ...look, tokens: { font: "system-ui, sans-serif", ...look.tokens } } : look;
  }

  #failed(code: string, message: string): void {
    if (!this.#served) this.#box?.classList.add("failed");
    this.#tell("error", { code, message });
  }

  #sayLook(): void {
    if (!this.#options) return;
    const look = this.#look();
    this.#panel?.paint(look);
    if (this.#served && !this.#link) this.#served.dataset.theme = look.theme;
    if (!this.#link || JSON.stringify(look) === this.#lastLook) return;
    this.#lastLook = JSON.stringify(look);
    this.#link.frame.style.colorScheme = schemeOf(look.theme);
    this.#link.say({ type: "look", ...look });
  }

  #changed(records: MutationRecord[]): void {
    if (!records.some((record) => isOwn(record.attributeName!))) return this.#sayLook(); // the host's, such as class and style
    const before = this.#options;
    if (!before) return this.refresh();
    const unchanged = placeOf(before);
    if (!this.#read()) return this.#unmount();
    if (placeOf(this.#options!) !== unchanged) return this.refresh();
    this.#adopt(before);
  }

  /** Options that changed while the page stays where it is: whoever is writing in it goes on. */
  #adopt(before: Options): void {
    const options = this.#options!;
    this.#panel?.adopt(options);
    if (this.#link) {
      this.#label(this.#link.frame);
      if (options.maxHeightPx !== before.maxHeightPx) this.#link.say({ type: "fit", fit: this.#fits() });
      if (this.#heightPx) this.#fit(this.#heightPx);
      else this.#link.frame.style.height = `${options.heightPx}px`;
      if (options.token + options.session !== before.token + before.session) this.#changeSession();
    }
    this.#sayLook();
  }

  #changeSession(): void {
    this.#sessions?.stop();
    this.#sessions = this.#options!.token ? this.#keepSession(this.#options!) : null;
    if (this.#wantsSession) this.#handSession(false);
  }

  #unmount(): void {
    this.#unwatch?.();
    this.#sessions?.stop();
    this.#link?.close();
    this.#panel?.remove();
    this.#box?.remove();
    this.#unwatch = this.#sessions = this.#link = this.#panel = this.#box = this.#options = null;
    this.#heightPx = 0;
    this.#wantsSession = false;
  }

  #tell(name: string, detail: Record<string, unknown> = {}): void {
    this.dispatchEvent(new CustomEvent(`dramac:${name}`, { detail, bubbles: true, composed: true }));
    const old = OLD_NAMES[name];
    if (old) this.dispatchEvent(new CustomEvent(old, { detail }));
  }
}
