// What is wrong in module.yaml while it is written, by its published JSON Schema: names that there are not, words that are no choice.
// References between its parts are the server's to judge, when it is saved.
import { ensureSyntaxTree } from "@codemirror/language";
import { forms, schemaForms } from "./studio-schema.js";

const VALUES = new Set(["BlockMapping", "FlowMapping", "BlockSequence", "FlowSequence", "Literal", "QuotedLiteral", "BlockLiteral"]);
const QUOTED = /^(["'])(.*)\1$/s;

/** The nearest of some names, and null when none is near: a third of its letters may be other ones, or its first four begin one. */
export function nearest(word, names) {
  if (word.length > 60) return null;
  let found = null;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const name of names) {
    const far = distance(word.toLowerCase(), name.toLowerCase());
    if (far < least) [found, least] = [name, far];
  }
  return found ?? names.find((name) => word.length > 3 && name.startsWith(word.slice(0, 4))) ?? null;
}

/** How many letters have to be put in, taken out, changed, or swapped with the next. */
function distance(a, b) {
  let before = [];
  let row = [...Array(b.length + 1).keys()];
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    [before, row] = [row, next];
  }
  return row[b.length];
}

/** Diagnostics of a manifest as it is typed; none until the schema has come. */
export function schemaProblems(state) {
  const root = schemaForms();
  const tree = root.length ? ensureSyntaxTree(state, state.doc.length, 100) : null;
  const found = [];
  const top = tree?.topNode.getChild("Document") ?? tree?.topNode;
  for (const node of top ? children(top) : []) look(node, root, state, found);
  return found;
}

function look(node, allowed, state, found) {
  if (found.length > 50) return;
  if (node.name === "BlockMapping" || node.name === "FlowMapping") return inMapping(node, allowed, state, found);
  if (node.name === "BlockSequence" || node.name === "FlowSequence") {
    const items = allowed.flatMap((one) => forms(one.items));
    for (const item of node.getChildren("Item")) for (const inner of children(item)) look(inner, items, state, found);
    return;
  }
  if (node.name === "Literal" || node.name === "QuotedLiteral") isChoice(node, allowed, state, found);
}

function inMapping(node, allowed, state, found) {
  const pairs = node.getChildren("Pair").flatMap((pair) => {
    const key = pair.getChild("Key")?.firstChild;
    const value = children(pair).find((one) => VALUES.has(one.name));
    return key ? [{ key, name: text(key, state), value }] : [];
  });
  const given = Object.fromEntries(pairs.map((one) => [one.name, one.value && scalar(one.value) ? text(one.value, state) : null]));
  const objects = narrowed(allowed.filter(isObject), given);
  if (!objects.length) return;
  for (const { key, name, value } of pairs) {
    const below = objects.flatMap((one) => ofKey(one, name) ?? []);
    if (!objects.some((one) => ofKey(one, name))) {
      const names = [...new Set(objects.flatMap((one) => Object.keys(one.properties ?? {})))].filter((one) => !(one in given));
      if (names.length) found.push(problem(key, `There is no ${name} here`, nearest(name, names)));
    } else if (value) look(value, below, state, found);
  }
}

const isObject = (one) => Boolean(one.properties || one.patternProperties || one.additionalProperties !== undefined || one.type === "object");
const scalar = (node) => node.name === "Literal" || node.name === "QuotedLiteral";

/** Of several forms those whose fixed words are the ones that stand there, such as `type: enum`; all when none fits. */
function narrowed(objects, given) {
  const fitting = objects.filter((one) => Object.entries(one.properties ?? {}).every(([name, child]) => {
    const words = forms(child).flatMap((form) => form.enum ?? (form.const === undefined ? [] : [form.const]));
    return given[name] === undefined || given[name] === null || !words.length || words.map(String).includes(given[name]);
  }));
  return fitting.length ? fitting : objects;
}

/** The forms of what stands under a key; null where the key may not be. */
function ofKey(one, name) {
  if (one.properties && Object.hasOwn(one.properties, name)) return forms(one.properties[name]);
  const pattern = Object.entries(one.patternProperties ?? {}).find(([text]) => new RegExp(text, "u").test(name));
  if (pattern) return forms(pattern[1]);
  if (one.additionalProperties === false) return null;
  return typeof one.additionalProperties === "object" ? forms(one.additionalProperties) : [];
}

function isChoice(node, allowed, state, found) {
  const kinds = allowed.filter((one) => one.enum || one.const !== undefined || one.type);
  const words = kinds.flatMap((one) => one.enum ?? (one.const === undefined ? [] : [one.const]));
  if (!words.length || !kinds.every((one) => one.enum || one.const !== undefined) || kinds.length !== leaves(allowed)) return;
  const value = text(node, state);
  if (!words.map(String).includes(value)) found.push(problem(node, `${value} is none of ${words.slice(0, 12).join(", ")}`, nearest(value, words.map(String))));
}

/** How many of the forms say something themselves; those that only gather others do not. */
const leaves = (allowed) => allowed.filter((one) => !(one.anyOf || one.oneOf || one.allOf)).length;

function problem(node, message, near) {
  const actions = near === null ? [] : [{ name: `Change to ${near}`, apply: (view, from, to) => view.dispatch({ changes: { from, to, insert: near } }) }];
  return { from: node.from, to: node.to, severity: "error", source: "schema", message: message + (near === null ? "." : `. Did you mean ${near}?`), actions };
}

function text(node, state) {
  const found = state.sliceDoc(node.from, node.to);
  return QUOTED.exec(found)?.[2] ?? found;
}

function children(node) {
  const found = [];
  for (let child = node.firstChild; child; child = child.nextSibling) found.push(child);
  return found;
}
