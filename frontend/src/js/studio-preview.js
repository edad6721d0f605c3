// The preview beside the text: a frame of another origin, as wide as the device chosen and scaled to fit, shown again when a
// save passes the checks, scrolled to where it was.
import { each, on } from "./dom.js";

const pane = () => document.getElementById("preview-pane");
const frame = () => document.getElementById("preview-frame");
const stage = () => document.getElementById("preview-stage");

let width = 390;
let theme = null; // null: as the platform
let scrolled = 0;
let address = "";
let shownWhat = "";

const dark = () => (theme === null ? document.documentElement.classList.contains("dark") : theme === "dark");

/** The frame has the device's width; where there is less room it is drawn smaller. */
function fit() {
  const place = stage();
  if (!place || place.hidden) return;
  const scale = Math.min(1, place.clientWidth / width);
  const high = place.clientHeight / scale;
  Object.assign(frame().style, { width: `${width}px`, height: `${high}px`, transform: `scale(${scale})` });
}

function show() {
  if (!address) return;
  stage().hidden = false;
  fit();
  const target = `${address}?theme=${dark() ? "dark" : "light"}#y=${scrolled}`;
  // replace: a preview is no step back
  frame().contentWindow.location.replace(target);
}

function choices() {
  const form = document.getElementById("preview");
  if (!form) return;
  const what = form.elements.what.value;
  for (const line of form.querySelectorAll("[data-for]")) line.hidden = (line.dataset.for === "page") !== what.startsWith("page:");
  form.elements.record.hidden = what.startsWith("list:");
}

function records(titles, chosen) {
  const select = document.getElementById("preview").elements.record;
  const first = select.options[0];
  select.replaceChildren(first, ...titles.map((title, index) => new Option(title || `Record ${index + 1}`, String(index + 1))));
  select.value = String(chosen);
  if (select.selectedIndex < 0) select.value = "0";
}

each("#preview", choices);
each("#preview-stage", (place) => new ResizeObserver(fit).observe(place));

on("click", "[data-device]", (button) => {
  width = Number(button.dataset.device);
  for (const other of pane().querySelectorAll("[data-device]")) other.setAttribute("aria-pressed", String(other === button));
  fit();
});
on("click", "[data-preview-theme]", (button) => {
  theme = dark() ? "light" : "dark";
  button.setAttribute("aria-pressed", String(theme === "dark"));
  show();
});
on("click", "[data-widen]", (button) => {
  const wide = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(wide));
  document.getElementById("studio").toggleAttribute("data-wide", wide);
});

document.addEventListener("change", ({ target }) => {
  const form = target.form;
  if (form?.id !== "preview") return;
  choices();
  if (target.name === "what") form.elements.record.value = "0";
  if (address || target.name === "what") form.requestSubmit();
});

addEventListener("message", ({ origin, source, data }) => {
  if (source !== frame()?.contentWindow || data?.type !== "preview:scroll" || !Number.isSafeInteger(data.y)) return;
  // a sandboxed page is of no origin; its window is what tells that it is ours
  if (origin === "null" || origin === pane().dataset.origin) scrolled = Math.max(0, data.y);
});

/** After any swap: a preview that is ready is shown, the choices follow the manifest. */
export function previewChanged() {
  const ready = document.querySelector("#preview-result [data-frame]");
  if (ready && ready.dataset.frame !== address) {
    const what = document.getElementById("preview").elements.what.value;
    if (what !== shownWhat) scrolled = 0;
    shownWhat = what;
    address = ready.dataset.frame;
    records(JSON.parse(ready.dataset.records), Number(ready.dataset.chosen));
    show();
  }
  choices();
}

/** The select of screens is written anew by a save: what was chosen stays. */
export const chosenScreen = () => document.getElementById("preview-what")?.value ?? "";
export function keepScreen(value) {
  const select = document.getElementById("preview-what");
  if (select && [...select.options].some((one) => one.value === value)) select.value = value;
}

/** After a save that passed the checks. */
export function previewAgain() {
  if (address) document.getElementById("preview").requestSubmit();
}
