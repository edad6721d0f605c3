// The page editor: saves while you write, moves blocks by mouse and button without a page load, renews the preview,
// marks words. Without it every button is a form submit and all of it works as well.
import { on } from "./dom.js";

const WAIT_MS = 900;
const form = document.querySelector("form[data-page-editor]");
const preview = document.getElementById("preview");
const problem = document.getElementById("save-problem");
const state = () => document.getElementById("save-state");
let timer = 0;
let running = null; // the save under way
let stale = false; // something was written since the last save began
let last = ""; // the block worked on, where the preview shall stand

const parse = (html) => new DOMParser().parseFromString(html, "text/html").body.firstElementChild;

function showPreview() {
  preview.src = state().dataset.framed + (last ? `#b-${last}` : "");
}

function later() {
  stale = true;
  clearTimeout(timer);
  timer = setTimeout(save, WAIT_MS);
}

async function save() {
  clearTimeout(timer);
  if (running) await running;
  if (!stale) return;
  stale = false;
  running = send();
  await running;
  running = null;
}

async function send() {
  const body = new FormData(form);
  for (const [name, value] of [...body]) if (value instanceof File) body.delete(name);
  body.set("do", "auto");
  try {
    const answer = await fetch(form.action, { method: "POST", body });
    const part = parse(await answer.text());
    if (answer.ok && part?.id === "save-state") {
      state().replaceWith(part);
      problem.replaceChildren();
      showPreview();
    } else if (part?.className === "save-problem") {
      problem.replaceChildren(part);
    } else {
      stale = true; // signed out, or a server that is away: the next change tries again
    }
  } catch {
    stale = true;
  }
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
  later();
}

if (form) {
  const forms = "#page-form";
  on("input", forms, (_, event) => {
    if (event.target.type === "file" || event.target.name?.startsWith("add-")) return;
    last = event.target.closest("[data-block]")?.dataset.block ?? "";
    later();
  });
  // a picture is sent with the whole form, and the page comes back with it
  on("change", `${forms} input[type=file]`, () => form.requestSubmit());
  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    const [act, id] = (button?.value ?? "").split(":");
    if (act === "up" || act === "down") {
      event.preventDefault();
      const block = document.getElementById(`block-${id}`);
      const aim = act === "up" ? block.previousElementSibling : block.nextElementSibling?.nextElementSibling ?? null;
      if (act === "up" ? aim : block.nextElementSibling) move(block, aim);
      button.focus();
      return;
    }
    clearTimeout(timer);
    if (running) {
      // its answer brings the number that this submit has to name
      event.preventDefault();
      await running;
      stale = false;
      form.requestSubmit(button ?? undefined);
      return;
    }
    stale = false;
  });
  addEventListener("beforeunload", (event) => {
    if (stale) event.preventDefault();
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
