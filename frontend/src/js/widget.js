// Pages of the runtime origin. In a frame they speak with the host page: packages/sdk/src/child.
import "./conditions.js";
import "./counting-here.js";
import "./own-page.js";
import "../../../packages/sdk/src/child/index.ts";

// the first thing to correct, after a form came back
document.querySelector("[data-error-summary], [aria-invalid=true]")?.focus();
