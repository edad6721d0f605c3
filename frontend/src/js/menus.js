// Popover menus and facets: where they open when the browser has no anchor positioning, arrow keys, closing.
import { on } from "./dom.js";

const anchored = CSS.supports("position-area", "block-end span-inline-start");

// `toggle` does not bubble, so it is caught on its way down
document.addEventListener(
  "toggle",
  (event) => {
    const menu = event.target;
    if (!(menu instanceof HTMLElement) || !menu.matches("[popover][data-menu]") || event.newState !== "open") return;
    if (!anchored) place(menu, event.source);
    menu.querySelector(".menu-item")?.focus({ preventScroll: true });
  },
  { capture: true },
);

// source: the button that opened it, where the browser says so; several can open the same menu
function place(menu, source) {
  const button = (source ?? document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`)).getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const left = menu.dataset.align === "start" ? button.left : button.right - width;
  const below = button.bottom + 4;
  const top = menu.hasAttribute("data-up") || below + height > innerHeight ? button.top - height - 4 : below;
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  menu.style.top = `${Math.max(8, top)}px`;
}

on("keydown", "[data-menu]", (menu, event) => {
  const items = [...menu.querySelectorAll(".menu-item")].map((item) => (item.matches("label") ? item.querySelector("input") : item));
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (event.key === "Escape" && menu.open) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  if (to === undefined || !items.length || document.activeElement.type === "radio") return;
  event.preventDefault();
  items.at(to % items.length).focus();
});

// a facet is a <details>; it closes like a menu
document.addEventListener("click", (event) => {
  document.querySelectorAll("details[data-menu][open]").forEach((facet) => {
    if (!facet.contains(event.target)) facet.open = false;
  });
});
