// ⌘K: filters the places in the page as one types; htmx adds what the server finds. Focus stays in the input, the chosen
// line is told by aria-activedescendant.
import { on } from "./dom.js";

const dialog = () => document.getElementById("palette");
const options = () => [...dialog().querySelectorAll("[role=option]:not([hidden])")];

export function openPalette() {
  const box = dialog();
  if (!box) return;
  if (!box.open) box.showModal();
  const input = box.querySelector("[data-palette-input]");
  input.select();
  filter(input);
}

function filter(input) {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  dialog().querySelectorAll("[role=group]:not([data-palette-found])").forEach((group) => {
    let any = false;
    group.querySelectorAll("[role=option]").forEach((option) => {
      const text = option.textContent.toLowerCase();
      option.hidden = !words.every((word) => text.includes(word));
      any ||= !option.hidden;
    });
    group.hidden = !any;
  });
  choose(options()[0]);
}

function choose(option) {
  const box = dialog();
  box.querySelectorAll("[aria-selected=true]").forEach((other) => other.setAttribute("aria-selected", "false"));
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  const input = box.querySelector("[data-palette-input]");
  if (option) input.setAttribute("aria-activedescendant", option.id);
  else input.removeAttribute("aria-activedescendant");
  box.querySelector("[data-palette-none]").hidden = Boolean(option);
}

on("input", "[data-palette-input]", filter);
on("keydown", "[data-palette-input]", (input, event) => {
  const all = options();
  const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    choose(all.at((at + (event.key === "ArrowDown" ? 1 : -1)) % all.length));
  } else if (event.key === "Enter") {
    event.preventDefault();
    all[at]?.click();
  }
});
on("pointermove", ".palette [role=option]", (option) => {
  if (option.getAttribute("aria-selected") !== "true") choose(option);
});
on("click", '[data-open="palette"]', () => setTimeout(openPalette));
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.target?.matches?.("[data-palette-found]")) choose(options()[0]);
});
