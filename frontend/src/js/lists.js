// Tables: rows are selected with boxes, a bar says how many and what can be done with them; Shift selects a range.
import { each, on } from "./dom.js";

const boxesOf = (form) => [...form.elements].filter((control) => control.matches?.("[data-select]"));
let last = null;

function refresh(form) {
  const boxes = boxesOf(form);
  const chosen = boxes.filter((box) => box.checked).length;
  form.toggleAttribute("data-active", chosen > 0);
  form.querySelector("[data-count]").textContent = chosen;
  const many = form.querySelector("[data-many]");
  if (many) many.hidden = chosen === 1;
  boxes.forEach((box) => box.closest("tr")?.toggleAttribute("data-selected", box.checked));
  const all = document.querySelector("[data-select-all]");
  if (all) {
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  }
}

on("click", "[data-select]", (box, event) => {
  const boxes = boxesOf(box.form);
  if (event.shiftKey && last && boxes.includes(last)) {
    const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
    boxes.slice(from, to + 1).forEach((other) => (other.checked = box.checked));
  }
  last = box;
});
on("change", "[data-select]", (box) => box.form && refresh(box.form));
on("change", "[data-select-all]", (all) => {
  const form = all.closest("table").querySelector("[data-select]")?.form;
  if (!form) return;
  boxesOf(form).forEach((box) => (box.checked = all.checked));
  refresh(form);
});
on("reset", "[data-bulk-bar]", (form) => setTimeout(() => refresh(form)));
each("[data-bulk-bar]", refresh);
document.addEventListener("htmx:after:swap", () => document.querySelectorAll("[data-bulk-bar]").forEach(refresh));
