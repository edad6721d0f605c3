"""Small charts drawn on the server as SVG: no script, no style attributes, colours from CSS classes c1 to c5."""

from collections.abc import Sequence
from itertools import pairwise

from flask import Flask
from markupsafe import Markup

WIDTH, HEIGHT, TOP = 100.0, 34.0, 3.0


def _points(values: Sequence[float]) -> list[tuple[float, float]]:
    low, high = min(values), max(values)
    span = (high - low) or 1
    step = WIDTH / max(len(values) - 1, 1)
    floor = HEIGHT - TOP
    return [(i * step, floor - (value - low) / span * (floor - TOP)) for i, value in enumerate(values)]


def curve(points: list[tuple[float, float]]) -> str:
    """Path through the points whose tangents are level, so that it never dips below a value that is not there."""
    path = f"M{points[0][0]:.2f},{points[0][1]:.2f}"
    for (x0, y0), (x1, y1) in pairwise(points):
        pull = (x1 - x0) * 0.42
        path += f" C{x0 + pull:.2f},{y0:.2f} {x1 - pull:.2f},{y1:.2f} {x1:.2f},{y1:.2f}"
    return path


def spark(values: Sequence[float], colour: str = "c1") -> Markup:
    """A trend line for a tile or a row; decoration beside the number it belongs to. At least two values, else nothing."""
    if len(values) < 2:
        return Markup("")
    line = curve(_points(values))
    return Markup(
        '<svg class="spark {}" viewBox="0 0 100 34" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="ch-fill" d="{} L100,34 L0,34 Z"/>'
        '<path class="ch-line" vector-effect="non-scaling-stroke" d="{}"/></svg>'
    ).format(colour, line, line)


def bars(
    chart_id: str,
    *,
    title: str,
    labels: Sequence[str],
    values: Sequence[int],
    every: int = 1,
    colour: str = "c1",
    column: str = "Day",
    of: str = "Number",
) -> Markup:
    """Vertical bars with the same numbers as a table under them.

    labels: one for each value, e.g. days; every: print each n-th label on the axis; column, of: heads of the table.
    """
    top = max([*values, 1])
    slot = 100 / max(len(values), 1)
    shapes, ticks, rows = [], [], []
    for i, (label, value) in enumerate(zip(labels, values, strict=True)):
        tall = value / top * 84
        shapes.append(
            Markup(
                '<rect class="ch-bar {}" x="{:.2f}%" width="{:.2f}%" y="{:.2f}%" height="{:.2f}%" rx="2">'
                "<title>{}: {:,}</title></rect>"
            ).format(colour, i * slot + slot * 0.18, slot * 0.64, 86 - tall, max(tall, 0.6), label, value)
        )
        if i % every == 0:
            ticks.append(
                Markup('<text class="ch-tick" x="{:.2f}%" y="100%" dy="-2" text-anchor="middle">{}</text>').format(
                    i * slot + slot / 2, label
                )
            )
        rows.append(Markup('<tr><th scope="row">{}</th><td>{:,}</td></tr>').format(label, value))
    return Markup(
        '<figure class="ch"><svg class="chart" width="100%" height="180" role="img" aria-labelledby="{id}-t">'
        '<title id="{id}-t">{title}</title><line class="ch-grid" x1="0" x2="100%" y1="86%" y2="86%"/>'
        "{shapes}{ticks}</svg>"
        '<details class="ch-data"><summary>View as table</summary><div class="ch-scroll" tabindex="0" role="region" '
        'aria-label="{title}, as a table"><table><thead><tr><th scope="col">{column}</th><th scope="col">{of}</th></tr>'
        "</thead><tbody>{rows}</tbody></table></div></details></figure>"
    ).format(
        id=chart_id,
        title=title,
        shapes=Markup("").join(shapes),
        ticks=Markup("").join(ticks),
        rows=Markup("").join(rows),
        column=column,
        of=of,
    )


def register_charts(app: Flask) -> None:
    """Jinja globals `spark` and `bars`."""
    app.jinja_env.globals.update(spark=spark, bars=bars)
