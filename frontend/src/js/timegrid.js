// Cards that stand at a day and a time: moved by mouse or by a dialog, both with the same form. The answer is the whole screen.
import { each, on, refocus } from "./dom.js";
import { drag } from "./drag.js";
import "./scrolls.js";
import { MINUTE_MS, read, shifted } from "./wall.js";

const SNAP = 15; // minutes
let ghost = null; // what follows the pointer over days
let target = null; // where a card would go
let undo = null; // puts the card back when no screen comes as an answer
let moved = ""; // the card that was moved last

const form = () => document.getElementById("move");
const digits = (number) => String(number).padStart(2, "0");
const daysBetween = (one, other) => Math.round((Date.parse(other) - Date.parse(one)) / (1440 * MINUTE_MS));

function hold(card) {
  const { elements } = form();
  moved = card.dataset.card;
  elements.card.value = moved;
  elements.version.value = card.dataset.version;
  elements.at.value = card.dataset.at;
  keep(card.dataset);
  if (elements.place) elements.place.value = card.dataset.in ?? "";
  form().querySelector(".times-moved").textContent = card.dataset.name;
}

// -- the end: as far from the start as it was, until somebody chooses another
let was = null; // the start and the end before
function keep({ at, to }) {
  const { elements } = form();
  if (!elements.to) return;
  was = { at, to };
  elements.to.value = to;
  elements.keep.value = "1";
}
function endAt(text) {
  const { elements } = form();
  elements.to.value = text;
  elements.keep.value = "";
}
on("input", "#move-at", (input) => {
  const { elements } = form();
  if (elements.keep?.value && was.at && was.to && input.value) elements.to.value = shifted(was.to, (read(input.value) - read(was.at)) / MINUTE_MS);
});
on("input", "#move-to", () => (form().elements.keep.value = ""));

// -- by dialog
on("click", "[data-move]", (button) => {
  hold(button.closest("[data-card]"));
  document.getElementById("times-move").showModal();
  form().elements.at.focus();
});
on("submit", "[data-times-move]", (sent) => sent.closest("dialog")?.close());

// -- by mouse; fingers scroll
const hourOf = (column) => column.querySelector(".times-slot").getBoundingClientRect().height;
const minuteAt = (column, y) => ((y - column.getBoundingClientRect().top) / hourOf(column)) * 60;

const placeAt = ({ clientX, clientY }) => document.elementsFromPoint(clientX, clientY).find((one) => one.matches(".times-column, .times-cell, .cal-day"));

/** Where the card would begin if it were let go here; null over nothing. */
function aim(card, event) {
  const under = placeAt(event);
  if (!under) return null;
  const from = card.dataset;
  const inHours = under.matches(".times-column") && grip.column;
  const minutes = inHours ? Math.round((minuteAt(under, event.clientY) - grip.minute) / SNAP) * SNAP : 0;
  const at = shifted(from.at, daysBetween(grip.day, under.dataset.day) * 1440 + minutes);
  const place = "in" in from ? under.dataset.place : undefined;
  return { at, place, under, minutes, inHours, same: at === from.at && (place === undefined || place === from.in) };
}

let grip = null; // where the card was taken hold of
function over(card, event) {
  ghost.style.transform = `translate(${event.clientX - grip.x}px, ${event.clientY - grip.y}px)`;
  scroll(card, event);
  document.querySelectorAll("[data-over]").forEach((one) => one.removeAttribute("data-over"));
  target = aim(card, event);
  if (!target) return;
  if (!target.inHours) return target.under.setAttribute("data-over", "");
  // in the hours it snaps: the ghost lies where the card would
  const { left, width } = target.under.getBoundingClientRect();
  const top = grip.rect.top + (target.minutes / 60) * hourOf(target.under) - (grip.scroller.scrollTop - grip.scrolled);
  Object.assign(ghost.style, { transform: `translate(${left - grip.rect.left}px, ${top - grip.rect.top}px)`, width: `${width - 10}px` });
  const when = ghost.querySelector(".times-when");
  if (when) when.textContent = target.at.slice(11);
}

function scroll(card, { clientX, clientY }) {
  const box = grip.scroller.getBoundingClientRect();
  if (clientX > box.right - 40) grip.scroller.scrollLeft += 12;
  else if (clientX < box.left + 90) grip.scroller.scrollLeft -= 12;
  if (clientY > box.bottom - 30) grip.scroller.scrollTop += 10;
  else if (clientY < box.top + 60) grip.scroller.scrollTop -= 10;
}

drag("[data-times] [data-card]", {
  take(card, event) {
    if (!form() || event.pointerType === "touch" || event.target.closest("button, .times-edge")) return null;
    const column = card.closest(".times-column");
    const scroller = card.closest("[data-times]");
    // of a card over several days the day under the pointer goes along
    const day = placeAt(event)?.dataset.day ?? card.dataset.at.slice(0, 10);
    grip = { x: event.clientX, y: event.clientY, rect: card.getBoundingClientRect(), column, scroller, scrolled: scroller.scrollTop, day, minute: column ? minuteAt(column, event.clientY) : 0 };
    return card;
  },
  begin(card) {
    const { rect } = grip;
    target = null;
    ghost = card.cloneNode(true);
    for (const name of ["data-card", "data-dragged", "id"]) ghost.removeAttribute(name);
    ghost.classList.add("times-ghost");
    ghost.setAttribute("aria-hidden", "true");
    Object.assign(ghost.style, { width: `${rect.width}px`, height: `${rect.height}px`, left: `${rect.left}px`, top: `${rect.top}px` });
    document.body.append(ghost);
  },
  over,
  drop(card) {
    if (!target || target.same) return;
    hold(card);
    form().elements.at.value = target.at;
    if (form().elements.place) form().elements.place.value = target.place;
    card.setAttribute("data-sent", "");
    undo = () => card.removeAttribute("data-sent");
    form().requestSubmit();
  },
  end() {
    ghost?.remove();
    ghost = null;
    document.querySelectorAll("[data-over]").forEach((one) => one.removeAttribute("data-over"));
  },
});
// -- the end, by mouse: by quarters of an hour in its column, by days where it lies across them
let edge = null; // {column; to: where it would end; before: what is shown otherwise}

