// Drop zones: a file or a whole folder, by hand or by mouse. Everything ends up in the zone's own file inputs and is sent
// by the form itself. Files of a folder carry their path as file name, as browsers do for a chosen folder.
import { on } from "./dom.js";

const UNITS = ["B", "kB", "MB", "GB"];
const fileInput = (zone) => zone.querySelector("input[type=file]:not([webkitdirectory])");
const folderInput = (zone) => zone.querySelector("input[webkitdirectory]");

function size(bytes) {
  const power = Math.min(3, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  return `${(bytes / 1000 ** power).toFixed(power && bytes / 1000 ** power < 10 ? 1 : 0)} ${UNITS[power]}`;
}

on("change", ".drop-input", (input) => {
  const zone = input.closest("[data-drop]");
  const files = [...input.files];
  if (!files.length) return;
  const folder = input === folderInput(zone);
  const other = folder ? fileInput(zone) : folderInput(zone);
  if (other) other.value = ""; // the last choice counts
  const path = files[0].webkitRelativePath || files[0].name;
  zone.querySelector("[data-drop-name]").textContent = folder ? `${path.split("/")[0]}/ (${files.length})` : files[0].name;
  zone.querySelector("[data-drop-size]").textContent = size(files.reduce((sum, file) => sum + file.size, 0));
  zone.querySelector("[data-drop-list]").hidden = false;
});

for (const type of ["dragenter", "dragover"])
  on(type, "[data-drop]", (zone, event) => {
    event.preventDefault();
    zone.toggleAttribute("data-over", true);
  });
on("dragleave", "[data-drop]", (zone, event) => {
  if (!zone.contains(event.relatedTarget)) zone.removeAttribute("data-over");
});
on("drop", "[data-drop]", async (zone, event) => {
  event.preventDefault();
  zone.removeAttribute("data-over");
  const entry = event.dataTransfer.items[0]?.webkitGetAsEntry();
  if (entry?.isFile) put(fileInput(zone), [event.dataTransfer.files[0]]);
  else if (entry && folderInput(zone)) put(folderInput(zone), await filesOf(entry, `${entry.name}/`));
});

function put(input, files) {
  const carrier = new DataTransfer();
  files.forEach((file) => carrier.items.add(file));
  input.files = carrier.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

async function filesOf(folder, prefix) {
  const reader = folder.createReader();
  const found = [];
  for (;;) {
    // readEntries gives at most 100 at a time, and an empty list at the end
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!batch.length) return found;
    for (const entry of batch) {
      if (entry.isDirectory) {
        found.push(...(await filesOf(entry, `${prefix}${entry.name}/`)));
      } else {
        const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
        found.push(new File([file], prefix + file.name, { type: file.type, lastModified: file.lastModified }));
      }
    }
  }
}

on("submit", "form:has([data-drop])", (form) => {
  form.querySelectorAll("[data-drop-progress]").forEach((bar) => (bar.hidden = false));
});
