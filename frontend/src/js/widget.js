// Pages of the runtime origin. In a frame: tell the host page how tall we are, and only the host page that was named.
import "./conditions.js";

const { embed, parent: host } = document.documentElement.dataset;

if (window.parent !== window && host) {
  const report = () => {
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    window.parent.postMessage({ type: "dramac:height", embed, height }, host);
  };
  new ResizeObserver(report).observe(document.documentElement);
  report();
}

// the first thing to correct, after a form came back
document.querySelector("[data-error-summary], [aria-invalid=true]")?.focus();
