// Words of the page editor that could not be saved, kept in this browser for one page and the person who wrote them.
// Each tab has its own, so that two do not write over each other's; what an earlier load of the page left is offered.
const MOST_DAYS = 30;

let start = "";
let tab = "";

const newest = (entries) => entries.sort((one, other) => other.at - one.at)[0];

function tabName(fresh) {
  const name = (!fresh && sessionStorage.getItem("dramac.tab")) || Date.now().toString(36) + Math.random().toString(36).slice(2);
  sessionStorage.setItem("dramac.tab", name);
  return name;
}

function read(key) {
  try {
    const found = JSON.parse(localStorage.getItem(key));
    return Array.isArray(found?.fields) ? { key, ...found } : null;
  } catch {
    return null;
  }
}

/** What was kept of this page for this person and not saved since: {key, at, fields}, or undefined. again: the fields hold it. */
export function begin(page, writer, again) {
  start = `dramac.page.${page}.${writer}.`;
  tab = tabName(false);
  if (!again && localStorage.getItem(start + tab)) tab = tabName(true); // what it holds is to be decided on first
  const entries = [];
  for (const key of Object.keys(localStorage).filter((one) => one.startsWith(start) && one !== start + tab)) {
    const entry = read(key);
    if (entry && Date.now() - entry.at < MOST_DAYS * 86_400_000) entries.push(entry);
    else localStorage.removeItem(key);
  }
  return again ? undefined : newest(entries);
}

/** fields: [[name, value]] of the form. A browser without room, or that keeps nothing, leaves them in the window alone. */
export function keep(fields) {
  try {
    localStorage.setItem(start + tab, JSON.stringify({ at: Date.now(), fields }));
  } catch {
    /* the window still has them, and warns before it closes */
  }
}

export function drop(key = start + tab) {
  localStorage.removeItem(key);
}
