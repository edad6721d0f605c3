// Where the pointer is on a chart: the numbers of that step, read from the table under it.

function leave(plot) {
  plot.querySelector("[data-tip]").hidden = true;
  plot.querySelector("[data-cursor]").removeAttribute("data-on");
}

function line(colour, name, value) {
  const row = document.createElement("p");
  if (colour) row.append(Object.assign(document.createElement("i"), { className: colour }));
  row.append(Object.assign(document.createElement("span"), { textContent: name }));
  row.append(Object.assign(document.createElement("span"), { textContent: value }));
  return row;
}

function show(plot, event) {
  const rows = plot.parentElement.querySelectorAll("tbody tr");
  const heads = plot.parentElement.querySelectorAll("thead th");
  if (!rows.length) return;
  const box = plot.getBoundingClientRect();
  const end = Math.max(rows.length - 1, 1);
  const step = Math.min(rows.length - 1, Math.max(0, Math.round(((event.clientX - box.left) / box.width) * end)));
  const cells = rows[step].children;
  const tip = plot.querySelector("[data-tip]");
  tip.replaceChildren(Object.assign(document.createElement("b"), { textContent: cells[0].textContent }));
  for (let i = 1; i < cells.length; i++) {
    if (cells[i].textContent) tip.append(line(heads[i].className, heads[i].textContent, cells[i].textContent));
  }
  const cursor = plot.querySelector("[data-cursor]");
  cursor.setAttribute("x1", `${(step * 100) / end}%`);
  cursor.setAttribute("x2", `${(step * 100) / end}%`);
  cursor.setAttribute("data-on", "");
  tip.hidden = false;
  const at = (step / end) * box.width;
  tip.style.transform = `translate(${Math.max(0, at > box.width / 2 ? at - tip.offsetWidth - 12 : at + 12)}px, 12px)`;
}

document.addEventListener("pointermove", (event) => {
  const plot = event.target instanceof Element ? event.target.closest("[data-chart] .ch-plot") : null;
  for (const other of document.querySelectorAll("[data-chart] .ch-plot")) if (other !== plot) leave(other);
  if (plot) show(plot, event);
});
