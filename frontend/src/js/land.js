// The land under a map where no tiles are set: outlines and borders as build.mjs packs them, whole numbers from one corner to
// the next. Drawn as SVG, so that its colours are those of the theme.
import * as L from "leaflet/dist/leaflet-src.esm.js";

const TURNS = [0, -360, 360];
const REACH = 200; // degrees from the middle: what lies on the 180th meridian goes on over it
const drawn = new Set();
let packed;

function unpacked(line, scale, turn) {
  const corners = [];
  let [lng, lat] = [0, 0];
  for (let n = 0; n < line.length; n += 2) {
    lng += line[n];
    lat += line[n + 1];
    corners.push([lat / scale, lng / scale + turn]);
  }
  return corners;
}

/** Sends for the outlines, which are drawn later. */
export function fetchLand(box) {
  packed ??= box.dataset.tiles ? Promise.resolve(null) : fetch(box.dataset.land).then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
  return packed;
}

/** Draws the turns of the earth that are seen and are not drawn yet; without the outlines the points stand alone. */
export async function land(map, box) {
  const outlines = await fetchLand(box);
  if (!outlines) return;
  const bounds = map.getBounds();
  for (const turn of TURNS) {
    if (drawn.has(turn) || bounds.getEast() < turn - REACH || bounds.getWest() > turn + REACH) continue;
    drawn.add(turn);
    const renderer = L.svg({ padding: 0.5 });
    const open = (lines) => lines.map((line) => unpacked(line, outlines.scale, turn));
    L.polygon(outlines.land.map(open), { renderer, className: "map-land", interactive: false }).addTo(map);
    L.polyline(open(outlines.borders), { renderer, className: "map-border", interactive: false }).addTo(map);
  }
}
