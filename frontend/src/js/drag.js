// Dragging by pointer: what is taken, where it is held, how it ends. Escape, or a pointer that is lost, puts it back.
import { on } from "./dom.js";

const FAR_PX = 4; // less is a click
let held = null;

/** grip: selector of what is taken hold of. take(grip, event): the element that moves, or null; begin, over, drop(item, event). */
export function drag(grip, { take, begin, over, drop, end }) {
  on("pointerdown", grip, (element, event) => {
    if (event.button !== 0) return;
    const item = take(element, event);
    if (!item) return;
    event.preventDefault();
    held = { item, x: event.clientX, y: event.clientY, begin, over, drop, end, begun: false, back: putBack(item) };
  });
}

/** A function that puts an element back where it is now. */
export function putBack(item) {
  const { parentElement: parent, nextSibling: next } = item;
  return () => parent.isConnected && parent.insertBefore(item, next?.parentElement === parent ? next : null);
}

addEventListener("pointermove", (event) => {
  if (!held) return;
  if (!held.begun) {
    if (Math.hypot(event.clientX - held.x, event.clientY - held.y) < FAR_PX) return;
    held.begun = true;
    held.item.toggleAttribute("data-dragged", true);
    held.begin?.(held.item, event);
  }
  held.over(held.item, event);
});

function finish(dropped, event) {
  if (!held) return;
  const { item, begun, back, drop, end } = held;
  held = null;
  if (!begun) return;
  item.removeAttribute("data-dragged");
  end?.(item);
  // the pointer that is let go over a link has not clicked it; the next press may come before the timer, and is a click
  const swallow = (click) => (click.preventDefault(), click.stopPropagation(), free());
  const free = () => {
    removeEventListener("click", swallow, { capture: true });
    removeEventListener("pointerdown", free, { capture: true });
  };
  addEventListener("click", swallow, { capture: true });
  addEventListener("pointerdown", free, { capture: true });
  setTimeout(free);
  if (dropped) drop(item, event, back);
  else back();
}

addEventListener("pointerup", (event) => finish(true, event));
addEventListener("pointercancel", () => finish(false));
addEventListener("keydown", (event) => event.key === "Escape" && finish(false));
