// Trees: arrow keys go through what is shown, records are put below others by mouse or by a dialog that finds them by name.
// Every answer is the whole tree, so the keyboard is put back where it was.
import { each, on, refocus } from "./dom.js";
import { drag } from "./drag.js";

const EDGE_PX = 56; // of the window, where dragging scrolls it
let ghost = null; // what follows the pointer
let over = null; // where it would go
let focused = ""; // id of what had the keyboard when something was asked for

const form = () => document.getElementById("move");
const titles = (tree) => [...tree.querySelectorAll(".tree-title")];
const rowOf = (node) => node.querySelector(":scope > .tree-row");

function hold(to, node) {
  to.elements.card.value = node.dataset.node;
  to.elements.version.value = node.dataset.version;
}

// -- keys
on("keydown", "[data-tree] .tree-row", (row, event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const tree = row.closest("[data-tree]");
  const all = titles(tree);
  const at = all.indexOf(row.querySelector(".tree-title"));
  const flip = row.querySelector("a.tree-flip");
  const open = flip?.getAttribute("aria-expanded") === "true";
  const steps = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
  if (event.key in steps) all[Math.max(0, Math.min(all.length - 1, steps[event.key]))].focus();
  else if (event.key === "ArrowRight" && flip && !open) flip.click();
  else if (event.key === "ArrowRight" && row.nextElementSibling) all[at + 1].focus();
  else if (event.key === "ArrowLeft" && open) flip.click();
  else if (event.key === "ArrowLeft") row.closest("[data-node]").parentElement.closest("[data-node]")?.querySelector(".tree-title").focus();
  else return;
  event.preventDefault();
});

// -- by a dialog
on("click", ".tree-move", (button) => {
  const dialog = document.getElementById("tree-to");
  const to = dialog.querySelector("form[data-tree-move]");
  const node = button.closest("[data-node]");
  hold(to, node);
  focused = button.id;
  dialog.querySelector(".tree-what").textContent = node.querySelector(".tree-title").textContent;
  to.elements.words.value = "";
  to.elements.to.replaceChildren();
  dialog.showModal();
  to.elements.words.focus();
  to.elements.words.dispatchEvent(new Event("refresh"));
});
on("submit", "dialog [data-tree-move]", (to) => to.closest("dialog").close());
on("keydown", "#tree-words", (input, event) => {
  if (event.key !== "ArrowDown" && event.key !== "Enter") return;
  event.preventDefault(); // Enter would send what is not chosen yet
  const spots = document.getElementById("tree-spots");
  if (spots.selectedIndex < 0) spots.selectedIndex = [...spots.options].findIndex((option) => !option.disabled);
  spots.focus();
});
on("keydown", "#tree-spots", (spots, event) => event.key === "Enter" && spots.value && spots.form.requestSubmit());
on("dblclick", "#tree-spots", (spots) => spots.value && spots.form.requestSubmit());

// -- by mouse; fingers scroll
function wayTo(node, event) {
  const under = document.elementFromPoint(event.clientX, event.clientY);
  const top = under?.closest("[data-tree-top]");
  if (top) return top;
  const target = under?.closest("[data-tree] [data-node]");
  const own = node.parentElement.closest("[data-node]");
  return target && target !== own && !node.contains(target) ? target : null;
}

drag("[data-movable] .tree-row", {
  take: (row, event) => (form() && event.pointerType !== "touch" && !event.target.closest("button, .btn, .tree-why") ? row.closest("[data-node]") : null),
  begin(node) {
    const top = document.querySelector("[data-tree-top]");
    if (top) top.hidden = !node.parentElement.closest("[data-node]") && !node.querySelector(":scope > .tree-row .tree-hint");
    ghost = document.createElement("div");
    ghost.className = "tree-ghost";
    ghost.setAttribute("aria-hidden", "true");
    ghost.textContent = node.querySelector(".tree-title").textContent;
    document.body.append(ghost);
  },
  over(node, event) {
    ghost.style.transform = `translate(${event.clientX + 12}px, ${event.clientY + 8}px)`;
    if (event.clientY < EDGE_PX) scrollBy(0, -14);
    else if (event.clientY > innerHeight - EDGE_PX) scrollBy(0, 14);
    const found = wayTo(node, event);
    if (found === over) return;
    over?.removeAttribute("data-over");
    over = found;
    over?.setAttribute("data-over", "");
  },
  drop(node, event) {
    const found = wayTo(node, event);
    if (!found) return;
    hold(form(), node);
    form().elements.to.value = found.dataset.node ?? "top";
    focused = `title-${node.dataset.node}`;
    form().requestSubmit();
  },
  end() {
    ghost?.remove();
    over?.removeAttribute("data-over");
    ghost = over = null;
  },
});
on("dragstart", "[data-movable]", (_, event) => event.preventDefault()); // links have a dragging of their own
// after drop() has looked at what is under the pointer
addEventListener("pointerup", () => setTimeout(() => document.querySelector("[data-tree-top]")?.setAttribute("hidden", "")));
addEventListener("keydown", (event) => event.key === "Escape" && document.querySelector("[data-tree-top]")?.setAttribute("hidden", ""));

// -- the answer
on("click", "[data-tree] a, .tree-acts a", (link) => (focused = link.classList.contains("tree-flip") ? (document.activeElement?.id || link.id) : link.id));
each("[data-tree]", (tree) => {
  const id = focused;
  focused = "";
  if (!id) return;
  const element = document.getElementById(id) ?? document.getElementById(id.replace(/^more-|^move-|^flip-/, "title-")) ?? titles(tree)[0];
  refocus(element);
  if (id.startsWith("title-") && document.activeElement === element) element.scrollIntoView({ block: "nearest" }); // it may stand elsewhere now
});
