// Inboxes: the chosen row is marked, keys go through the list and show each record they come to, Enter goes into the record
// and Escape back to its row. Every row is a link that works without this.
import { each, on } from "./dom.js";

const rowLinks = () => [...document.querySelectorAll("[data-inbox] [data-row-link]")];
const chosen = () => document.querySelector("[data-inbox] [data-row-link][aria-current]");
const name = () => document.getElementById("inbox-name");
const beside = () => document.getElementById("inbox-record")?.checkVisibility(); // on a phone the list is alone
let entering = false; // whether the record that comes is to get the focus
let walking = false; // whether a row is opened because a key came to it

// in the list alone: the page stays where it is
function reveal(row) {
  const list = document.getElementById("inbox-list");
  const [frame, box] = [list.getBoundingClientRect(), row.getBoundingClientRect()];
  if (box.top < frame.top) list.scrollTop += box.top - frame.top;
  else if (box.bottom > frame.bottom) list.scrollTop += box.bottom - frame.bottom;
}

each("[data-chosen]", (record) => {
  for (const link of rowLinks()) {
    const row = link.closest("[data-row]");
    if (row.dataset.of === record.dataset.chosen) {
      link.setAttribute("aria-current", "true");
      reveal(row);
    } else link.removeAttribute("aria-current");
  }
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.target?.id !== "inbox-record") return;
  ctx.target.closest("[data-inbox]").setAttribute("data-opened", "");
  if (ctx.target.getBoundingClientRect().top < 0) ctx.target.scrollIntoView();
  if (entering) name()?.focus({ preventScroll: true });
  entering = false;
});

on("click", "[data-inbox] [data-row-link]", (link, event) => {
  entering = event.detail === 0 && !walking; // Enter, not the mouse
  if (!entering || link !== chosen() || !beside()) return;
  event.preventDefault(); // it is there already
  event.stopPropagation();
  name()?.focus();
}, { capture: true });

on("row:reached", "[data-inbox] [data-row-link]", (link) => {
  if (!beside()) return;
  walking = true;
  link.click();
  walking = false;
});

on("keydown", "[data-inbox] [data-row-link]", (link, event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  event.preventDefault();
  const links = rowLinks();
  const next = links[links.indexOf(link) + step];
  next?.focus();
  next?.dispatchEvent(new CustomEvent("row:reached", { bubbles: true }));
});

on("keydown", "#inbox-record", (_, event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector(":popover-open, dialog[open]")) return;
  chosen()?.focus();
});
