// Maps: records as points over outlines of the land, or over an operator's tiles. The list beside them is the same without a
// mouse and without scripts; where the map stands is in the address.
import * as L from "leaflet/dist/leaflet-src.esm.js";
import Supercluster from "supercluster";
import { each, on } from "./dom.js";
import { fetchLand, land } from "./land.js";

const LAST_ZOOM = 18;
const SETTLED_MS = 250;
const MOST_SPREAD = 30; // of records in one and the same place
const WORLD = [[-55, -170], [75, 170]];

const box = document.querySelector("[data-map]");
const NEAR = box.dataset.tiles ? 14 : 9; // as close as the map comes by itself: where there is still something around
const list = () => document.querySelector("[data-map-list]");
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const coarse = matchMedia("(pointer: coarse)").matches;

const map = L.map(box, {
  minZoom: 1,
  maxZoom: LAST_ZOOM,
  worldCopyJump: true,
  maxBounds: [[-89, -540], [89, 540]],
  dragging: !coarse, // one finger scrolls the page, two move the map
  scrollWheelZoom: false, // until somebody is in the map
  zoomAnimation: !still,
  fadeAnimation: !still,
  markerZoomAnimation: !still,
  inertia: !still,
  attributionControl: false,
});
map.on("focus", () => map.scrollWheelZoom.enable()).on("blur", () => map.scrollWheelZoom.disable());
L.control.scale({ imperial: false }).addTo(map);
map.getPane("markerPane").setAttribute("aria-hidden", "true"); // the list is what they are to those who do not see them

let points = []; // [id, lat, lng, title]
let index = indexed([]);
let source = ""; // where the points came from
let more = false; // there are more than came
let saying = false; // the map moves by hand: the address and the list follow

// -- where it stands

const wrapped = (lng) => (lng >= -180 && lng <= 180 ? lng : ((((lng + 180) % 360) + 360) % 360) - 180);
const short = (number, digits = 5) => String(Number(number.toFixed(digits)));

function standing() {
  const { lat, lng } = map.getCenter();
  return [short(lat), short(wrapped(lng)), map.getZoom()].join(",");
}

function seen() {
  const bounds = map.getBounds();
  const whole = bounds.getEast() - bounds.getWest() >= 360;
  const sides = [Math.max(bounds.getSouth(), -90), whole ? -180 : wrapped(bounds.getWest()), Math.min(bounds.getNorth(), 90), whole ? 180 : wrapped(bounds.getEast())];
  return sides.map((side) => short(side, 4)).join(",");
}

function say(name, value) {
  for (const input of document.querySelectorAll(`[data-map-list] input[name="${name}"]`)) {
    input.value = value;
    input.disabled = !value;
  }
}

function address(name, value) {
  const url = new URL(location.href);
  if (value) url.searchParams.set(name, value);
  else url.searchParams.delete(name);
  history.replaceState(history.state, "", url);
}

const only = () => document.querySelector("[data-map-only]");

function narrow() {
  say("box", only().checked ? seen() : "");
  document.querySelector("[data-map-form]").requestSubmit();
}

let settled;
map.on("moveend", () => {
  if (!saying) return;
  draw();
  land(map, box);
  say("map", standing());
  address("map", standing());
  clearTimeout(settled);
  settled = setTimeout(() => {
    if (only()?.checked) narrow();
    if (more) load(true);
  }, SETTLED_MS);
});
on("change", "[data-map-only]", narrow);

/** Leads back to this place from a record too. */
on("click", "[data-record-link]", (link) => {
  const url = new URL(link.href);
  url.searchParams.set("map", standing());
  link.href = url.pathname + url.search;
}, true);

// -- points

function indexed(places) {
  const features = places.map(([id, lat, lng, title]) => ({ type: "Feature", geometry: { type: "Point", coordinates: [lng, lat] }, properties: { id, title } }));
  return new Supercluster({ radius: 44, maxZoom: LAST_ZOOM - 1 }).load(features);
}

function icon(kind, text) {
  const element = document.createElement("span");
  element.textContent = text;
  const size = kind === "point" ? 18 : 30 + Math.min(12, 4 * (text.length - 1));
  return L.divIcon({ className: `map-mark map-${kind}`, html: element, iconSize: [size, size] });
}

/** The turn of a place that is nearest to the middle of what is seen. */
const near = (lng) => lng + 360 * Math.round((map.getCenter().lng - lng) / 360);

const marks = new Map(); // what is drawn, by what it is
const layer = L.layerGroup().addTo(map);

function draw() {
  const bounds = map.getBounds().pad(0.2);
  const sides = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
  const found = new Map();
  for (const one of index.getClusters(sides, Math.round(map.getZoom()))) {
    const [lng, lat] = one.geometry.coordinates;
    found.set(`${one.properties.cluster ? `c${one.properties.cluster_id}` : one.properties.id}@${near(lng)},${lat}`, one);
  }
  for (const [key, mark] of marks) {
    if (found.has(key)) continue;
    mark.remove();
    marks.delete(key);
  }
  for (const [key, one] of found) if (!marks.has(key)) marks.set(key, mark(one).addTo(layer));
}

function mark({ geometry, properties }) {
  const place = [geometry.coordinates[1], near(geometry.coordinates[0])];
  if (properties.cluster) {
    const made = L.marker(place, { icon: icon("cluster", String(properties.point_count_abbreviated)), keyboard: false });
    return made.on("click", () => spread(properties.cluster_id, place));
  }
  const made = L.marker(place, { icon: icon("point", ""), keyboard: false, title: properties.title });
  const entry = () => document.getElementById(`entry-${properties.id}`);
  return made
    .on("click", () => open(properties, place))
    .on("mouseover", () => entry()?.setAttribute("data-pointed", ""))
    .on("mouseout", () => entry()?.removeAttribute("data-pointed"));
}

