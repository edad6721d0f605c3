// Drop zones: a file or a whole folder, by hand or by mouse. Files of a folder keep their path as file name, which plain
// forms cannot do; so when a folder was given the form is sent from here, with progress.
import { on } from "./dom.js";

const given = new WeakMap(); // zone -> [{file, path}] of a folder, or nothing when the file input holds it
const units = ["B", "kB", "MB", "GB"];

function size(bytes) {
  const power = Math.min(3, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  return `${(bytes / 1000 ** power).toFixed(power && bytes / 1000 ** power < 10 ? 1 : 0)} ${units[power]}`;
}

function show(zone, name, bytes) {
  zone.querySelector("[data-drop-list]").hidden = false;
  zone.querySelector("[data-drop-name]").textContent = name;
  zone.querySelector("[data-drop-size]").textContent = size(bytes);
  zone.toggleAttribute("data-filled", true);
}

function takeFolder(zone, name, found) {
  given.set(zone, found);
  const file = zone.querySelector("input[type=file]:not([webkitdirectory])");
  file.value = "";
  file.required = false;
  show(zone, `${name}/ (${found.length})`, found.reduce((sum, { file: one }) => sum + one.size, 0));
}

on("change", ".drop-input", (input) => {
  const zone = input.closest("[data-drop]");
  const files = [...input.files];
  if (!files.length) return;
  if (input.webkitdirectory) {
    const root = files[0].webkitRelativePath.split("/")[0];
    takeFolder(zone, root, files.map((file) => ({ file, path: file.webkitRelativePath.slice(root.length + 1) })));
  } else {
    given.delete(zone);
    const folder = zone.querySelector("input[webkitdirectory]");
    if (folder) folder.value = "";
    show(zone, files[0].name, files[0].size);
  }
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
  if (!entry) return;
  if (entry.isDirectory && zone.querySelector("input[webkitdirectory]")) {
    takeFolder(zone, entry.name, await filesOf(entry, ""));
  } else if (entry.isFile) {
    const input = zone.querySelector("input[type=file]:not([webkitdirectory])");
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }
});

async function filesOf(folder, prefix) {
  const reader = folder.createReader();
  const found = [];
  for (;;) {
    // readEntries gives at most 100 at a time, and an empty list at the end
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!batch.length) return found;
    for (const entry of batch) {
      if (entry.isDirectory) found.push(...(await filesOf(entry, `${prefix}${entry.name}/`)));
      else found.push({ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), path: prefix + entry.name });
    }
  }
}

on("submit", "form:has([data-drop])", (form, event) => {
  const zone = form.querySelector("[data-drop]");
  const found = given.get(zone);
  if (!found || form.matches("[hx-post]")) return;
  event.preventDefault();
  const body = new FormData(form);
  body.delete(zone.dataset.drop);
  for (const { file, path } of found) body.append(zone.dataset.drop, file, path);
  send(form, zone, body);
});

// forms sent by htmx: the same files, put into its request
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  const zone = ctx.sourceElement.querySelector?.("[data-drop]");
  const found = zone && given.get(zone);
  if (!found) return;
  ctx.request.body.delete(zone.dataset.drop);
  for (const { file, path } of found) ctx.request.body.append(zone.dataset.drop, file, path);
});

function send(form, zone, body) {
  const bar = zone.querySelector("[data-drop-progress]");
  const request = new XMLHttpRequest(); // fetch does not report how much has been sent
  bar.hidden = false;
  request.upload.onprogress = ({ loaded, total }) => (bar.value = (loaded / total) * 100);
  request.onload = () => follow(request);
  request.onerror = () => {
    bar.hidden = true;
    document.dispatchEvent(new CustomEvent("htmx:error", { detail: { error: new TypeError("upload failed") } }));
  };
  request.open("POST", form.action);
  request.setRequestHeader("X-Folder-Upload", "1");
  request.send(body);
}

// the answer is a page: a redirect is followed as a visit; a page with errors takes this one's main part
function follow(request) {
  const came = new URL(request.responseURL, location.href);
  if (request.status < 400 && came.href !== location.href) {
    location.assign(came.href);
    return;
  }
  const answer = new DOMParser().parseFromString(request.responseText, "text/html");
  const main = answer.getElementById("main");
  if (!main) return location.reload();
  document.getElementById("main").replaceChildren(...main.childNodes);
  document.title = answer.title;
  document.querySelector("[data-error-summary], #main")?.focus();
}
