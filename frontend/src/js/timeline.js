// Timelines: a bar is moved, or one of its ends, by mouse; by keyboard both dates are written in a dialog. Both send the dates
// as the clock on the wall says them. The answer is the whole timeline.
import { each, on, refocus } from "./dom.js";
import { drag } from "./drag.js";
import "./scrolls.js";
import { read, shifted } from "./wall.js";

const DAY_MIN = 1440;
const EDGE_PX = 40; // of the region, where dragging scrolls it
let held = null; // the bar, the end that is held, where it was
let tip = null; // says the dates while dragging
let focused = ""; // id of what gets the keyboard when the answer is there

const form = () => document.getElementById("move");
const region = () => document.querySelector("[data-timeline]");

function fill(to, row, at, end) {
  to.elements.card.value = row.dataset.row;
  to.elements.version.value = row.dataset.version;
  to.elements.at.value = at;
  if (to.elements.to) to.elements.to.value = end;
  focused = `title-${row.dataset.row}`;
}

// -- by a dialog
on("click", ".tl-dates", (button) => {
  const dialog = document.getElementById("tl-to");
  const row = button.closest("[data-row]");
  const to = dialog.querySelector("form[data-timeline-move]");
  fill(to, row, row.dataset.at, row.dataset.to);
  focused = button.id;
  dialog.querySelector(".tl-what").textContent = row.querySelector(".tl-title").textContent;
  dialog.showModal();
  to.elements.at.focus();
});
on("submit", "dialog [data-timeline-move]", (to) => to.closest("dialog").close());

// -- by mouse; fingers scroll
const step = () => ("timed" in region().dataset && region().dataset.scale === "week" ? 60 : DAY_MIN);

function dates() {
  const { row, edge, by } = held;
  const { at, to } = row.dataset;
  const shift = (text) => text && shifted(text, by);
  let [start, end] = [edge === "to" ? at : shift(at), edge === "at" ? to : shift(to)];
  if (end && end < start) [start, end] = edge === "to" ? [start, start] : [end, end];
  return [start, end];
}

// as the server writes them: the day before the month
function shown(text) {
  const [day, { locale }] = [new Date(read(text)), region().dataset];
  const words = `${day.getUTCDate()} ${day.toLocaleString(locale, { timeZone: "UTC", month: "short" })}`;
  return text.length > 10 ? `${words}, ${day.toLocaleTimeString(locale, { timeZone: "UTC", timeStyle: "short" })}` : words;
}

function redraw() {
  const { bar, shape, x, width, edge, by } = held;
  const moved = (by / DAY_MIN / region().dataset.days) * 100;
  const least = (step() / DAY_MIN / region().dataset.days) * 100;
  const left = edge === "to" ? x : edge === "at" ? Math.min(x + moved, x + width - least) : x + moved;
  shape.setAttribute("x", `${left}%`);
  if (shape.hasAttribute("width")) shape.setAttribute("width", `${Math.max(edge === "at" ? x + width - left : edge === "to" ? width + moved : width, least)}%`);
  bar.querySelector(".tl-name")?.setAttribute("visibility", by ? "hidden" : "visible");
  const [start, end] = dates();
  tip.textContent = end && end !== start ? `${shown(start)} – ${shown(end)}` : shown(start);
}

drag("[data-movable] [data-bar]", {
  take(bar, event) {
    if (!form() || event.pointerType === "touch") return null;
    const shape = bar.querySelector(".tl-shape");
    held = {
      bar, shape, row: bar.closest("[data-row]"), edge: event.target.closest("[data-edge]")?.dataset.edge ?? "", by: 0,
      from: event.clientX + region().scrollLeft, wide: bar.closest(".tl-track").getBoundingClientRect().width,
      x: parseFloat(shape.getAttribute("x")), width: parseFloat(shape.getAttribute("width") ?? 0),
    };
    return bar;
  },
  begin() {
    tip = document.createElement("div");
    tip.className = "tl-tip";
    tip.setAttribute("aria-hidden", "true");
    document.body.append(tip);
  },
  over(_, event) {
    const box = region();
    const { left, right } = box.getBoundingClientRect();
    if (event.clientX < left + EDGE_PX) box.scrollLeft -= 12;
    else if (event.clientX > right - EDGE_PX) box.scrollLeft += 12;
    const minutes = ((event.clientX + box.scrollLeft - held.from) / held.wide) * box.dataset.days * DAY_MIN;
    held.by = Math.round(minutes / step()) * step();
    redraw();
    tip.style.transform = `translate(${event.clientX + 12}px, ${event.clientY - 36}px)`;
  },
  drop() {
    const [start, end] = dates();
    const { row, by } = held;
    if (!by || (start === row.dataset.at && end === row.dataset.to)) return back();
    fill(form(), row, start, end);
    form().requestSubmit();
  },
  end() {
    tip?.remove();
    tip = null;
  },
});

function back() {
  if (!held) return;
  held.by = 0;
  held.shape.setAttribute("x", `${held.x}%`);
  if (held.shape.hasAttribute("width")) held.shape.setAttribute("width", `${held.width}%`);
  held.bar.querySelector(".tl-name")?.setAttribute("visibility", "visible");
  held = null;
}
addEventListener("keydown", (event) => event.key === "Escape" && back());
addEventListener("pointercancel", back);
on("click", "[data-bar]", (bar) => bar.closest("[data-row]").querySelector(".tl-title").click()); // a drag swallows its click

// -- the answer: without a timeline the bar goes back; with one the keyboard stays at the record
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement?.matches?.("[data-timeline-move]")) back();
});
on("click", ".tl-tools a, .tl-undated a", (link) => (focused = link.id));
each("[data-timeline], .tl-undated", () => {
  const element = focused && document.getElementById(focused);
  if (!element) return;
  focused = "";
  refocus(element);
});

// what was folded away stays so while the tab is open
const FOLDS = "dramac-folds";
const folded = () => new Set(JSON.parse(sessionStorage.getItem(FOLDS) ?? "[]"));
each("details[data-fold]", (group) => (group.open = !folded().has(group.dataset.fold)));
document.addEventListener("toggle", ({ target }) => {
  if (!target.matches?.("details[data-fold]")) return;
  const now = folded();
  if (target.open) now.delete(target.dataset.fold);
  else now.add(target.dataset.fold);
  sessionStorage.setItem(FOLDS, JSON.stringify([...now].slice(-200)));
}, { capture: true });

// what is wider than its region begins at today, or at the first bar
each("[data-timeline]", (box) => {
  const mark = box.querySelector(".tl-now") ?? box.querySelector(".tl-shape");
  if (!mark || box.scrollWidth <= box.clientWidth) return;
  const names = box.querySelector(".tl-head .tl-label").getBoundingClientRect().right;
  box.scrollLeft += mark.getBoundingClientRect().left - names - (box.getBoundingClientRect().right - names) / 3;
});
