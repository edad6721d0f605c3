// The Studio's editor: the text area becomes CodeMirror; checks mark their lines; everything is sent by the form itself.
import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { css } from "@codemirror/lang-css";
import { javascript } from "@codemirror/lang-javascript";
import { jinja } from "@codemirror/lang-jinja";
import { json } from "@codemirror/lang-json";
import { markdown } from "@codemirror/lang-markdown";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { forEachDiagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, hoverTooltip, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { each, on } from "./dom.js";
import { coverage, showCoverage } from "./studio-coverage.js";
import { schemaProblems } from "./studio-check.js";
import { chosenScreen, keepScreen, previewAgain, previewChanged } from "./studio-preview.js";
import { completions, describe, loadSchema } from "./studio-schema.js";
import { describeWord, wordCompletions } from "./studio-words.js";

const nonce = document.querySelector("script[nonce]").nonce;
const LANGUAGES = { yaml, js: javascript, json, css, md: markdown, html: jinja, txt: jinja, svg: jinja };

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier, tags.tagName], color: "var(--syn-keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--syn-string)" },
  { tag: tags.comment, color: "var(--syn-comment)", fontStyle: "italic" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--syn-number)" },
  { tag: [tags.propertyName, tags.attributeName, tags.definition(tags.propertyName)], color: "var(--syn-name)" },
  { tag: [tags.function(tags.variableName), tags.heading], color: "var(--syn-call)" },
  { tag: [tags.meta, tags.className, tags.typeName], color: "var(--syn-meta)" },
]);
const look = EditorView.theme({
  "&": { height: "100%", fontSize: "0.8125rem", backgroundColor: "var(--card)", color: "var(--foreground)" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "1.65" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--muted-foreground)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in oklch, var(--muted) 70%, transparent)" },
  ".cm-cursor": { borderLeftColor: "var(--brand)" },
  "&.cm-focused": { outline: "none" },
  ".cm-tooltip": { backgroundColor: "var(--popover)", color: "var(--foreground)", border: "1px solid var(--border)", borderRadius: "0.5rem" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--brand-soft)", color: "var(--foreground)" },
  ".cm-panels": { backgroundColor: "var(--muted)", color: "var(--foreground)" },
  ".cm-diagnosticAction": { backgroundColor: "var(--primary)", color: "var(--primary-foreground)", borderRadius: "0.375rem", padding: "0.125rem 0.5rem" },
  ".cm-diagnosticSource": { display: "none" },
  ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": { backgroundColor: "var(--brand-soft)" },
});

let view = null;

each("#source", (area) => {
  if (view?.dom.isConnected) return;
  const form = area.form;
  const language = LANGUAGES[form.dataset.language];
  const manifest = form.elements.path.value === "module.yaml";
  const named = [{ autocomplete: wordCompletions(form.dataset.language) }]; // one function: CodeMirror tells sources apart by it
  const save = () => (form.querySelector("#save") ? (form.requestSubmit(), true) : false);
  view = new EditorView({
    state: EditorState.create({
      doc: area.value,
      extensions: [
        EditorView.cspNonce.of(nonce),
        EditorView.contentAttributes.of({ tabindex: "0", "aria-label": `${form.elements.path.value}, source. Tab indents; press Escape, then Tab, to leave.` }),
        EditorState.readOnly.of(area.readOnly),
        lineNumbers(), foldGutter(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(),
        highlightActiveLine(), highlightActiveLineGutter(), highlightSelectionMatches(), lintGutter(), coverage, look,
        syntaxHighlighting(colours),
        manifest ? autocompletion({ override: [completions] }) : autocompletion(),
        manifest ? [] : EditorState.languageData.of(() => named),
        hoverTooltip((editor, position) => described(manifest ? describe(editor.state, position) : describeWord(editor.state, position, form.dataset.language))),
        language ? language() : [],
        keymap.of([
          { key: "Mod-s", run: save, preventDefault: true },
          { key: "Mod-Shift-Enter", run: () => press("#preview") },
          { key: "Mod-Enter", run: () => press("#run-tests") },
          { key: "Tab", run: acceptCompletion },
          ...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap, ...lintKeymap,
          indentWithTab,
        ]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged || update.selectionSet) where(update.state);
          if (!update.docChanged) return;
          area.value = update.state.doc.toString();
          area.dispatchEvent(new Event("input", { bubbles: true }));
          said("Not saved");
          if (manifest) checkSoon();
        }),
      ],
    }),
  });
  area.hidden = true;
  area.after(view.dom);
  if (manifest) loadSchema(document.getElementById("studio").dataset.schema).then(() => view.dom.isConnected && checkSoon());
  mark();
  where(view.state);
  showCoverage(view, form.elements.path.value);
  toLine(location.hash);
});

