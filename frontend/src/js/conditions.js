// Conditional fields: data-visible-if='{"status": "open"}' on a wrapper. The browser twin of the server's evaluator;
// the server decides in the end and drops what is not visible.
//
//   condition = {field: value} | {field: {op: value, …}} | {"any": […]} | {"all": […]} | {"not": condition}
//   all entries of one object must hold; op: eq ne gt gte lt lte in nin contains starts is
import { each, on } from "./dom.js";

const asNumber = (value) => (value === "" || value === null || value === undefined ? NaN : Number(value));
const same = (a, b) => (Array.isArray(a) ? a.map(String).includes(String(b)) : String(a ?? "") === String(b ?? ""));
const compare = (a, b) => {
  const [x, y] = [asNumber(a), asNumber(b)];
  if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  return a === "" || a === undefined || a === null ? NaN : String(a) < String(b) ? -1 : Number(String(a) !== String(b));
};

const OPERATORS = {
  eq: same,
  ne: (a, b) => !same(a, b),
  gt: (a, b) => compare(a, b) > 0,
  gte: (a, b) => compare(a, b) >= 0,
  lt: (a, b) => compare(a, b) < 0,
  lte: (a, b) => compare(a, b) <= 0,
  in: (a, b) => b.some((value) => same(a, value)),
  nin: (a, b) => !b.some((value) => same(a, value)),
  contains: (a, b) => (Array.isArray(a) ? same(a, b) : String(a ?? "").toLowerCase().includes(String(b).toLowerCase())),
  starts: (a, b) => String(a ?? "").toLowerCase().startsWith(String(b).toLowerCase()),
  is: (a, b) => {
    const empty = a === undefined || a === null || a === "" || a === false || (Array.isArray(a) && a.length === 0);
    return b === null || b === "null" || b === "empty" ? empty : b === "not_null" ? !empty : same(a, b);
  },
};

/** Whether a condition holds for {field: value}. */
export function holds(condition, values) {
  return Object.entries(condition).every(([key, wanted]) => {
    if (key === "any") return wanted.some((part) => holds(part, values));
    if (key === "all") return wanted.every((part) => holds(part, values));
    if (key === "not") return !holds(wanted, values);
    const tests = wanted !== null && typeof wanted === "object" && !Array.isArray(wanted) ? wanted : { [Array.isArray(wanted) ? "in" : "eq"]: wanted };
    return Object.entries(tests).every(([op, value]) => OPERATORS[op]?.(values[key], value) ?? false);
  });
}

/** {name: value} of a form as it stands: a lone checkbox gives true or false, several give a list. */
export function valuesOf(form) {
  const values = {};
  for (const control of form.elements) {
    if (!control.name || control.closest("[data-hidden-by-condition]")) continue;
    if (control.type === "checkbox") {
      const group = form.querySelectorAll(`input[type=checkbox][name="${CSS.escape(control.name)}"]`);
      values[control.name] = group.length > 1 ? [...group].filter((box) => box.checked).map((box) => box.value) : control.checked;
    } else if (control.type === "radio") {
      if (control.checked) values[control.name] = control.value;
      else values[control.name] ??= "";
    } else if (control.multiple && control.selectedOptions) {
      values[control.name] = [...control.selectedOptions].map((option) => option.value);
    } else {
      values[control.name] = control.value;
    }
  }
  return values;
}

function update(form) {
  // one field may depend on another that is itself hidden, so go round until nothing moves
  const parts = [...form.querySelectorAll("[data-visible-if]")];
  for (let round = 0; round <= parts.length; round += 1) {
    const values = valuesOf(form);
    const moved = parts.filter((part) => show(part, holds(JSON.parse(part.dataset.visibleIf), values)));
    if (moved.length === 0) return;
  }
}

function show(part, visible) {
  const was = !part.hasAttribute("data-hidden-by-condition");
  if (was === visible) return false;
  part.toggleAttribute("data-hidden-by-condition", !visible);
  part.hidden = !visible;
  part.querySelectorAll("input, select, textarea").forEach((control) => {
    if (visible) {
      if (control.dataset.disabledHere !== undefined) control.disabled = false;
      delete control.dataset.disabledHere;
    } else if (!control.disabled) {
      control.disabled = true; // a disabled control is neither sent nor checked
      control.dataset.disabledHere = "";
    }
  });
  return true;
}

const conditional = (form) => form && form.querySelector("[data-visible-if]") && update(form);
on("input", "form", conditional);
on("change", "form", conditional);
on("reset", "form", (form) => setTimeout(() => conditional(form)));
each("form:has([data-visible-if])", conditional);
