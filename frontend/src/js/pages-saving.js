// Saving in the page editor: by itself while somebody writes, again when nobody answered, and not at all while two
// people's words have to be chosen between. What is not saved is said, kept in this browser, and warned of before leaving.
import { on } from "./dom.js";
import { begin, drop, keep } from "./pages-kept.js";

const WAIT_MS = 900;
const ANSWER_MS = 15_000;
const FIRST_MS = 2_000;
const LAST_MS = 30_000;

const parse = (html) => new DOMParser().parseFromString(html, "text/html");
const conflicted = () => document.querySelector("[data-conflict]") !== null;

/** form: the editor's; saved(): called after each save. Returns what the rest of the editor tells and asks. */
export function saving(form, saved) {
  const problem = document.getElementById("save-problem");
  const state = () => document.getElementById("save-state");
  const here = form.dataset.here;
  let timer = 0;
  let running = null; // the save under way
  let stale = conflicted(); // something was written since the last save began
  let trouble = ""; // which of the templates save-… is shown
  let wait = 0; // ms until the next try; 0 while all is well
  let leaving = false;

  const fields = () => [...new FormData(form)].filter(([name, value]) => name !== "csrf_token" && !(value instanceof File));

  function post(values) {
    const body = new FormData();
    for (const [name, value] of values) body.append(name, value);
    body.set("csrf_token", form.elements.csrf_token.value);
    body.set("do", "auto");
    return fetch(form.action, { method: "POST", body, signal: AbortSignal.timeout(ANSWER_MS) });
  }

  /** [what came of it, the part of the page in the answer]: saved, refused, or as the templates save-… are called. */
  async function attempt(values, again = false) {
    try {
      const answer = await post(values);
      const part = parse(await answer.text()).body.firstElementChild;
      if (answer.ok && part?.id === "save-state") return ["saved", part];
      if (part?.className === "save-problem") return ["refused", part];
      if (!answer.redirected && answer.status !== 403) return ["away"];
      const who = await renewed();
      return who === "same" && !again ? attempt(values, true) : [who === "same" ? "other" : who];
    } catch {
      return ["away"];
    }
  }

  /** Who is signed in by now. A new session has a new token, which every form of this page takes over. */
  async function renewed() {
    const answer = await fetch(here, { signal: AbortSignal.timeout(ANSWER_MS) });
    const signIn = new URL(document.getElementById("save-out").content.querySelector("a").getAttribute("href"), location).pathname;
    if (answer.redirected) return new URL(answer.url).pathname === signIn ? "out" : "other";
    if (answer.status >= 500) return "away";
    const page = parse(await answer.text());
    if (page.querySelector("form[data-page-editor]")?.dataset.writer !== form.dataset.writer) return "other";
    const token = page.querySelector("#page-form [name=csrf_token]").value;
    for (const input of document.querySelectorAll("input[name=csrf_token]")) input.value = token;
    document.querySelector("meta[name=csrf-token]")?.setAttribute("content", token);
    return "same";
  }

  function say(what) {
    if (trouble !== what) problem.replaceChildren(document.getElementById(`save-${what}`).content.cloneNode(true));
    trouble = what;
  }

  function took(part) {
    state().replaceWith(part);
    problem.replaceChildren();
    trouble = "";
    wait = 0;
    drop();
    if (stale) later();
    saved();
  }

  function notTaken(what, part) {
    stale = true;
    keep(fields());
    state().dataset.unsaved = "problem";
    if (what === "refused") {
      problem.replaceChildren(part);
      trouble = "";
      wait = 0; // the next change tries again
      return;
    }
    say(what);
    wait = Math.min(wait * 2 || FIRST_MS, LAST_MS);
    timer = setTimeout(save, wait);
  }

  async function send() {
    stale = false;
    const [what, part] = await attempt(fields());
    if (what === "saved") took(part);
    else notTaken(what, part);
  }

  async function save() {
    clearTimeout(timer);
    while (running) await running;
    if (!stale || conflicted()) return;
    running = send().finally(() => (running = null));
    await running;
  }

  function later() {
    stale = true;
    if (wait || conflicted()) return keepSoon(); // a try is planned, or somebody has to choose first
    state().dataset.unsaved = "saving";
    clearTimeout(timer);
    timer = setTimeout(save, WAIT_MS);
  }

  let keeping = 0;
  function keepSoon() {
    clearTimeout(keeping);
    keeping = setTimeout(() => stale && keep(fields()), WAIT_MS);
  }

  const tryNow = () => wait && stale && !document.hidden && save();
  addEventListener("online", tryNow);
  addEventListener("focus", tryNow); // signed in again in another tab
  document.addEventListener("visibilitychange", tryNow);
  on("click", "#save-now", tryNow);
  addEventListener("pageshow", () => (leaving = false));
  addEventListener("beforeunload", (event) => {
    if (!leaving && (stale || running)) event.preventDefault();
  });

  on("click", "[data-conflict] button", async (button, event) => {
    event.preventDefault();
    document.querySelector("[name=revision]").value = button.value.split(":")[1];
    document.querySelectorAll("[data-conflict]").forEach((one) => one.remove());
    stale = true;
    await save();
    if (stale) return;
    history.replaceState(null, "", here); // the answer to a form has no address of its own
    document.querySelector(".page-write-acts button").focus();
  });
  on("click", "[data-conflict] a", () => {
    leaving = true;
    drop();
  });

  const kept = begin(form.dataset.page, form.dataset.writer, conflicted());
  if (conflicted()) {
    keep(fields());
    state().dataset.unsaved = "problem";
  } else if (kept) offer();

  function offer() {
    const box = document.getElementById("kept-words");
    box.replaceChildren(document.getElementById("save-kept").content.cloneNode(true));
    box.querySelector("[data-when]").textContent = new Date(kept.at).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    on("click", "#kept-away", () => {
      drop(kept.key);
      box.replaceChildren();
    });
    on("click", "#kept-back", putBack);
  }

  async function putBack() {
    const [what, part] = await attempt(kept.fields);
    if (what === "saved" || what === "refused") leaving = true;
    if (what === "saved") {
      drop(kept.key);
      location.assign(here);
    } else if (part?.matches("[data-conflict]")) {
      // the answer to the whole form has both people's words to choose between
      submitAll(kept.fields);
      drop(kept.key); // that answer keeps them anew
    } else if (part) problem.replaceChildren(part);
    else say(what);
  }

  function submitAll(values) {
    const whole = document.createElement("form");
    whole.method = "post";
    whole.action = form.action;
    for (const [name, value] of [...values, ["csrf_token", form.elements.csrf_token.value], ["do", "save"]]) {
      const field = document.createElement("textarea"); // an input would make one line of several
      field.name = name;
      field.value = value;
      whole.append(field);
    }
    whole.hidden = true;
    document.body.append(whole);
    whole.submit();
  }

  /** Before the whole form is sent: whether it may go now. What is not saved yet is saved first, since nobody shall leave
   * for a page that may not come; the form goes by itself then. */
  function mayLeave(button) {
    if (!stale && !running) return (leaving = true);
    save().then(() => {
      if (!stale) return form.requestSubmit(button ?? undefined);
      const why = document.querySelector("[data-conflict]") ?? problem;
      why.scrollIntoView({ block: "center" });
      if (document.activeElement === button) why.querySelector("button, a")?.focus(); // who has gone on writing keeps the keyboard
    });
    return false;
  }

  return { later, mayLeave };
}