function spread(cluster, place) {
  const zoom = index.getClusterExpansionZoom(cluster);
  if (zoom < LAST_ZOOM) map.setView(place, zoom);
  else popup(place, index.getLeaves(cluster, MOST_SPREAD).map(({ properties }) => recordLink(properties)), "Records in this place");
}

async function load(here = false) {
  const url = list().dataset.points + (here ? `&box=${encodeURIComponent(seen())}` : "");
  const slow = document.querySelector("[data-map-slow]");
  source = url;
  try {
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.statusText);
    const said = await answer.json();
    if (source !== url) return; // asked anew meanwhile
    slow.hidden = true;
    take(said, here);
  } catch {
    slow.hidden = source !== url;
  }
}

function take(said, here) {
  points = said.points;
  more = said.more || here;
  index = indexed(points);
  const view = map.getBounds();
  if (saying && !here && !only()?.checked && points.length && !points.some(([, lat, lng]) => view.contains([lat, near(lng)]))) all();
  for (const one of marks.values()) one.remove();
  marks.clear();
  draw();
  box.dataset.points = points.length; // how many there are
}

function all() {
  if (points.length) map.fitBounds(around(points), { padding: [32, 32], maxZoom: NEAR, animate: !still });
  else map.fitBounds(WORLD, { animate: false });
}

/** What holds all points, over the 180th meridian where that is the shorter way. */
function around(places) {
  const lats = places.map((place) => place[1]);
  const lngs = places.map((place) => place[2]).sort((one, other) => one - other);
  let [west, gap] = [lngs[0], lngs[0] + 360 - lngs.at(-1)];
  lngs.forEach((lng, n) => {
    if (n && lng - lngs[n - 1] > gap) [west, gap] = [lng, lng - lngs[n - 1]];
  });
  return [[Math.min(...lats), west], [Math.max(...lats), west + 360 - gap]];
}

on("click", "#map-all", all);
on("click", "[data-map-again]", () => load());

// -- what a point says

function recordLink({ id, title }) {
  const link = document.createElement("a");
  const query = new URLSearchParams(location.search);
  for (const name of ["cursor", "in"]) query.delete(name);
  link.href = `${box.dataset.record.replace(/0$/, id)}?${new URLSearchParams([["in", box.dataset.key], ...query])}`;
  link.className = "row-link";
  link.dataset.recordLink = "";
  link.textContent = title;
  return link;
}

let asked = null; // what opened the popup, to which the keyboard goes back

function popup(place, parts, label) {
  const content = document.createElement("div");
  content.className = "map-said";
  content.append(...parts);
  const shown = L.popup({ maxWidth: 280, minWidth: 180, autoPanPadding: [16, 16] }).setLatLng(place).setContent(content).openOn(map);
  const element = shown.getElement();
  element.setAttribute("role", "dialog");
  element.setAttribute("aria-label", label);
  content.querySelector("a").focus({ preventScroll: true });
  return { shown, content };
}

async function open(properties, place) {
  const { shown, content } = popup(place, [recordLink(properties)], properties.title);
  const url = new URL(box.dataset.here, location.href);
  url.search = new URLSearchParams([...new URLSearchParams(location.search), ["card", properties.id]]);
  try {
    const answer = await fetch(url);
    if (!answer.ok) return;
    const facts = document.createElement("div");
    facts.innerHTML = await answer.text(); // the server's own part
    content.append(facts);
    const focused = content.contains(document.activeElement) && document.activeElement;
    shown.update(); // puts its content in anew
    if (focused) focused.focus({ preventScroll: true });
  } catch {
    // its link leads on
  }
}
map.on("popupclose", () => {
  const back = asked;
  asked = null;
  if (back?.isConnected) back.focus({ preventScroll: true });
});
box.addEventListener("keydown", (event) => {
  if (event.key === "Escape") map.closePopup();
});

const placeOf = (entry) => entry.dataset.lat && [Number(entry.dataset.lat), near(Number(entry.dataset.lng))];
on("click", "[data-show-place]", (button) => {
  const entry = button.closest("[data-entry]");
  const place = placeOf(entry);
  map.setView(place, Math.max(map.getZoom(), NEAR), { animate: false });
  box.scrollIntoView({ block: "nearest" });
  open({ id: entry.dataset.entry, title: entry.querySelector("[data-record-link]").textContent }, place);
  asked = button;
});

// -- an entry of the list that is pointed at marks its point

const halo = L.marker([0, 0], { icon: L.divIcon({ className: "map-halo", iconSize: [34, 34] }), interactive: false, keyboard: false });
for (const [begin, end] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
  on(begin, "[data-entry]", (entry) => placeOf(entry) && halo.setLatLng(placeOf(entry)).addTo(map));
  on(end, "[data-entry]", () => halo.remove());
}

// -- begin

const at = (list().dataset.at || "").split(",").map(Number);
const sides = (list().dataset.box || "").split(",").map(Number);
if (box.dataset.tiles) L.tileLayer(box.dataset.tiles, { maxZoom: LAST_ZOOM }).addTo(map);
if (at.length === 3) map.setView([at[0], at[1]], at[2], { animate: false });
else if (sides.length === 4) map.fitBounds([[sides[0], sides[1]], [sides[2], sides[3] + (sides[3] < sides[1] ? 360 : 0)]], { animate: false });
else map.fitBounds(WORLD, { animate: false });

fetchLand(box);
let known = "";
each("[data-map-list]", async (found) => {
  if (found.dataset.points === known) return; // the same records
  const first = !known;
  known = found.dataset.points;
  await load();
  if (!first) return;
  if (at.length !== 3 && sides.length !== 4) all();
  saying = true;
  draw();
  land(map, box);
});
