"""One page of an install for one visitor: what its template sees, rendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from app.access.actors import Actor
from app.errors import NotFound
from app.modules.manifest.pages import Page
from app.runtime.context import InstallContext
from app.runtime.data.scoped import run
from app.runtime.functions.ctx import open_settings, site_facts
from app.runtime.pages.data import Send, page_data
from app.runtime.pages.params import read_color, read_params, read_theme
from app.runtime.render import render_template

SERVED = ("page", "form", "widget")


@dataclass(frozen=True, slots=True)
class FormState:
    """What a template sees as form. values and errors: by input name, "" for whatever they do not hold."""

    values: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    message: str = ""
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A page, rendered. html: of the module alone; accent: #rrggbb or None."""

    html: str
    title: str
    theme: str
    accent: str | None
    locale: str


def find_page(context: InstallContext, name: str) -> Page:
    """A page that visitors may open. Raises NotFound."""
    page = context.manifest.pages.get(name)
    if page is None or page.kind not in SERVED:
        raise NotFound()
    return page


def show_page(
    context: InstallContext,
    page: Page,
    *,
    given: Mapping[str, str],
    visitor: Actor,
    locale: str = "",
    form: FormState | None = None,
    send: Send = run,
) -> Shown:
    """Render a page. given: the query string, the last of each name. Raises SandboxErrors and what records answer.

    send: as page_data() takes it.
    """
    params, theme = read_params(page, given), read_theme(given.get("theme"))
    locale = locale or context.site.locale
    seen: dict[str, Any] = {
        "data": page_data(context, page, visitor=visitor, send=send),
        "params": params,
        "settings": open_settings(context),
        "site": site_facts(context),
        "visitor": {"locale": locale, "theme": theme},
    }
    if page.kind == "form":
        seen["form"] = _form(form or FormState())
    html = render_template(context, page.template, seen)
    if form is not None and (unseen := _unseen(html, form)):
        # an error of an input the template does not show would leave the visitor without a word
        seen["form"]["message"] = " ".join([form.message, *unseen]).strip()
        html = render_template(context, page.template, seen)
    accent = (
        read_color(given.get("accent"))
        or read_color(params.get("accent"))
        or read_color(context.settings.get("accent"))
    )
    return Shown(html, page.title or context.module_name, theme, accent, locale)


def _form(state: FormState) -> dict[str, Any]:
    return {
        "values": dict(state.values),
        "errors": {name: text for name, text in state.errors.items() if name},
        "message": state.message,
        "sent": state.sent,
        "action": "",
    }


def _unseen(html: str, form: FormState) -> list[str]:
    plain = html.replace("&#x27;", "'").replace("&#39;", "'")
    return list(
        dict.fromkeys(
            text for text in form.errors.values() if text not in plain and escape(text, quote=False) not in plain
            and escape(text) not in html
        )
    )  # fmt: skip
