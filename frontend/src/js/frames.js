// On a site's own pages: a module's frame is as tall as its page, and a hole where the module does not answer. Without this it
// keeps the height its author chose.
import { Link } from "../../../packages/sdk/src/link.ts";

function fit(frame) {
  const link = new Link(frame, "null", {
    connected: () => {
      frame.hidden = false; // a page that was only slow
      link.say({ type: "welcome", theme: document.documentElement.dataset.theme, tokens: {}, fit: true });
    },
    said: (message) => {
      if (message.type === "height" && message.height > 0) frame.height = message.height;
    },
    silent: () => {
      if (!link.connected) frame.hidden = true; // what a visitor has come to within a frame stays where it is
    },
  });
  link.open(frame.getAttribute("src"));
}

// as they are parsed: a lazy frame has not asked for its page yet, so that it asks once, with what it needs to greet
new MutationObserver((changes) => {
  for (const change of changes) {
    for (const node of change.addedNodes) if (node instanceof HTMLIFrameElement && node.hasAttribute("data-fit")) fit(node);
  }
}).observe(document.documentElement, { childList: true, subtree: true });
