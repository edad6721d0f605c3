// Delegation: one listener on the document for each kind of behaviour, so that swapped-in parts need no set-up.

/** Calls fn(element, event) for events inside elements that match. */
export function on(type, selector, fn, options) {
  document.addEventListener(
    type,
    (event) => {
      const found = event.target instanceof Element ? event.target.closest(selector) : null;
      if (found) fn(found, event);
    },
    options,
  );
}

/** Calls fn(element) for every match now, and again for what htmx swaps in. */
export function each(selector, fn) {
  const run = (root) => {
    if (root instanceof Element && root.matches(selector)) fn(root);
    root.querySelectorAll(selector).forEach(fn);
  };
  run(document);
  document.addEventListener("htmx:after:process", (event) => run(event.target instanceof Element ? event.target : document));
}

/** Gives the keyboard to a part of an answer if what had it is gone. Who has gone on elsewhere is not called back. */
export function refocus(element) {
  if (document.activeElement === document.body) element?.focus({ preventScroll: true });
}

/** Whether keys pressed here are text. */
export function isTyping(element) {
  return element instanceof HTMLElement && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName)) && !/^(checkbox|radio|button|submit)$/.test(element.type ?? "");
}

export const csrfToken = () => document.querySelector("meta[name=csrf-token]")?.content ?? "";
