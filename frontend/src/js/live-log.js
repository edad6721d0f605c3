// The live view of logs: a line that is told again, as a job is when it ends, takes the place of the one before.
document.addEventListener("htmx:after:swap", () => {
  if (!document.getElementById("log-tail")) return;
  const newest = new Map();
  for (const line of document.querySelectorAll("#log-lines [data-line]")) {
    const again = newest.get(line.dataset.line);
    if (!again) {
      newest.set(line.dataset.line, line);
      continue;
    }
    if (line.querySelector("details").open) again.querySelector("details").open = true;
    line.remove();
  }
});
