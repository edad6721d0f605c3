// Toasts: cloned from a template in the page, so no HTML is made here and no words live here. A polite live region reads
// them out; they leave after 6 s unless pointed at or focused; errors stay.
import { each, on } from "./dom.js";

const SHOWN_MS = 6000;
const list = () => document.getElementById("toasts");

/** detail: {level: success|info|warning|error, title, text, undo: address or null} */
export function toast({ level = "info", title, text = "", undo = null }) {
  const item = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
  item.dataset.level = level;
  item.querySelector(".toast-title").textContent = title;
  const note = item.querySelector(".toast-note");
  note.textContent = text;
  note.hidden = !text;
  const form = item.querySelector("form");
  form.hidden = !undo;
  if (undo) form.action = undo;
  list().append(item);
  arm(item);
}

function arm(item) {
  if (item.dataset.armed) return;
  item.dataset.armed = "";
  if (item.dataset.level === "error") return;
  let timer;
  const start = () => (timer = setTimeout(() => leave(item), SHOWN_MS));
  const stop = () => clearTimeout(timer);
  for (const type of ["pointerenter", "focusin"]) item.addEventListener(type, stop);
  for (const type of ["pointerleave", "focusout"]) item.addEventListener(type, start);
  start();
}

function leave(item) {
  item.dataset.leaving = "";
  setTimeout(() => item.remove(), 160);
}

each("#toasts > .toast", arm); // those that came with the page
on("click", "[data-toast-close]", (button) => leave(button.closest(".toast")));
document.addEventListener("toasts", (event) => event.detail.items.forEach(toast)); // HX-Trigger
