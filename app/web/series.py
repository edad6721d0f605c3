"""Charts of one figure over time, drawn as graphs.py does: values may be below zero, or not there at all."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from flask import Flask
from markupsafe import Markup

from app.web.charts import curve
from app.web.graphs import nice_top, short, ticks

Heights = Sequence[float | None]
_BEGINS, _TALL = 8.0, 80.0
_MOST_LABELS = 4
_WIDEST = 14.0  # of a bar, in percent of the drawing


def series(
    chart_id: str,
    *,
    title: str,
    labels: Sequence[str],
    values: Heights,
    shown: Sequence[str],
    column: str,
    of: str,
    bars: bool = False,
    height: int = 200,
) -> Markup:
    """A line, or bars. values: heights, None where there is no figure: the line has a gap there; shown: the same figures as
    the table under the chart says them.
    """
    top, bottom = ends([value for value in values if value is not None])
    ys = [None if value is None else (top - value) / (top - bottom) * 100 for value in values]
    zero = top / (top - bottom) * 100
    inner = _bars(labels, ys, shown, zero) if bars else _line(ys, zero)
    slot = 100 / max(len(labels), 1)
    svg = Markup(
        '<svg class="chart" width="100%" height="{height}" role="img" aria-labelledby="{id}-t"><title id="{id}-t">{title}</title>'
        '{grid}<svg x="0" y="{begins}%" width="100%" height="{tall}%" viewBox="0 0 100 100" preserveAspectRatio="none" '
        'overflow="visible">{inner}</svg>{ticks}{cursor}</svg>'
    ).format(
        height=height, id=chart_id, title=title, begins=_BEGINS, tall=_TALL, grid=_grid(top, bottom), inner=inner,
        ticks=ticks(_some(labels), 1, middle=slot / 2 if bars else 0),
        cursor="" if bars else Markup('<line class="ch-cursor" x1="0" x2="0" y1="8%" y2="88%" data-cursor/>'),
    )  # fmt: skip
    lines = Markup("").join(
        Markup('<tr><th scope="row">{}</th><td>{}</td></tr>').format(label, text or "–")
        for label, text in zip(labels, shown, strict=True)
    )
    return Markup(
        '<figure class="ch"{point}><div class="ch-plot">{svg}{tip}</div><details class="ch-data"><summary>View as table'
        '</summary><div class="ch-scroll" tabindex="0" role="region" aria-label="{title}, as a table"><table><thead><tr>'
        '<th scope="col">{column}</th><th scope="col" class="c1">{of}</th></tr></thead><tbody>{lines}</tbody></table></div>'
        "</details></figure>"
    ).format(
        svg=svg, title=title, column=column, of=of, lines=lines, point="" if bars else Markup(" data-chart"),
        tip="" if bars else Markup('<div class="ch-tip" data-tip hidden></div>'),
    )  # fmt: skip


def _some(labels: Sequence[str]) -> list[str]:
    """As many labels as a phone has room for, the last one among them; the others left out."""
    last, step = len(labels) - 1, max(1, math.ceil(len(labels) / _MOST_LABELS))
    return [label if (last - i) % step == 0 else "" for i, label in enumerate(labels)]


def ends(values: Sequence[float]) -> tuple[float, float]:
    """The upper and lower end of an axis that holds these values and zero."""
    most, least = max(values, default=0.0), min(values, default=0.0)
    top = _round_end(most) if most > 0 else 0.0
    bottom = -_round_end(-least) if least < 0 else 0.0
    return (top, bottom) if top > bottom else (4.0, 0.0)


def _round_end(most: float) -> float:
    if most <= 20:  # four steps of a count are whole
        if most >= 1:
            return float(math.ceil(most / 4) * 4)
    else:
        return nice_top(most)
    tens = 10.0 ** math.floor(math.log10(most))
    return next(step * tens for step in (1, 2, 4, 8, 10) if step * tens >= most)


def _line(ys: Sequence[float | None], zero: float) -> Markup:
    end = max(len(ys) - 1, 1)
    shapes = Markup("")
    for points in _runs([None if y is None else (i * 100 / end, y) for i, y in enumerate(ys)]):
        if len(points) == 1:  # a line of no length with round ends is a dot that the stretched drawing leaves round
            shapes += Markup(
                '<path class="ch-line ch-dot c1" vector-effect="non-scaling-stroke" d="M{:.2f},{:.2f} h0"/>'
            ).format(*points[0])
            continue
        path = curve(points)
        shapes += Markup(
            '<path class="ch-area c1" d="{0} L{1:.2f},{3:.2f} L{2:.2f},{3:.2f} Z"/>'
            '<path class="ch-line c1" vector-effect="non-scaling-stroke" d="{0}"/>'
        ).format(path, points[-1][0], points[0][0], zero)
    return shapes


def _runs(points: Sequence[tuple[float, float] | None]) -> Iterator[list[tuple[float, float]]]:
    """The stretches without a gap."""
    run: list[tuple[float, float]] = []
    for point in [*points, None]:
        if point is not None:
            run.append(point)
        elif run:
            yield run
            run = []


def _bars(labels: Sequence[str], ys: Sequence[float | None], shown: Sequence[str], zero: float) -> Markup:
    slot = 100 / max(len(ys), 1)
    width = min(slot * 0.64, _WIDEST)
    return Markup("").join(
        Markup('<rect class="ch-bar c1" x="{:.2f}" width="{:.2f}" y="{:.2f}" height="{:.2f}"><title>{}: {}</title></rect>').format(
            i * slot + (slot - width) / 2, width, min(y, zero), max(abs(zero - y), 0.6), labels[i], shown[i]
        )
        for i, y in enumerate(ys)
        if y is not None
    )  # fmt: skip


def _grid(top: float, bottom: float) -> Markup:
    at = [(_BEGINS + _TALL * k / 4, top - (top - bottom) * k / 4) for k in range(5)]
    lines = Markup("").join(
        Markup('<line class="ch-grid" x1="0" x2="100%" y1="{0:.1f}%" y2="{0:.1f}%"/>').format(y) for y, _ in at
    )
    return lines + Markup("").join(
        Markup('<text class="ch-tick" x="0" y="{:.1f}%" dy="-5">{}</text>').format(
            y, ("−" if value < 0 else "") + short(abs(round(value, 10)))
        )
        for y, value in at[: 4 if bottom == 0 else 5]
    )


def register_series(app: Flask) -> None:
    """Jinja global `series`."""
    app.jinja_env.globals.update(series=series)
