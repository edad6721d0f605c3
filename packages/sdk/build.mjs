// Builds static/sdk from src/: the current script under its major version, and the same bytes under its full version.
//
//   npm ci && npm run build    writes static/sdk, which is committed: users and servers need no Node
//   npm run check              builds in memory; fails when static/sdk differs or the budget is exceeded
//
// What is under a full version never changes: pages of other people name it with its hash. A change needs a new version.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from "node:zlib";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const OUT = path.join(HERE, "..", "..", "static", "sdk");
const BUDGET = 15_000; // bytes, gzip
const CHECK = process.argv.includes("--check");
const { version } = JSON.parse(readFileSync(path.join(HERE, "package.json"), "utf8"));
const major = version.split(".")[0];

async function bundle() {
  const result = await build({
    absWorkingDir: HERE,
    entryPoints: ["src/index.ts"],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: "es2022",
    legalComments: "none",
    define: { VERSION: JSON.stringify(version) },
    banner: { js: `/* Dramac SDK ${version} */` },
  });
  return Buffer.from(result.outputFiles[0].contents);
}

function unpacked(file, bytes) {
  if (file.endsWith(".br")) return brotliDecompressSync(bytes);
  return file.endsWith(".gz") ? gunzipSync(bytes) : bytes;
}

const script = await bundle();
const gzip = gzipSync(script, { level: 9 });
const brotli = brotliCompressSync(script, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
const integrity = "sha384-" + createHash("sha384").update(script).digest("base64");
const list = path.join(OUT, "releases.json");
const releases = existsSync(list) ? JSON.parse(readFileSync(list, "utf8")) : {};
releases[version] = { integrity, bytes: script.length, gzip: gzip.length };

const files = new Map([["releases.json", Buffer.from(JSON.stringify(releases, null, 1) + "\n")]]);
for (const folder of [`v${major}`, `v${version}`]) {
  files.set(`${folder}/dramac.js`, script);
  files.set(`${folder}/dramac.js.gz`, gzip);
  files.set(`${folder}/dramac.js.br`, brotli);
}

console.log(`${gzip.length > BUDGET ? "OVER" : "ok  "} dramac.js ${gzip.length} of ${BUDGET} B gzip, ${script.length} B plain`);
if (gzip.length > BUDGET) process.exit(1);
if (CHECK) {
  const differs = [...files].filter(([file, bytes]) => {
    const there = path.join(OUT, file);
    return !existsSync(there) || !unpacked(file, readFileSync(there)).equals(unpacked(file, bytes));
  });
  for (const [file] of differs) console.error(`static/sdk/${file} is not what the sources build; run npm run build`);
  process.exit(differs.length ? 1 : 0);
}
for (const [file, bytes] of files) {
  mkdirSync(path.join(OUT, path.dirname(file)), { recursive: true });
  writeFileSync(path.join(OUT, file), bytes);
}
console.log(`wrote ${files.size} files to static/sdk`);
