// A page behind a button: a modal dialog in the middle, or a panel in a corner of the window.
import { readableOn } from "./color.ts";
import { schemeOf, type Look } from "./look.ts";
import type { Options } from "./options.ts";
import { make } from "./styles.ts";

export interface PanelListener {
  opened(): void;
  closed(): void;
}

/** The dialog and the button that opens it; with options.trigger the host's own elements do, and the button is hidden. */
export class Panel {
  readonly dialog: HTMLDialogElement;
  readonly trigger = make("button", { type: "button" });
  readonly #title = make("span", { id: "title" });
  readonly #close = make("button", { className: "close", type: "button", textContent: "×" });
  readonly #modal: boolean;
  readonly #stop = new AbortController();

  constructor(
    readonly root: ShadowRoot,
    box: HTMLElement,
    public options: Options,
    readonly listener: PanelListener,
  ) {
    this.#modal = options.mode === "popup";
    this.dialog = make("dialog", { id: "panel" }, make("div", { className: "bar" }, this.#title, this.#close), box);
    this.dialog.setAttribute("aria-labelledby", "title");
    this.trigger.setAttribute("aria-haspopup", "dialog");
    root.append(this.trigger, this.dialog);
    this.adopt(options);
    this.#listen();
  }

  /** Words, place and size, at the start and when they change. */
  adopt(options: Options): void {
    this.options = options;
    const { dialog, trigger } = this;
    dialog.className = this.#modal ? "" : `panel ${options.position}`;
    dialog.style.width = `${options.widthPx}px`;
    trigger.className = this.#modal ? "trigger" : `trigger corner ${options.position}`;
    trigger.textContent = options.label;
    trigger.hidden = options.trigger !== "";
    this.#title.textContent = options.title;
    this.#close.setAttribute("aria-label", options.closeLabel);
  }

  /** The dialog in the scheme of the page inside, the button's words readable on its colour. */
  paint(look: Look): void {
    this.dialog.style.colorScheme = schemeOf(look.theme);
    const { style } = this.trigger;
    const { accent } = this.options;
    style.background = accent;
    style.color = readableOn(accent, this.root);
    style.setProperty("--on", look.tokens.accent ? readableOn(look.tokens.accent, this.root) : "");
  }

  get isOpen(): boolean {
    return this.dialog.open;
  }

  open(): void {
    if (this.dialog.open) return;
    this.listener.opened(); // the frame is made before it is shown
    if (this.#modal) this.dialog.showModal();
    else this.dialog.show();
    this.#expanded(true);
  }

  close(): void {
    this.dialog.close();
  }

  remove(): void {
    this.#stop.abort();
    this.trigger.remove();
    this.dialog.remove();
  }

  #listen(): void {
    const { signal } = this.#stop;
    const toggle = (): void => (this.isOpen ? this.close() : this.open());
    this.#close.addEventListener("click", () => this.close(), { signal });
    this.trigger.addEventListener("click", toggle, { signal });
    this.dialog.addEventListener("close", () => this.#closed(), { signal });
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.#modal && this.close(), { signal });
    this.dialog.addEventListener("keydown", (event) => event.key === "Escape" && !this.#modal && this.close(), { signal });
    // on the document, so that triggers that come later work too
    document.addEventListener("click", (event) => this.#clicked(event, toggle), { signal });
    this.#expanded(false);
  }

  #clicked(event: Event, toggle: () => void): void {
    const target = event.composedPath()[0];
    if (!this.options.trigger || !(target instanceof Element) || !target.closest(this.options.trigger)) return;
    event.preventDefault();
    toggle();
  }

  #closed(): void {
    this.#expanded(false);
    if (!this.#modal) this.trigger.focus(); // a modal dialog gives the focus back by itself
    this.listener.closed();
  }

  #expanded(open: boolean): void {
    this.trigger.setAttribute("aria-expanded", String(open));
  }
}
