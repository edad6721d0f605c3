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
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, hoverTooltip, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { each, on } from "./dom.js";
import { completions, describe, loadSchema } from "./studio-schema.js";

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
  ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": { backgroundColor: "var(--brand-soft)" },
});

let view = null;

each("#source", (area) => {
  if (view?.dom.isConnected) return;
  const form = area.form;
  const language = LANGUAGES[form.dataset.language];
  const manifest = form.elements.path.value === "module.yaml";
  if (manifest) loadSchema(document.getElementById("studio").dataset.schema);
  const save = () => (form.querySelector("#save") ? (form.requestSubmit(), true) : false);
  view = new EditorView({
    state: EditorState.create({
      doc: area.value,
      extensions: [
        EditorView.cspNonce.of(nonce),
        EditorView.contentAttributes.of({ tabindex: "0", "aria-label": `${form.elements.path.value}, source. Tab indents; press Escape, then Tab, to leave.` }),
        EditorState.readOnly.of(area.readOnly),
        lineNumbers(), foldGutter(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(),
        highlightActiveLine(), highlightActiveLineGutter(), highlightSelectionMatches(), lintGutter(), look,
        syntaxHighlighting(colours),
        manifest ? autocompletion({ override: [completions] }) : autocompletion(),
        manifest ? hoverTooltip(described) : [],
        language ? language() : [],
        keymap.of([
          { key: "Mod-s", run: save, preventDefault: true },
          { key: "Tab", run: acceptCompletion },
          ...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap, ...lintKeymap,
          indentWithTab,
        ]),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          area.value = update.state.doc.toString();
          area.dispatchEvent(new Event("input", { bubbles: true }));
          said("Not saved");
        }),
      ],
    }),
  });
  area.hidden = true;
  area.after(view.dom);
  mark();
  toLine(location.hash);
});

function described(editor, position) {
  const found = describe(editor.state, position);
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

const said = (text) => {
  const place = document.getElementById("saved");
  if (place) place.textContent = text;
};

/** Marks the problems of this file that the server found in its last answer. */
function mark() {
  const panes = document.getElementById("panes");
  if (!view || !panes?.dataset.problems) return;
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

// after a save: the revision to save over next, marks, and the preview again when one is shown
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const panes = document.getElementById("panes");
  if (ctx.sourceElement?.id !== "editor" || !panes) return;
  if ("clash" in panes.dataset) return said("Not saved");
  if ((ctx.response?.status ?? 200) >= 400) return said("Not saved");
  const base = document.getElementById("base");
  base.value = base.defaultValue = panes.dataset.base;
  const area = document.getElementById("source");
  area.defaultValue = area.value;
  area.dispatchEvent(new Event("input", { bubbles: true }));
  said("Saved");
  mark();
});
