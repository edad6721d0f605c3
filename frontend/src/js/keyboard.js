// Keys: ⌘/Ctrl K palette, / search, ? this list, g then a letter, j k x Enter in lists. The single ones can be switched
// off (WCAG 2.1.4): people who dictate would press them with every word.
import { each, isTyping, on } from "./dom.js";
import { openPalette } from "./palette.js";

const KEY = "dramac-shortcuts";
const CHORD_MS = 900;
const enabled = () => localStorage.getItem(KEY) !== "off";
let chord = 0;

document.addEventListener("keydown", (event) => {
  if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target) || !enabled() || document.querySelector("dialog[open]")) return;
  if (single(event.key)) event.preventDefault();
});

function single(key) {
  if (chord && Date.now() - chord < CHORD_MS) {
    chord = 0;
    const link = document.querySelector(`[data-go="${CSS.escape(key.toLowerCase())}"]`);
    link?.click();
    return Boolean(link);
  }
  if (key === "g") chord = Date.now();
  else if (key === "/") return focus(document.querySelector("[data-primary-search]"));
  else if (key === "?") return show(document.getElementById("shortcuts"));
  else if (key === "j" || key === "k") return move(key === "j" ? 1 : -1);
  else if (key === "x") return pick();
  return false;
}

function focus(element) {
  element?.focus();
  element?.select?.();
  return Boolean(element);
}

function show(dialog) {
  dialog?.showModal();
  return Boolean(dialog);
}

const rowLinks = () => [...document.querySelectorAll("[data-list] [data-row-link]")];

function move(step) {
  const links = rowLinks();
  const row = document.activeElement.closest?.("tr, [data-row]") ?? document.querySelector("[data-row]:has([aria-current])");
  const at = links.findIndex((link) => row?.contains(link));
  const next = links[at < 0 && step < 0 ? links.length - 1 : Math.max(0, Math.min(links.length - 1, at + step))];
  const moved = focus(next);
  next?.dispatchEvent(new CustomEvent("row:reached", { bubbles: true }));
  return moved;
}

function pick() {
  const box = document.activeElement.closest?.("tr")?.querySelector("[data-select]");
  box?.click();
  return Boolean(box);
}

each("[data-shortcuts-switch]", (box) => (box.checked = enabled()));
on("change", "[data-shortcuts-switch]", (box) => localStorage.setItem(KEY, box.checked ? "on" : "off"));
if (!/mac|iphone|ipad/i.test(navigator.platform)) each("[data-mod-key]", (kbd) => (kbd.textContent = `Ctrl ${kbd.dataset.modKey}`));
