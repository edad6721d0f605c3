// Forms: unsaved changes (data-dirty), filters that send themselves (data-autosubmit), secrets shown, colours named.
import { each, on } from "./dom.js";

// data-dirty="base": that control is the page's own, not what somebody typed
const typedIn = (form) => [...new FormData(form)].filter(([key]) => key !== form.dataset.dirty);
const stateOf = (form) => new URLSearchParams(typedIn(form).map(([key, value]) => [key, value instanceof File ? value.name : value])).toString();
const clean = new WeakMap();
const dirtyForms = () => [...document.querySelectorAll("form[data-dirty]")].filter((form) => clean.has(form) && stateOf(form) !== clean.get(form));

function mark(form) {
  form.toggleAttribute("data-changed", stateOf(form) !== clean.get(form));
}

each("form[data-dirty]", (form) => {
  if (clean.has(form)) return;
  // after the conditions have hidden what they hide; a form that came back with errors is unsaved already
  queueMicrotask(() => {
    clean.set(form, form.querySelector("[aria-invalid=true]") ? "" : stateOf(form));
    mark(form);
  });
});
on("input", "form[data-dirty]", mark);
on("change", "form[data-dirty]", mark);
on("reset", "form[data-dirty]", (form) => setTimeout(() => mark(form)));
on("submit", "form[data-dirty]", (form) => keep(form, stateOf(form)), { capture: true }); // before htmx sends it

/** What a form held when it was sent is not unsaved any more. */
function keep(form, state) {
  clean.set(form, state);
  mark(form);
}

// what htmx sends may be refused or get lost on the way: then it is unsaved still
const sent = new WeakMap();
document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement?.matches?.("form[data-dirty]")) sent.set(ctx, clean.get(ctx.sourceElement));
});
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  const form = ctx.sourceElement;
  if (sent.has(ctx) && form.isConnected && !(ctx.response?.status < 400) && clean.get(form) === sent.get(ctx)) keep(form, "");
});
addEventListener("beforeunload", (event) => {
  if (dirtyForms().length) event.preventDefault();
});

let typing;
on("input", "form[data-autosubmit] input[type=search]", (input) => {
  clearTimeout(typing);
  typing = setTimeout(() => input.form.requestSubmit(), 250);
});
on("change", "form[data-autosubmit]", (form, event) => {
  if (event.target.type === "search") return;
  countFacet(event.target);
  form.requestSubmit();
});

function countFacet(control) {
  const facet = control.closest(".facet");
  if (!facet) return;
  const chosen = [...facet.querySelectorAll("input:checked")].filter((input) => input.value !== "").length;
  const count = facet.querySelector("[data-facet-count]");
  count.textContent = chosen;
  count.hidden = chosen === 0;
  facet.querySelector("summary").dataset.on = String(chosen > 0);
}

on("click", "[data-reveal]", (button) => {
  const input = document.getElementById(button.dataset.reveal);
  const shown = input.type === "password";
  input.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
});

on("input", "input[type=color]", (input) => {
  const output = input.parentElement.querySelector("output");
  if (output) output.value = input.value;
});
