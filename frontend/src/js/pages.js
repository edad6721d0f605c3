// The page editor: saves while you write, moves blocks by mouse and button without a page load, renews the preview,
// marks words. Without it every button is a form submit and all of it works as well.
import { on } from "./dom.js";
import { saving } from "./pages-saving.js";

const form = document.querySelector("form[data-page-editor]");
const preview = document.getElementById("preview");
let last = ""; // the block worked on, where the preview shall stand

function showPreview() {
  preview.src = document.getElementById("save-state").dataset.framed + (last ? `#b-${last}` : "");
}

function renumber() {
  document.querySelectorAll("#blocks > li").forEach((block, index) => {
    for (const button of block.querySelectorAll(".block-acts [aria-label]")) {
      const label = button.getAttribute("aria-label").replace(/\d+/, index + 1);
      button.setAttribute("aria-label", label);
      button.title = label;
    }
  });
}

function move(block, before) {
  block.parentElement.insertBefore(block, before);
  last = block.dataset.block;
  renumber();
}

if (form) {
  const { later, mayLeave } = saving(form, showPreview);
  const forms = "#page-form";
  on("input", forms, (_, event) => {
    if (event.target.type === "file" || event.target.name?.startsWith("add-")) return;
    last = event.target.closest("[data-block]")?.dataset.block ?? "";
    later();
  });
  // a picture is sent with the whole form, and the page comes back with it
  on("change", `${forms} input[type=file]`, () => form.requestSubmit());
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    const [act, id] = (button?.value ?? "").split(":");
    if (act === "up" || act === "down") {
      event.preventDefault();
      const block = document.getElementById(`block-${id}`);
      const aim = act === "up" ? block.previousElementSibling : block.nextElementSibling?.nextElementSibling ?? null;
      if (act === "up" ? aim : block.nextElementSibling) {
        move(block, aim);
        later();
      }
      button.focus();
      return;
    }
    if (!mayLeave(button)) event.preventDefault();
  });

  let dragged = null;
  on("dragstart", "[data-grip]", (grip, event) => {
    dragged = grip.closest("[data-block]");
    dragged.dataset.dragged = "";
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.block);
    event.dataTransfer.setDragImage(dragged, 16, 16);
  });
  on("dragover", "#blocks > li", (over, event) => {
    if (!dragged) return;
    event.preventDefault();
    if (over === dragged) return;
    const half = over.getBoundingClientRect();
    over.parentElement.insertBefore(dragged, event.clientY < half.top + half.height / 2 ? over : over.nextElementSibling);
  });
  on("dragover", "#blocks", (_, event) => dragged && event.preventDefault());
  on("drop", "#blocks", (_, event) => dragged && event.preventDefault());
  on("dragend", "[data-grip]", () => {
    delete dragged.dataset.dragged;
    move(dragged, dragged.nextElementSibling);
    later();
    dragged = null;
  });

  const MARKS = {
    bold: (words) => `**${words || "bold"}**`,
    italic: (words) => `*${words || "slanted"}*`,
    link: (words) => `[${words || "words"}](/address)`,
    heading: (words) => `\n## ${words || "Heading"}\n`,
    list: (words) => `\n${(words || "First\nSecond").split("\n").map((line) => `- ${line}`).join("\n")}\n`,
  };
  on("click", "[data-mark]", (button) => {
    const area = button.closest("[data-words]").querySelector("textarea");
    const { selectionStart: from, selectionEnd: to } = area;
    const made = MARKS[button.dataset.mark](area.value.slice(from, to));
    area.focus();
    area.setRangeText(made, from, to, "select");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
