"""Larger charts drawn on the server as SVG: a line with the stretch before, stacked bars, a week by the hour. As charts.py."""

from __future__ import annotations

import math
from collections.abc import Sequence

from flask import Flask
from markupsafe import Markup

from app.web.charts import curve

Named = tuple[str, Sequence[int], str]
"""A row of a chart: its name, a value for each label, its colour class."""
Gapped = tuple[str, Sequence[float | None], str]
"""The same of what was not measured everywhere."""
_NICE = (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10)


def nice_top(most: float) -> float:
    """The end of an axis that holds `most`: four steps of it are round."""
    if most <= 4:
        return 4
    tens = 10.0 ** math.floor(math.log10(most))
    return next(step * tens for step in _NICE if step * tens >= most)


def short(value: float) -> str:
    """1.2k, 3M"""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.1f}".rstrip("0").rstrip(".") + letter
    return f"{value:g}"


def area(
    chart_id: str,
    *,
    title: str,
    labels: Sequence[str],
    lines: Sequence[Named],
    marks: Sequence[tuple[int, str]] = (),
    column: str = "Day",
    height: int = 260,
) -> Markup:
    """Lines over one axis, the first filled; marks: (step from 0, what happened there). The numbers stand in a table under it."""
    top = nice_top(max((max(values, default=0) for _, values, _ in lines), default=0) * 1.05)
    end = max(len(labels) - 1, 1)
    shapes = []
    for number, (_, values, colour) in reversed(list(enumerate(lines))):
        path = curve([(i * 100 / end, 100 - value / top * 100) for i, value in enumerate(values)])
        if number == 0:
            shapes.append(Markup('<path class="ch-area {}" d="{} L100,100 L0,100 Z"/>').format(colour, path))
        shapes.append(
            Markup('<path class="ch-line {}" vector-effect="non-scaling-stroke" d="{}"/>').format(colour, path)
        )
    flags = [
        Markup(
            '<g class="ch-mark"><line x1="{x:.2f}%" x2="{x:.2f}%" y1="8%" y2="92%"/><circle cx="{x:.2f}%" cy="8%" r="4"/>'
            "<title>{label}: {text}</title></g>"
        ).format(x=step * 100 / end, label=labels[step], text=text)
        for step, text in marks
    ]
    svg = Markup(
        '<svg class="chart" width="100%" height="{}" role="img" aria-labelledby="{id}-t"><title id="{id}-t">{}</title>{}'
        '<svg x="0" y="8%" width="100%" height="84%" viewBox="0 0 100 100" preserveAspectRatio="none" overflow="visible">{}</svg>'
        '{}{}<line class="ch-cursor" x1="0" x2="0" y1="8%" y2="92%" data-cursor/></svg>'
    ).format(
        height, title, _grid(top, 8, 84), Markup("").join(shapes), Markup("").join(flags), ticks(labels, every_for(len(labels))),
        id=chart_id,
    )  # fmt: skip
    return Markup(
        '<figure class="ch" data-chart><div class="ch-plot">{}<div class="ch-tip" data-tip hidden></div></div>{}</figure>'
    ).format(svg, table_of(title, labels, lines, column, dict(marks)))


def course(
    chart_id: str, *, title: str, labels: Sequence[str], lines: Sequence[Gapped], column: str = "Day", height: int = 190
) -> Markup:
    """Lines over one axis that stop where nothing was measured; what was measured alone is a dot."""
    known = [value for _, values, _ in lines for value in values if value is not None]
    top, end, shapes = nice_top(max(known, default=0) * 1.05), max(len(labels) - 1, 1), []
    for _, values, colour in reversed(lines):
        for piece in _pieces(values):
            points = [(i * 100 / end, 100 - value / top * 100) for i, value in piece]
            path = curve(points) if len(points) > 1 else f"M{points[0][0]:.2f},{points[0][1]:.2f} h0.01"
            shapes.append(
                Markup('<path class="ch-line {}"{} vector-effect="non-scaling-stroke" d="{}"/>').format(
                    colour, Markup(" data-dot") if len(points) == 1 else "", path
                )
            )
    svg = Markup(
        '<svg class="chart" width="100%" height="{}" role="img" aria-labelledby="{id}-t"><title id="{id}-t">{}</title>{}'
        '<svg x="0" y="8%" width="100%" height="80%" viewBox="0 0 100 100" preserveAspectRatio="none" overflow="visible">{}</svg>'
        '{}<line class="ch-cursor" x1="0" x2="0" y1="8%" y2="88%" data-cursor/></svg>'
    ).format(
        height, title, _grid(top, 8, 80), Markup("").join(shapes), ticks(labels, every_for(len(labels), 6)), id=chart_id,
    )  # fmt: skip
    return Markup(
        '<figure class="ch" data-chart><div class="ch-plot">{}<div class="ch-tip" data-tip hidden></div></div>{}</figure>'
    ).format(svg, table_of(title, labels, lines, column))


