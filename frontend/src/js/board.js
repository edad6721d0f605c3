// Boards: a card goes to another column by mouse or by its menu. Both press the button of the menu that says where to, so
// what the menu of a column does not offer cannot be dropped on either. The answer is the whole board.
import { each, on, refocus } from "./dom.js";
import { drag, putBack } from "./drag.js";
import "./scrolls.js";

const EDGE_PX = 48; // of the board, where dragging scrolls it
let ghost = null; // what follows the pointer
let undo = null; // puts the card back when no board comes as an answer
let moved = ""; // the card that was moved last

const form = () => document.getElementById("move");
const columnOf = (item) => item.closest("[data-column]");
const wayTo = (from, to) => document.getElementById(`moves-${from.dataset.column}`)?.querySelector(`button[value="${CSS.escape(to.dataset.column)}"]`);

function hold(card) {
  moved = card.dataset.card;
  form().elements.card.value = card.dataset.card;
  form().elements.version.value = card.dataset.version;
}

// -- by menu: one menu for all cards of a column; the button that opens it says for which
on("click", ".board-move", (button) => hold(button.closest("[data-card]")));
on("click", "[data-board] .menu button", (button) => {
  const card = document.getElementById(`card-${moved}`);
  const to = document.querySelector(`[data-cards-of="${CSS.escape(button.value)}"]`);
  undo = card && putBack(card);
  button.closest("[popover]").hidePopover();
  if (card && to) to.prepend(card);
});

// -- by mouse; fingers scroll
let from = null;
drag("[data-card]", {
  take: (card, event) => (form() && event.pointerType !== "touch" && !event.target.closest("button, .board-why") ? card : null),
  begin(card, event) {
    from = columnOf(card);
    const { left, top, width } = card.getBoundingClientRect();
    ghost = card.cloneNode(true);
    for (const name of ["id", "data-card", "data-dragged"]) ghost.removeAttribute(name);
    ghost.className = "board-card board-ghost";
    ghost.setAttribute("aria-hidden", "true");
    Object.assign(ghost.style, { width: `${width}px`, left: `${left - event.clientX}px`, top: `${top - event.clientY}px` });
    document.body.append(ghost);
    for (const column of document.querySelectorAll("[data-column]")) column.toggleAttribute("data-closed", column !== from && !wayTo(from, column));
  },
  over(card, event) {
    ghost.style.transform = `translate(${event.clientX}px, ${event.clientY}px)`;
    const board = card.closest("[data-board]");
    const { left, right } = board.getBoundingClientRect();
    if (event.clientX < left + EDGE_PX) board.scrollLeft -= 12;
    else if (event.clientX > right - EDGE_PX) board.scrollLeft += 12;
    const column = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-column]");
    if (!column || column === columnOf(card) || (column !== from && !wayTo(from, column))) return;
    column.querySelector("[data-cards-of]").prepend(card);
  },
  drop(card, _, back) {
    const way = wayTo(from, columnOf(card));
    if (!way || columnOf(card) === from) return back();
    undo = back;
    hold(card);
    form().requestSubmit(way);
  },
  end() {
    ghost?.remove();
    ghost = null;
    document.querySelectorAll("[data-closed]").forEach((column) => column.removeAttribute("data-closed"));
  },
});
on("dragstart", "[data-card]", (_, event) => event.preventDefault()); // links and pictures have a dragging of their own

// -- the answer: without a board the card goes back; with one the keyboard stays at the card
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (!ctx.sourceElement?.matches?.("[data-board-move]")) return;
  undo?.();
  undo = null;
});
each("[data-board]", () => {
  if (!undo) return;
  undo = null;
  const card = document.getElementById(`card-${moved}`);
  refocus(card?.querySelector(".board-move") ?? card?.querySelector("a"));
});
