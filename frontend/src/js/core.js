// Behaviour of the platform's pages. Everything is delegated from the document and driven by data attributes; every page
// works without it. One file for each subject.
import "./requests.js";
import "./theme-switch.js";
import "./dialogs.js";
import "./confirm.js";
import "./toasts.js";
import "./conditions.js";
import "./forms.js";
import "./menus.js";
import "./palette.js";
import "./keyboard.js";
import "./lists.js";
import "./live-log.js";
import "./copy.js";
import "./times.js";
import "./drop.js";
import "./upload.js";
import "./charts.js";

// htmx would begin in a timer; a busy browser hands out keys and clicks before timers, and what they ask for would be lost
window.htmx.initialize();
