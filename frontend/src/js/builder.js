// The visual editors of module.yaml: rows that send themselves, order by drag and by keys, rows of choices that grow.
import { each, on } from "./dom.js";
import { drag } from "./drag.js";

// A row's controls belong to a form in its last cell, so their events do not bubble through it.
on("change", "[data-send]", (control) => control.form.requestSubmit());

// -- order: drag a row by its grip, or Alt and an arrow anywhere in it; the arrows beside the grip need no script
drag("[data-grip]", {
  take: (grip) => grip.closest("[data-key]"),
  begin: (row) => row.parentElement.querySelectorAll(".builder-open").forEach((open) => (open.hidden = true)),
  over(row, event) {
    const over = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-key]");
    if (!over || over === row || over.parentElement !== row.parentElement) return;
    const { top, height } = over.getBoundingClientRect();
    if (event.clientY < top + height / 2) over.before(row);
    else over.after(row);
  },
  drop: (row) => send(row, [...row.parentElement.querySelectorAll(":scope > [data-key]")].indexOf(row)),
});

function send(row, to) {
  const form = document.getElementById(row.parentElement.dataset.sortable);
  if (!form) return;
  form.querySelector("[data-item]").value = row.dataset.key;
  form.elements.to.value = to;
  form.requestSubmit();
}

addEventListener("keydown", (event) => {
  if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
  const row = event.target.closest?.("[data-sortable] > [data-key]");
  if (!row) return;
  event.preventDefault();
  const rows = [...row.parentElement.querySelectorAll(":scope > [data-key]")];
  const to = rows.indexOf(row) + (event.key === "ArrowUp" ? -1 : 1);
  if (to >= 0 && to < rows.length) send(row, to);
});

// -- rows of choices: one more when the last is used, up and down
on("change", "[data-rows]", (rows) => {
  const last = rows.lastElementChild;
  if (![...last.querySelectorAll("select, input")].some((control) => control.value && !control.name.endsWith(".op") && !control.name.endsWith(".way"))) return;
  const more = last.cloneNode(true);
  more.querySelectorAll("input").forEach((input) => (input.value = ""));
  more.querySelectorAll("select").forEach((select) => (select.selectedIndex = 0));
  more.querySelectorAll("[id]").forEach((control) => control.removeAttribute("id"));
  rows.append(more);
});
on("click", "[data-row-up]", (button) => step(button, (row) => row.previousElementSibling?.before(row)));
on("click", "[data-row-down]", (button) => step(button, (row) => row.nextElementSibling?.after(row)));

function step(button, go) {
  go(button.closest("[data-row]"));
  button.focus();
}

// a colour shows itself
on("change", "[data-swatch]", (select) => (select.dataset.swatch = select.value));

// what was opened is what the person goes on with
each(".builder-open", (row) => {
  if (row.dataset.met) return;
  row.dataset.met = "";
  if (document.activeElement === document.body) row.querySelector("[aria-invalid=true], textarea, .builder-keys .input, .builder-keys .select")?.focus({ preventScroll: true });
});

// what was added is not to be added again: the morph keeps what was typed, so its form begins anew
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const source = ctx.sourceElement?.id ?? "";
  if ((ctx.response?.status ?? 200) >= 400) return;
  const form = document.getElementById(source);
  if (form instanceof HTMLFormElement && /^add-|-new$/.test(source)) form.reset();
});