function described(found) {
  if (!found) return null;
  return {
    pos: found.from, end: found.to, above: true,
    create() {
      const dom = document.createElement("div");
      dom.className = "studio-tip";
      dom.textContent = found.text;
      return { dom };
    },
  };
}

/** Sends a form beside the text, where its button can be pressed. */
function press(selector) {
  const button = document.querySelector(`${selector} button:not([disabled])`);
  button?.click();
  return Boolean(button);
}

/** The line and column, and what is wrong in this line. */
function where(state) {
  const place = document.getElementById("status-place");
  if (!place) return;
  const { head } = state.selection.main;
  const line = state.doc.lineAt(head);
  place.textContent = `Ln ${line.number}, Col ${head - line.from + 1}`;
  const here = problems().find((one) => one.line === line.number);
  const problem = document.getElementById("status-problem");
  problem.textContent = here ? `Line ${here.line}: ${here.message}` : "";
  problem.dataset.tone = here?.severity === "error" ? "bad" : "warn";
}

function problems() {
  return JSON.parse(document.getElementById("panes")?.dataset.problems || "[]");
}

document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key === "p" && !event.shiftKey) {
    event.preventDefault();
    document.getElementById("studio-q")?.select();
  } else if (key === "enter" && !event.defaultPrevented && !event.target.closest(".cm-editor")) {
    if (press(event.shiftKey ? "#preview" : "#run-tests")) event.preventDefault();
  }
});

const said = (text) => {
  const place = document.getElementById("saved");
  if (place) place.textContent = text;
};

/** Marks the problems of this file that the server found in its last answer. */
function mark() {
  const panes = document.getElementById("panes");
  if (!view || !panes?.dataset.problems) return;
  clearTimeout(checking);
  const { doc } = view.state;
  const marks = JSON.parse(panes.dataset.problems)
    .filter((one) => one.line <= doc.lines)
    .map((one) => {
      const line = doc.line(one.line);
      const from = Math.min(line.from + Math.max(0, one.column - 1), line.to);
      return { from, to: line.to, severity: one.severity, message: (one.path ? `${one.path}: ` : "") + one.message };
    });
  view.dispatch(setDiagnostics(view.state, marks));
}

let checking = 0;

/** Marks what the schema says against the manifest once the keys have rested; what the server said stays beside it. */
function checkSoon() {
  clearTimeout(checking);
  checking = setTimeout(() => {
    const kept = [];
    forEachDiagnostic(view.state, (one, from, to) => {
      if (one.source !== "schema") kept.push({ ...one, from, to });
    });
    const { doc } = view.state;
    const told = new Set(kept.map((one) => doc.lineAt(one.from).number));
    const found = schemaProblems(view.state).filter((one) => !told.has(doc.lineAt(one.from).number));
    view.dispatch(setDiagnostics(view.state, [...kept, ...found]));
  }, 500);
}

function toLine(hash) {
  const number = Number(/^#L(\d+)$/.exec(hash)?.[1]);
  if (!view || !number || number > view.state.doc.lines) return;
  const line = view.state.doc.line(number);
  view.dispatch({ selection: { anchor: line.from }, effects: EditorView.scrollIntoView(line.from, { y: "center" }) });
  view.focus();
}

on("click", "[data-line]", (link, event) => {
  if (!link.dataset.line) return;
  event.preventDefault();
  toLine(`#L${link.dataset.line}`);
});

const openPath = () => document.getElementById("editor")?.elements.path.value ?? "";

// a save that waited for the one before is over the revision which that one made
document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement?.id === "editor") ctx.request.body.set("base", document.getElementById("base").value);
});

document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  if (ctx.sourceElement?.id === "editor") ctx.keptScreen = chosenScreen();
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (view && document.querySelector("#tests-result [data-coverage]")) showCoverage(view, openPath());
  previewChanged();
  if (ctx.sourceElement?.id === "editor") saved(ctx);
});

// after a save: the revision to save over next, marks, and the preview again when one is shown
function saved(ctx) {
  const panes = document.getElementById("panes");
  if (!panes) return;
  keepScreen(ctx.keptScreen ?? "");
  previewChanged();
  if ("clash" in panes.dataset || (ctx.response?.status ?? 200) >= 400) return said("Not saved");
  const base = document.getElementById("base");
  base.value = base.defaultValue = panes.dataset.base;
  const area = document.getElementById("source");
  area.defaultValue = ctx.request.body.get("content").replace(/\r\n/g, "\n"); // what is typed meanwhile is not saved yet
  area.dispatchEvent(new Event("input", { bubbles: true }));
  said(area.value === area.defaultValue ? "Saved" : "Not saved");
  mark();
  where(view.state);
  if (panes.dataset.errors === "0") previewAgain();
}
