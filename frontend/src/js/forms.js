// Forms: unsaved changes (data-dirty), filters that send themselves (data-autosubmit), secrets shown, colours named.
import { each, on } from "./dom.js";

const stateOf = (form) => new URLSearchParams([...new FormData(form)].map(([key, value]) => [key, value instanceof File ? value.name : value])).toString();
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
on("submit", "form[data-dirty]", (form) => {
  clean.set(form, stateOf(form));
  mark(form);
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
