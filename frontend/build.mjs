// Builds static/dist from frontend/: hashed names, manifest.json (file, integrity, sizes), LICENSES.txt.
//
//   npm ci && npm run build    writes static/dist, which is committed: users and servers need no Node
//   npm run check              builds in memory; fails when static/dist differs or a size budget is exceeded
//
// Same sources and lock file give the same bytes. Only the precompressed .gz and .br may differ between Node versions,
// so the check compares what they unpack to.
import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from "node:zlib";
import * as topojson from "topojson-client";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const OUT = path.join(HERE, "..", "static", "dist");
const CHECK = process.argv.includes("--check");
process.chdir(HERE);

// Brotli bytes. The first load is what a person waits for before the first page can be used.
const BUDGETS = {
  "fleet.css": 2e3,
  "app.css": 34e3, "core.js": 26e3, "icons.svg": 24e3, "widget.css": 5e3, "served.css": 5e3, "widget.js": 4e3, "visits.js": 3e3,
  "studio.css": 5e3, "preview.js": 1e3, "studio.js": 200e3, "site.css": 5e3, "pages.css": 3e3, "pages.js": 5e3, "frames.js": 2e3,
  "views.css": 8e3, "builder.css": 3e3, "builder.js": 3e3, "board.js": 2e3, "tree.js": 2.5e3, "timeline.js": 2.5e3, "inbox.js": 2e3, "calendar.js": 3e3, "resources.js": 3e3,
  "map.js": 48e3, "map.css": 4e3, "land.json": 140e3, // map pages alone; the land comes after the points
};
const FIRST_LOAD = ["app.css", "core.js", "theme.js", "icons.svg", "geist.woff2"];
const FIRST_LOAD_BUDGET = 100e3;

const FONTS = {
  "geist.woff2": "@fontsource-variable/geist/files/geist-latin-wght-normal.woff2",
  "geist-ext.woff2": "@fontsource-variable/geist/files/geist-latin-ext-wght-normal.woff2",
  "geist-mono.woff2": "@fontsource-variable/geist-mono/files/geist-mono-latin-wght-normal.woff2",
};
const HTMX = ["htmx.min.js", "ext/hx-csp.min.js"];
const SHIPPED = [
  "@fontsource-variable/geist", "@fontsource-variable/geist-mono", "basecoat-css", "htmx.org", "lucide-static", "tailwindcss",
  ...["autocomplete", "commands", "lang-css", "lang-html", "lang-javascript", "lang-jinja", "lang-json", "lang-markdown", "lang-yaml", "language", "lint", "search", "state", "view"].map((name) => `@codemirror/${name}`),
  "leaflet", "supercluster", "kdbush", "world-atlas",
];

const AXE = "vendor/axe-core"; // axe.min.js and LICENSE as `npm pack axe-core@4.14.1` gives them, unchanged

const files = new Map(); // name on disk -> bytes
const manifest = {}; // plain name -> what templates need to know

const fromModules = (name) => path.join("node_modules", name);
const brotli = (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
const gzip = (bytes) => gzipSync(bytes, { level: 9 });

function emit(name, content) {
  const bytes = Buffer.from(content);
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 10);
  const { name: stem, ext } = path.parse(name);
  const file = `${stem}.${hash}${ext}`;
  const packed = ext === ".woff2" ? bytes : brotli(bytes);
  files.set(file, bytes);
  if (packed !== bytes) {
    files.set(`${file}.br`, packed);
    files.set(`${file}.gz`, gzip(bytes));
  }
  const integrity = "sha384-" + createHash("sha384").update(bytes).digest("base64");
  manifest[name] = { file, integrity, bytes: bytes.length };
  sizes[name] = packed.length;
}
const sizes = {};

// Leaflet's style sheet names pictures of controls that are not used.
const NO_PICTURES = { name: "no-pictures", setup: (setup) => setup.onResolve({ filter: /\.png$/ }, () => ({ path: "data:,", external: true })) };

async function bundle(entry) {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: "es2022",
    legalComments: "none",
    plugins: [NO_PICTURES],
  });
  return result.outputFiles[0].text;
}

