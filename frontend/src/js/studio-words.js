// What may be named here, and a sentence about it: the words of this file come with the checks, made of the manifest.
const PATH = /[\w$-]+(?:\??\.[\w$-]+)*\.?$/;
const KINDS = { list: "variable", object: "variable", table: "class", function: "function", filter: "function", class: "class", variable: "constant" };

const words = () => {
  const text = document.getElementById("panes")?.dataset.words;
  return text ? JSON.parse(text) : [];
};

/** {name: path} of the loops a template has above a place: in {% for item in data.items %} item is data.items[]. */
function loops(text) {
  const found = {};
  for (const [, name, path] of text.matchAll(/\{%-?\s*for\s+(\w+)\s+in\s+([\w.]+)/g)) found[name] = `${resolved(path, found)}[]`;
  for (const [, name, path] of text.matchAll(/(?:const|let)\s+(\w+)\s*=\s*((?:ctx|input)(?:\.\w+)+)\b(?!\s*\()/g)) found[name] = path;
  return found;
}

function resolved(path, names) {
  const [first, ...rest] = path.replaceAll("?.", ".").split(".");
  return [names[first] ?? first, ...rest].join(".");
}

/** What stands before the cursor: the path begun, and whether it is code at all. */
function place(state, position, language) {
  const line = state.doc.lineAt(position);
  const before = line.text.slice(0, position - line.from);
  if (language === "css") {
    const match = /(?:\.|--)[\w-]*$/.exec(before);
    return match ? { text: match[0], from: position - match[0].length, css: true } : null;
  }
  const all = state.doc.sliceString(Math.max(0, position - 4000), position);
  if (language !== "js") {
    const open = Math.max(all.lastIndexOf("{{"), all.lastIndexOf("{%"));
    if (open < 0 || Math.max(all.lastIndexOf("}}"), all.lastIndexOf("%}")) > open) {
      const attribute = /class="[^"]*?([\w-]*)$/.exec(before);
      return attribute ? { text: attribute[1], from: position - attribute[1].length, classes: true } : null;
    }
    const filter = /\|\s*(\w*)$/.exec(before);
    if (filter) return { text: filter[1], from: position - filter[1].length, filter: true };
  }
  const match = PATH.exec(before);
  return { text: match?.[0] ?? "", from: position - (match?.[0].length ?? 0) };
}

export function wordCompletions(language) {
  return (context) => {
    const here = place(context.state, context.pos, language);
    if (!here || (!here.text && !context.explicit)) return null;
    const all = words();
    const option = (word, label) => ({ label, type: KINDS[word.kind] ?? "property", detail: word.kind, info: word.text });
    if (here.css) return { from: here.from, options: all.map((word) => option(word, word.label)), validFor: /^[.-][\w-]*$/ };
    if (here.classes) return { from: here.from, options: all.filter((word) => word.kind === "class").map((word) => option(word, word.label)), validFor: /^[\w-]*$/ };
    if (here.filter) return { from: here.from, options: all.filter((word) => word.kind === "filter").map((word) => option(word, word.label.slice(1))), validFor: /^\w*$/ };
    const names = loops(context.state.doc.sliceString(0, context.pos));
    const cut = here.text.lastIndexOf(".") + 1;
    const parent = cut ? `${resolved(here.text.slice(0, cut - 1), names)}.` : "";
    const options = all
      .filter(({ label, kind }) => kind !== "filter" && kind !== "class" && label.startsWith(parent) && !label.slice(parent.length).includes("."))
      .map((word) => option(word, word.label.slice(parent.length)));
    if (!parent) for (const name of Object.keys(names)) options.push({ label: name, type: "variable", detail: names[name] });
    return options.length ? { from: here.from + cut, options, validFor: /^[\w$-]*$/ } : null;
  };
}

export function describeWord(state, position, language) {
  const line = state.doc.lineAt(position);
  const at = position - line.from;
  const pattern = language === "css" ? /(?:\.|--)[\w-]+/g : /[\w$-]+(?:\??\.[\w$-]+)*/g;
  const match = [...line.text.matchAll(pattern)].find((one) => one.index <= at && at <= one.index + one[0].length);
  if (!match) return null;
  // the part up to the end of the word the pointer is on
  const rest = match[0].slice(at - match.index).search(/[.?]/);
  const text = language === "css" || rest < 0 ? match[0] : match[0].slice(0, at - match.index + rest);
  const path = resolved(text, loops(state.doc.sliceString(0, position)));
  const isFilter = /\|\s*$/.test(line.text.slice(0, match.index));
  const word = words().find(({ label }) => label === (isFilter ? `|${text}` : path) || label === text);
  return word ? { from: line.from + match.index, to: line.from + match.index + text.length, text: `${word.label} · ${word.kind}\n${word.text}` } : null;
}
