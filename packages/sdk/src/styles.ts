// Style sheets are constructed, never parsed from the host's document: a host's style-src has no say over them.

const TEXT = `
:host { display: block; position: relative; }
:host([hidden]) { display: none; }
:host([data-mode="button"]) { display: contents; }
.box { position: relative; }
iframe { display: block; width: 100%; border: 0; opacity: 0; }
.ready > iframe { opacity: 1; }
.served { position: relative; }
.served + .box { position: absolute; inset: 0 0 auto; }
.served ~ .box.ready { position: relative; }
.failed > iframe { display: none; }
.fallback { display: none; font: 16px/1.5 system-ui, sans-serif; }
.failed > .fallback { display: block; }
.trigger { font: 600 15px/1.2 system-ui, sans-serif; min-height: 44px; padding: 0 20px; border: 0; border-radius: 10px;
  background: var(--dramac-accent, #3b46c8); color: var(--dramac-on-accent, var(--on, #fff)); cursor: pointer; }
.corner { position: fixed; z-index: 2147483000; border-radius: 999px; box-shadow: 0 8px 24px -8px rgb(20 20 40 / .45); }
.bottom-right { right: 20px; bottom: 20px; } .bottom-left { left: 20px; bottom: 20px; }
.top-right { right: 20px; top: 20px; } .top-left { left: 20px; top: 20px; }
:is(.trigger, .close):focus-visible { outline: 3px solid currentColor; outline-offset: 2px; box-shadow: 0 0 0 3px #fff; }
dialog { box-sizing: border-box; padding: 0; border: 1px solid rgb(127 127 140 / .35); border-radius: 16px; overflow: hidden auto;
  max-width: calc(100vw - 24px); max-height: calc(100dvh - 24px); background: var(--dramac-page, Canvas); color: var(--dramac-text, CanvasText);
  box-shadow: 0 24px 64px -24px rgb(20 20 40 / .5); }
dialog::backdrop { background: rgb(16 17 24 / .5); }
dialog.panel { position: fixed; margin: 0; inset: auto; z-index: 2147483000; max-height: calc(100dvh - 108px); }
.panel.bottom-right { right: 20px; bottom: 80px; } .panel.bottom-left { left: 20px; bottom: 80px; }
.panel.top-right { right: 20px; top: 80px; } .panel.top-left { left: 20px; top: 80px; }
dialog > .box { padding: 0 20px 20px; }
.bar { position: sticky; top: 0; z-index: 1; display: flex; align-items: center; justify-content: space-between; gap: 12px; padding: 6px 8px 6px 20px;
  font: 600 15px/1.3 system-ui, sans-serif; background: inherit; }
.close { width: 44px; height: 44px; border: 0; border-radius: 10px; background: none; color: inherit; font: 24px/1 system-ui, sans-serif; cursor: pointer; }
@media (max-width: 480px) {
  dialog.panel { inset: auto 8px 8px !important; width: auto !important; max-width: none; max-height: calc(100dvh - 16px); }
}
`;

let sheet: CSSStyleSheet | undefined;

/** Give a shadow root the SDK's own styles, after those it may have brought along. */
export function dress(root: ShadowRoot): void {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(TEXT);
  }
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
}

/** An element with properties, without a line of HTML text: hosts may demand trusted types. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}
