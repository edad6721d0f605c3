// What module.yaml may say at the cursor, from its published JSON Schema: names to complete, words about them.
let schema = null;
let coming = null; // what is typed before the schema is there waits for it

export function loadSchema(url) {
  return (coming ??= fetch(url, { credentials: "omit" })
    .then(async (answer) => answer.ok && (schema = await answer.json()))
    .catch(() => (coming = null))); // the next editor that opens asks again; the server judges all the same
}

const KEY = /^(\s*)(?:- )?(?:"([^"]+)"|([A-Za-z_][\w.-]*))\s*:/;

/** The keys above a line, from the outermost, by their indentation. */
function keysAbove(doc, number, indent) {
  const keys = [];
  let least = indent;
  for (let at = number - 1; at > 0 && least > 0; at -= 1) {
    const match = KEY.exec(doc.line(at).text);
    if (match && match[1].length < least) {
      keys.unshift(match[2] ?? match[3]);
      least = match[1].length;
    }
  }
  return keys;
}

/** {keys, word, from, value}: the path at a position, the word begun there, and whether a value is being written. */
function place(state, position) {
  const line = state.doc.lineAt(position);
  const before = line.text.slice(0, position - line.from);
  const word = /[\w.-]*$/.exec(before)[0];
  const keys = keysAbove(state.doc, line.number, /^\s*/.exec(line.text)[0].length);
  const own = KEY.exec(before);
  const flow = before.slice(0, before.length - word.length);
  const open = [];
  for (const part of flow.matchAll(/([A-Za-z_][\w.-]*)\s*:\s*(?=\{)|\{|\}|\[|\]/g)) {
    if (part[1]) open.push(part[1]);
    else if (part[0] === "}") open.pop();
    else if (part[0] === "{" && open.at(-1) !== undefined && flow.slice(0, part.index).trimEnd().endsWith(":")) continue;
    else if (part[0] === "{") open.push("");
  }
  const inside = open.filter(Boolean);
  const value = /([A-Za-z_][\w.-]*)\s*:\s*$/.exec(flow);
  const path = [...keys, ...inside];
  if (value && inside.at(-1) !== value[1]) path.push(value[1]);
  else if (!inside.length && own && !value) return { keys: [...keys, own[2] ?? own[3]], word, from: position - word.length, value: true };
  return { keys: path, word, from: position - word.length, value: Boolean(value) };
}

const opened = (node, seen = 0) => (node?.$ref && seen < 9 ? opened(node.$ref.slice(2).split("/").reduce((at, key) => at?.[key], schema), seen + 1) : node);

/** Every form the whole manifest may take; none until the schema has come. */
export const schemaForms = () => (schema ? forms(schema) : []);

/** Every form a node may take. */
export function forms(node) {
  const found = opened(node);
  if (!found) return [];
  return [found, ...[...(found.anyOf ?? []), ...(found.oneOf ?? []), ...(found.allOf ?? [])].flatMap(forms)];
}

/** The nodes that a path of keys leads to; items of lists are stepped into by themselves. */
function nodes(keys) {
  let at = forms(schema);
  for (const key of keys) {
    at = at.flatMap((node) => [node, ...forms(node.items)]);
    at = at.flatMap((node) => {
      if (node.properties?.[key]) return forms(node.properties[key]);
      const pattern = Object.values(node.patternProperties ?? {});
      return [...pattern, ...(typeof node.additionalProperties === "object" ? [node.additionalProperties] : [])].flatMap(forms);
    });
  }
  return at.flatMap((node) => [node, ...forms(node.items)]);
}

export async function completions(context) {
  if (!schema) await coming;
  if (!schema || context.aborted) return null;
  const here = place(context.state, context.pos);
  if (!here.word && !context.explicit) return null;
  const options = new Map();
  for (const node of nodes(here.keys)) {
    if (here.value) {
      for (const value of node.enum ?? (node.const !== undefined ? [node.const] : [])) options.set(String(value), { label: String(value), type: "enum" });
      if (node.type === "boolean") for (const value of ["true", "false"]) options.set(value, { label: value, type: "constant" });
    } else {
      for (const [name, child] of Object.entries(node.properties ?? {})) {
        options.set(name, { label: name, type: "property", apply: `${name}: `, info: forms(child).find((one) => one.description)?.description });
      }
    }
  }
  return options.size ? { from: here.from, options: [...options.values()], validFor: /^[\w.-]*$/ } : null;
}

export function describe(state, position) {
  if (!schema) return null;
  const line = state.doc.lineAt(position);
  const at = position - line.from;
  const word = [...line.text.matchAll(/[A-Za-z_][\w.-]*(?=\s*:)/g)].find((one) => one.index <= at && at <= one.index + one[0].length);
  if (!word) return null;
  const here = place(state, line.from + word.index);
  const text = nodes([...here.keys, word[0]]).find((one) => one.description)?.description;
  return text ? { from: line.from + word.index, to: line.from + word.index + word[0].length, text } : null;
}
