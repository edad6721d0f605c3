// Runs once per page, however often the script is there.
import { makeApi, type Api } from "./api.ts";
import { DramacModule, setRuntime } from "./element.ts";

interface Waiting {
  q?: ArrayLike<unknown>[];
  version?: string;
}
type Host = typeof globalThis & { dramac?: Api & Waiting };

const script = document.currentScript as HTMLScriptElement | null;
const host = globalThis as Host;

/** `<script data-install data-page data-mode …>`: the page goes where the script stands, or into data-container. */
function placeBeside(element: HTMLScriptElement, api: Api): void {
  const { install, moduleId, container, ...rest } = element.dataset;
  if (!install && !moduleId) return;
  whenParsed(() => {
    const spot = container ? document.querySelector(container) : null;
    const holder = spot ?? document.createElement("div");
    if (!spot && document.body.contains(element)) element.after(holder);
    else if (!spot) document.body.append(holder);
    api.mount(holder, { install: install ?? moduleId, ...rest });
  });
}

function whenParsed(act: () => void): void {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", act, { once: true });
  else act();
}

function replay(waiting: ArrayLike<unknown>[], api: Api): void {
  for (const call of Array.from(waiting)) {
    const [command, ...given] = Array.from(call);
    try {
      api(String(command), ...given);
    } catch (error) {
      reportError(error); // one bad call of the host does not take the others with it
    }
  }
}

function start(): void {
  const waiting = host.dramac?.q ?? [];
  const api = makeApi();
  host.dramac = api;
  setRuntime(new URL(script?.src || location.href).origin);
  if (!customElements.get("dramac-module")) customElements.define("dramac-module", DramacModule);
  whenParsed(() => replay(waiting, api));
}

if (!host.dramac?.version) start();
if (script) placeBeside(script, host.dramac!);
