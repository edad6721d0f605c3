// Relative times grow old: <time data-ago> is rewritten each minute, in the page's language.
const STEPS = [
  ["year", 31536000],
  ["month", 2592000],
  ["week", 604800],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];
const words = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "always" });

function refresh() {
  document.querySelectorAll("time[data-ago]").forEach((time) => {
    const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
    const step = STEPS.find(([, size]) => Math.abs(seconds) >= size);
    if (step) time.textContent = words.format(Math.round(seconds / step[1]), step[0]);
  });
}

setInterval(refresh, 60000);

// What ends soon says how soon, each second: <time data-countdown datetime>. When it is over the page is asked for anew.
function count() {
  document.querySelectorAll("time[data-countdown]").forEach((time) => {
    const left = Math.round((Date.parse(time.dateTime) - Date.now()) / 1000);
    if (left < 0) return location.reload();
    time.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  });
}

count();
setInterval(count, 1000);
