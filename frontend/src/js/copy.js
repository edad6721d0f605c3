// data-copy="text": to the clipboard, with a tick for two seconds and a word for screen readers.
import { on } from "./dom.js";
import { toast } from "./toasts.js";

on("click", "[data-copy]", async (button) => {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    oldWay(button.dataset.copy); // http on another host than localhost has no clipboard
  }
  button.dataset.copied = "";
  setTimeout(() => delete button.dataset.copied, 2000);
  toast({ level: "success", title: document.getElementById("toasts").dataset.copied });
});

function oldWay(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "sr-only";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
