"""Everything a surface that answers HTML needs from this package, in one call."""

from collections.abc import Iterable

from flask import Flask, request
from jinja2 import StrictUndefined

from app.web.assets import register_assets
from app.web.brand import platform_brand
from app.web.charts import register_charts
from app.web.filters import register_filters
from app.web.graphs import register_graphs
from app.web.headers import Surface, register_headers
from app.web.htmx import register_htmx
from app.web.links import register_links
from app.web.once import form_number
from app.web.series import register_series

THEMES = ("light", "dark", "system")


def theme() -> str:
    """light, dark or system, from the cookie that the theme switch sets; system when it says anything else."""
    chosen = request.cookies.get("theme", "system")
    return chosen if chosen in THEMES else "system"


def register_ui(app: Flask, surface: Surface, *, frame_src: Iterable[str] = ()) -> None:
    """Strict templates with every filter and global of this package, static files, and the headers of `surface`."""
    env = app.jinja_env
    env.undefined = StrictUndefined
    env.trim_blocks = env.lstrip_blocks = True
    env.globals.update(theme=theme, brand=platform_brand, surface=surface, form_number=form_number)
    register_headers(app, surface, frame_src=frame_src)
    register_assets(app, surface)
    register_filters(app)
    register_htmx(app)
    register_links(app)
    register_charts(app)
    register_graphs(app)
    register_series(app)