const whenOf = (card) => card.querySelector(".times-when")?.firstChild;
/** The last day of what ends there: at midnight that is the one before. */
const lastDay = (end) => (end.endsWith("T00:00") ? shifted(end, -1) : end).slice(0, 10);

function draw(card, { dh, dm, days, words }) {
  Object.assign(card.dataset, days ? { days } : { dh, dm });
  if (words) whenOf(card).textContent = words;
}

function inHours(card, event) {
  const { h, m, at, before } = card.dataset;
  const [from, first] = [Number(h) * 60 + Number(m), Number(edge.column.closest(".times").dataset.first) * 60];
  const aimed = Math.round((first + minuteAt(edge.column, event.clientY) - from) / SNAP) * SNAP;
  const minutes = Math.max(SNAP, Math.min(1440 - from, aimed));
  edge.to = shifted(before === undefined ? at : `${edge.column.dataset.day}T00:00`, minutes);
  const words = before === undefined ? `${at.slice(11)}–${edge.to.slice(11)}` : "";
  return { dh: Math.floor(minutes / 60), dm: minutes % 60, words };
}

function overDays(card, event) {
  const under = placeAt(event);
  if (!under?.dataset.day) return edge.shown;
  under.setAttribute("data-over", "");
  const { at, to, col } = card.dataset;
  const end = to > at ? to : at;
  const aimed = shifted(end, daysBetween(lastDay(end), under.dataset.day) * 1440);
  edge.to = aimed < at ? at : aimed;
  const beside = under.parentElement === card.parentElement ? Number(under.dataset.col) - Number(col) + 1 : 1;
  return { days: String(Math.max(1, beside)) };
}

drag(".times-edge", {
  take(handle, event) {
    if (!form() || event.pointerType === "touch") return null;
    const card = handle.closest("[data-card]");
    const { dh, dm, days } = card.dataset;
    const shown = { dh, dm, days, words: whenOf(card)?.textContent };
    edge = { column: card.closest(".times-column"), to: "", before: shown, shown };
    return card;
  },
  over(card, event) {
    document.querySelectorAll("[data-over]").forEach((one) => one.removeAttribute("data-over"));
    edge.shown = edge.column ? inHours(card, event) : overDays(card, event);
    draw(card, edge.shown);
  },
  drop(card) {
    const { to, before, shown } = edge;
    if (!to || to === card.dataset.to) return;
    draw(card, shown);
    hold(card);
    endAt(to);
    undo = () => draw(card, before);
    form().requestSubmit();
  },
  end(card) {
    draw(card, edge.before);
    document.querySelectorAll("[data-over]").forEach((one) => one.removeAttribute("data-over"));
  },
});

on("dragstart", "[data-times] [data-card]", (_, event) => event.preventDefault()); // links have a dragging of their own

// -- a new record where somebody clicks: the lower half of an hour is its half; the empty part of a day is its plus
on("click", ".times-slot", (slot, event) => {
  if (!slot.href || !event.detail) return; // by keyboard the hour is meant
  const { top, height } = slot.getBoundingClientRect();
  if (event.clientY - top < height / 2) return;
  const address = new URL(slot.href);
  for (const [name, value] of [...address.searchParams]) if (name.startsWith("set.") && /T\d\d:\d\d$/.test(value)) address.searchParams.set(name, shifted(value, 30));
  event.preventDefault();
  location.assign(address);
});
on("click", ".cal-day, .times-cell", (day, event) => {
  if (event.target === day && matchMedia("(min-width: 48rem)").matches) day.querySelector(".cal-add")?.click();
});

// -- arrow keys go from hour to hour and from day to day
const STEPS = { ArrowDown: [0, 1], ArrowUp: [0, -1], ArrowRight: [1, 0], ArrowLeft: [-1, 0] };
on("keydown", ".times-slot", (slot, event) => {
  const step = STEPS[event.key];
  if (!step) return;
  event.preventDefault();
  const columns = [...document.querySelectorAll(".times-column")];
  const slots = (column) => [...(column?.querySelectorAll(".times-slot") ?? [])];
  const at = columns.indexOf(slot.closest(".times-column"));
  slots(columns[at + step[0]])[slots(columns[at]).indexOf(slot) + step[1]]?.focus();
});

// -- the answer: without a screen the card goes back; with one the keyboard stays at the card
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (!ctx.sourceElement?.matches?.("[data-times-move]")) return;
  undo?.();
  undo = null;
});
each("[data-times]", (region) => {
  const slot = region.querySelector(".times-slot");
  // of all the hours the usual ones are looked at first
  if (slot && region.dataset.first === "0") region.scrollTop = slot.getBoundingClientRect().height * 7;
  if (!moved) return;
  const card = [...document.querySelectorAll(`[data-card="${CSS.escape(moved)}"]`)].find((one) => one.checkVisibility());
  moved = "";
  const button = card?.querySelector(".times-move");
  refocus(button?.checkVisibility() ? button : card?.querySelector("a"));
});
