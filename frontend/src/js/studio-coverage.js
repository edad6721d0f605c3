// What the last run of the tests reached, beside the lines of the file that is open. The marks move with the text.
import { RangeSet, RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, gutter, GutterMarker } from "@codemirror/view";

const WORDS = { ran: "Reached by the tests", part: "Not every branch of this line was reached", not: "No test reached this line" };
const states = StateEffect.define();

class Mark extends GutterMarker {
  constructor(state) {
    super();
    this.state = state;
  }
  eq(other) {
    return other.state === this.state;
  }
  toDOM() {
    const dom = document.createElement("span");
    dom.className = `cm-reach cm-reach-${this.state}`;
    dom.title = WORDS[this.state];
    return dom;
  }
}
const MARKS = { ran: new Mark("ran"), part: new Mark("part"), not: new Mark("not") };
const LINES = { part: Decoration.line({ class: "cm-line-part" }), not: Decoration.line({ class: "cm-line-not" }) };

function drawn(doc, lines) {
  const marks = new RangeSetBuilder();
  const tints = new RangeSetBuilder();
  for (const [number, state] of Object.entries(lines).map(([line, state]) => [Number(line), state]).sort((a, b) => a[0] - b[0])) {
    if (number > doc.lines || !MARKS[state]) continue;
    const { from } = doc.line(number);
    marks.add(from, from, MARKS[state]);
    if (LINES[state]) tints.add(from, from, LINES[state]);
  }
  return { marks: marks.finish(), tints: tints.finish() };
}

const field = StateField.define({
  create: () => ({ marks: RangeSet.empty, tints: Decoration.none }),
  update(value, transaction) {
    for (const effect of transaction.effects) if (effect.is(states)) return drawn(transaction.state.doc, effect.value);
    return transaction.docChanged ? { marks: value.marks.map(transaction.changes), tints: value.tints.map(transaction.changes) } : value;
  },
  provide: (self) => EditorView.decorations.from(self, (value) => value.tints),
});

export const coverage = [field, gutter({ class: "cm-reach-gutter", markers: (view) => view.state.field(field).marks })];

/** Shows what the last run reached of a file, where it was run on the text that is open. */
export function showCoverage(view, path) {
  const told = document.querySelector("#tests-result [data-coverage]");
  const base = Number(document.getElementById("base")?.value || 0);
  const fits = told && Number(told.dataset.revision) >= base && view.state.doc.toString() === document.getElementById("source").defaultValue;
  if (told && !fits) return;
  const lines = told ? JSON.parse(told.dataset.coverage)[path] : undefined;
  view.dispatch({ effects: states.of(lines ?? {}) });
}
