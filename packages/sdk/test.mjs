// Bundles test/*.test.ts and hands them to Node's own test runner. What needs a browser is tested in one, in tests/e2e.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const out = mkdtempSync(path.join(tmpdir(), "dramac-sdk-"));
const names = readdirSync(path.join(HERE, "test")).filter((name) => name.endsWith(".test.ts"));
try {
  await build({
    absWorkingDir: HERE,
    entryPoints: names.map((name) => `test/${name}`),
    bundle: true,
    outdir: out,
    outExtension: { ".js": ".mjs" },
    format: "esm",
    platform: "node",
    logLevel: "warning",
  });
  const files = names.map((name) => path.join(out, name.replace(/\.ts$/, ".mjs")));
  process.exitCode = spawnSync(process.execPath, ["--test", "--test-reporter=spec", ...files], { stdio: "inherit" }).status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