def _pieces(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Stretches without a gap, as (place, value)."""
    found: list[list[tuple[int, float]]] = [[]]
    for i, value in enumerate(values):
        if value is not None:
            found[-1].append((i, value))
        elif found[-1]:
            found.append([])
    return [piece for piece in found if piece]


def stack(
    chart_id: str, *, title: str, labels: Sequence[str], rows: Sequence[Named], column: str = "Day", height: int = 190
) -> Markup:
    """Bars whose parts stand on each other."""
    top = nice_top(max((sum(values[i] for _, values, _ in rows) for i in range(len(labels))), default=0))
    slot = 100 / max(len(labels), 1)
    shapes = []
    for i, label in enumerate(labels):
        base = 88.0
        for name, values, colour in rows:
            tall = values[i] / top * 80
            if tall <= 0:
                continue
            base -= tall
            shapes.append(
                Markup(
                    '<rect class="ch-bar {}" x="{:.2f}%" width="{:.2f}%" y="{:.2f}%" height="{:.2f}%" rx="2">'
                    "<title>{}: {} {:,}</title></rect>"
                ).format(colour, i * slot + slot * 0.16, slot * 0.68, base, max(tall - 0.4, 0.4), label, name, values[i])
            )  # fmt: skip
    svg = Markup(
        '<svg class="chart" width="100%" height="{}" role="img" aria-labelledby="{id}-t"><title id="{id}-t">{}</title>{}{}{}</svg>'
    ).format(
        height, title, _grid(top, 8, 80), Markup("").join(shapes), ticks(labels, every_for(len(labels), 6), middle=slot / 2),
        id=chart_id,
    )  # fmt: skip
    return Markup('<figure class="ch">{}{}</figure>').format(svg, table_of(title, labels, rows, column))


def heat(
    chart_id: str, *, title: str, rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[int]]
) -> Markup:
    """A square for each row and column, darker for more."""
    most = max((max(row) for row in values), default=0) or 1
    cells = [
        Markup('<rect class="hm hm{}" x="{}" y="{}" width="12" height="12" rx="3"><title>{} {}: {:,}</title></rect>').format(
            min(5, math.ceil(value / most * 5)), c * 14 + 26, r * 14, rows[r], columns[c], value
        )
        for r, row in enumerate(values)
        for c, value in enumerate(row)
    ]  # fmt: skip
    names = [
        Markup('<text class="hm-name" x="0" y="{}">{}</text>').format(r * 14 + 10, name[:3])
        for r, name in enumerate(rows)
    ]
    hours = [
        Markup('<text class="hm-name" x="{}" y="{}" text-anchor="middle">{}</text>').format(
            c * 14 + 32, len(rows) * 14 + 9, name
        )
        for c, name in enumerate(columns)
        if c % 6 == 0 or c == len(columns) - 1
    ]
    svg = Markup(
        '<svg class="heat" viewBox="0 0 {} {}" role="img" aria-labelledby="{id}-t"><title id="{id}-t">{}</title>{}{}{}</svg>'
    ).format(
        len(columns) * 14 + 30, len(rows) * 14 + 12, title, Markup("").join(cells), Markup("").join(names), Markup("").join(hours),
        id=chart_id,
    )  # fmt: skip
    lines = [(name, row, "") for name, row in zip(rows, values, strict=True)]
    return Markup('<figure class="ch">{}{}</figure>').format(svg, table_of(title, columns, lines, "Hour"))


def every_for(number: int, most: int = 7) -> int:
    """Every how many labels one is written, so that at most `most` are."""
    return max(1, math.ceil(number / most))


def table_of(
    title: str,
    labels: Sequence[str],
    rows: Sequence[Named] | Sequence[Gapped],
    column: str,
    notes: dict[int, str] | None = None,
) -> Markup:
    """The chart's numbers as a table that opens; where the pointer is, the browser reads them from it."""
    heads = Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(Markup(' class="{}"').format(c) if c else "", n) for n, _, c in rows
    )
    told = notes or {}
    if told:
        heads += Markup('<th scope="col">Changes</th>')
    lines = Markup("").join(
        Markup('<tr><th scope="row">{}</th>{}{}</tr>').format(
            label,
            Markup("").join(_cell(values[i]) for _, values, _ in rows),
            Markup("<td>{}</td>").format(told.get(i, "")) if told else "",
        )
        for i, label in enumerate(labels)
    )
    return Markup(
        '<details class="ch-data"><summary>View as table</summary><div class="ch-scroll" tabindex="0" role="region" '
        'aria-label="{0}, as a table"><table><thead><tr><th scope="col">{1}</th>{2}</tr></thead><tbody>{3}</tbody></table></div>'
        "</details>"
    ).format(title, column, heads, lines)


def _cell(value: float | None) -> Markup:
    return (
        Markup("<td>–</td>")
        if value is None
        else Markup("<td>{:,}</td>").format(int(value) if value == int(value) else value)
    )


def register_graphs(app: Flask) -> None:
    """Jinja globals `area`, `course`, `stack`, `heat`."""
    app.jinja_env.globals.update(area=area, course=course, stack=stack, heat=heat)


def _grid(top: float, begins: float, tall: float) -> Markup:
    lines = Markup("").join(
        Markup('<line class="ch-grid" x1="0" x2="100%" y1="{0:.1f}%" y2="{0:.1f}%"/>').format(begins + tall * k / 4)
        for k in range(5)
    )
    return lines + Markup("").join(
        Markup('<text class="ch-tick" x="0" y="{:.1f}%" dy="-5">{}</text>').format(
            begins + tall * k / 4, short(top * (4 - k) / 4)
        )
        for k in range(4)
    )


def ticks(labels: Sequence[str], every: int, *, middle: float = 0) -> Markup:
    """Labels along the foot of a chart, each `every`-th; middle: half of a bar's slot, when they stand under bars."""
    end = max(len(labels) - 1, 1)
    found = []
    for i, label in enumerate(labels):
        if i % every or (middle == 0 and 0 < end - i < every * 0.6):
            continue
        anchor = "middle" if middle or 0 < i < end else "start" if i == 0 else "end"
        at = i * 100 / max(len(labels), 1) + middle if middle else i * 100 / end
        found.append(
            Markup('<text class="ch-tick" x="{:.2f}%" y="100%" dy="-3" text-anchor="{}">{}</text>').format(
                at, anchor, label
            )
        )
    return Markup("").join(found)