function css(entry) {
  const cli = fromModules("@tailwindcss/cli/dist/index.mjs");
  const text = execFileSync(process.execPath, [cli, "-i", entry, "--minify"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  return text.replace(/url\((geist[\w-]*\.woff2)\)/g, (_, name) => `url(${manifest[name].file})`);
}

function sprite() {
  const names = readFileSync("icons.txt", "utf8").split(/\s+/).filter(Boolean);
  const symbols = names.map((name) => {
    const svg = readFileSync(fromModules(`lucide-static/icons/${name}.svg`), "utf8");
    const shapes = svg.match(/<svg[^>]*>([\s\S]*)<\/svg>/)[1].replace(/\s+/g, " ").replaceAll(" />", "/>").trim();
    return `<symbol id="${name}" viewBox="0 0 24 24">${shapes}</symbol>`;
  });
  // stroke and fill are inherited from the element that uses the symbol: see .icon
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
}

// Natural Earth's land and borders (1:50m): lines as whole numbers from one corner to the next, in hundredths of a degree.
function land() {
  const atlas = JSON.parse(readFileSync(fromModules("world-atlas/countries-50m.json"), "utf8"));
  const scale = 100;
  const turn = 360 * scale;
  const packed = (line) => {
    const out = [];
    let at = [0, 0];
    const step = (lng, lat) => {
      if (out.length && !lng && !lat) return;
      out.push(lng, lat);
      at = [at[0] + lng, at[1] + lat];
    };
    for (const corner of line) {
      const [lng, lat] = corner.map((degrees) => Math.round(degrees * scale));
      // a line goes on over the 180th meridian, not back around the earth
      step(lng - at[0] - (out.length ? turn * Math.round((lng - at[0]) / turn) : 0), lat - at[1]);
    }
    if (Math.abs(at[0] - out[0]) === turn) { // around the pole: Antarctica goes on to it
      step(0, -90 * scale - at[1]);
      step(out[0] - at[0], 0);
    }
    return out;
  };
  const outlines = topojson.feature(atlas, atlas.objects.land).features[0].geometry.coordinates;
  const borders = topojson.mesh(atlas, atlas.objects.countries, (one, other) => one !== other).coordinates;
  return JSON.stringify({ scale, land: outlines.map((rings) => rings.map(packed)), borders: borders.map(packed) });
}

function licences() {
  const axe = `=== axe-core 4.14.1 (MPL-2.0)\n\n${readFileSync(`${AXE}/LICENSE`, "utf8").trim()}\n`;
  const shipped = SHIPPED.map(fromModules).map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    return `=== ${name} ${version} (${license})\n\n${file ? readFileSync(path.join(folder, file), "utf8").trim() : ""}\n`;
  });
  return [...shipped, axe].join("\n");
}

async function makeAll() {
  for (const [name, source] of Object.entries(FONTS)) emit(name, readFileSync(fromModules(source))); // style sheets name them
  emit("app.css", css("src/css/app.css"));
  emit("widget.css", css("src/css/widget.css"));
  emit("served.css", css("src/css/served.css"));
  emit("site.css", css("src/css/site.css"));
  emit("pages.css", css("src/css/pages.css"));
  emit("fleet.css", await bundle("src/css/fleet.css"));
  emit("views.css", await bundle("src/css/views.css"));
  const htmx = HTMX.map((name) => readFileSync(fromModules(`htmx.org/dist/${name}`), "utf8"));
  const own = await bundle("src/js/core.js");
  emit("core.js", [...htmx, own].map((text) => text.replace(/^\/\/# sourceMappingURL.*$/gm, "")).join("\n;"));
  emit("theme.js", await bundle("src/js/theme.js"));
  emit("widget.js", await bundle("src/js/widget.js"));
  emit("preview.js", await bundle("src/js/preview.js"));
  emit("studio.css", await bundle("src/css/studio.css"));
  emit("studio.js", await bundle("src/js/studio.js"));
  emit("frames.js", await bundle("src/js/frames.js"));
  emit("visits.js", await bundle("src/js/visits.js"));
  emit("builder.css", await bundle("src/css/builder.css"));
  emit("builder.js", await bundle("src/js/builder.js"));
  emit("board.js", await bundle("src/js/board.js"));
  emit("tree.js", await bundle("src/js/tree.js"));
  emit("inbox.js", await bundle("src/js/inbox.js"));
  emit("calendar.js", await bundle("src/js/calendar.js"));
  emit("resources.js", await bundle("src/js/resources.js"));
  emit("timeline.js", await bundle("src/js/timeline.js"));
  emit("map.css", await bundle("src/css/map.css"));
  emit("map.js", await bundle("src/js/map.js"));
  emit("land.json", land());
  emit("pages.js", await bundle("src/js/pages.js"));
  emit("axe.js", readFileSync(`${AXE}/axe.min.js`)); // for the server's own browser (app/studio/publishing); no page loads it
  emit("icons.svg", sprite());
  emit("favicon.svg", readFileSync("src/favicon.svg"));
  files.set("LICENSES.txt", Buffer.from(licences()));
  files.set("manifest.json", Buffer.from(JSON.stringify(manifest, null, 1) + "\n"));
}

function overBudget() {
  const rows = Object.entries(BUDGETS).map(([name, max]) => [name, sizes[name], max]);
  rows.push(["first load", FIRST_LOAD.reduce((sum, name) => sum + sizes[name], 0), FIRST_LOAD_BUDGET]);
  for (const [name, size, max] of rows) console.log(`${size > max ? "OVER" : "ok  "} ${name.padEnd(11)} ${size} of ${max} B brotli`);
  return rows.some(([, size, max]) => size > max);
}

function unpacked(file, bytes) {
  if (file.endsWith(".br")) return brotliDecompressSync(bytes);
  return file.endsWith(".gz") ? gunzipSync(bytes) : bytes;
}

function differences() {
  const present = existsSync(OUT) ? readdirSync(OUT) : [];
  return [...new Set([...present, ...files.keys()])].filter((file) => {
    const there = path.join(OUT, file);
    return !files.has(file) || !existsSync(there) || !unpacked(file, readFileSync(there)).equals(unpacked(file, files.get(file)));
  });
}

function write() {
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  for (const [file, bytes] of files) writeFileSync(path.join(OUT, file), bytes);
  console.log(`wrote ${files.size} files to static/dist`);
}

await makeAll();
if (overBudget()) process.exit(1);
if (CHECK) {
  const found = differences();
  for (const file of found) console.error(`static/dist/${file} is not what the sources build; run npm run build`);
  process.exit(found.length ? 1 : 0);
}
write();
