// A page behind a button: a modal dialog in the middle, or a panel in a corner of the window.
import type { Options } from "./options.ts";
import { make } from "./styles.ts";

export interface PanelListener {
  opened(): void;
  closed(): void;
}

/** The dialog and the button that opens it; with options.trigger the host's own elements do. */
export class Panel {
  readonly dialog: HTMLDialogElement;
  readonly trigger: HTMLButtonElement | null;
  readonly #modal: boolean;
  readonly #stop = new AbortController();

  constructor(
    root: ShadowRoot,
    box: HTMLElement,
    readonly options: Options,
    readonly listener: PanelListener,
  ) {
    this.#modal = options.mode === "popup";
    const close = make("button", { className: "close", type: "button", textContent: "×" });
    close.setAttribute("aria-label", options.closeLabel);
    const title = make("span", { id: "title", textContent: options.title });
    this.dialog = make("dialog", { id: "panel", className: this.#modal ? "" : `panel ${options.position}` }, make("div", { className: "bar" }, title, close), box);
    this.dialog.setAttribute("aria-labelledby", "title");
    this.dialog.style.width = `${options.widthPx}px`;
    this.trigger = options.trigger ? null : this.#button();
    if (this.trigger) root.append(this.trigger);
    root.append(this.dialog);
    this.#listen(close);
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
    this.trigger?.remove();
    this.dialog.remove();
  }

  #button(): HTMLButtonElement {
    const shape = this.#modal ? "trigger" : `trigger corner ${this.options.position}`;
    const button = make("button", { className: shape, type: "button", textContent: this.options.label });
    if (this.options.accent) button.style.background = this.options.accent;
    button.setAttribute("aria-haspopup", "dialog");
    return button;
  }

  #listen(close: HTMLButtonElement): void {
    const { signal } = this.#stop;
    const toggle = (): void => (this.isOpen ? this.close() : this.open());
    close.addEventListener("click", () => this.close(), { signal });
    this.trigger?.addEventListener("click", toggle, { signal });
    this.dialog.addEventListener("close", () => this.#closed(), { signal });
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.#modal && this.close(), { signal });
    this.dialog.addEventListener("keydown", (event) => event.key === "Escape" && !this.#modal && this.close(), { signal });
    if (this.options.trigger) {
      // on the document, so that triggers that come later work too
      document.addEventListener("click", (event) => this.#clicked(event, toggle), { signal });
    }
    this.#expanded(false);
  }

  #clicked(event: Event, toggle: () => void): void {
    const target = event.composedPath()[0];
    if (!(target instanceof Element) || !target.closest(this.options.trigger)) return;
    event.preventDefault();
    toggle();
  }

  #closed(): void {
    this.#expanded(false);
    if (!this.#modal) this.trigger?.focus(); // a modal dialog gives the focus back by itself
    this.listener.closed();
  }

  #expanded(open: boolean): void {
    this.trigger?.setAttribute("aria-expanded", String(open));
  }
}
