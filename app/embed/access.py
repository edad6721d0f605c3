"""Who may open a page of a module: anybody, once the install is found."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Response, g, make_response, render_template, request

from app.access.actors import Actor
from app.domains.hosting import SERVED
from app.domains.known import platform_origins
from app.errors import AppError, NotFound, Unavailable
from app.lib.ids import decode
from app.runtime.context import InstallNotReady, load_install
from app.runtime.own_pages import OWN_PAGE, PREVIEW
from app.web.errors import page, status_of
from app.web.guard import Access, declare
from app.web.headers import allow_framing

log = logging.getLogger(__name__)
AnyView = TypeVar("AnyView", bound=Callable[..., Any])


class PageNotReady(Unavailable):
    """This page is not available right now. Please try again later."""

    code = "page_not_ready"


def visitor(view: AnyView) -> AnyView:
    """A visitor of a site; the view gets `context` of the install that the address names.

    No such install is 404. One that does not serve is 503, and why is nobody's business out there.
    """
    return declare(view, Access("visitor", _enter))


def visiting() -> Actor:
    """The visitor as the one who acts."""
    return Actor(
        kind="visitor",
        ip=request.remote_addr,
        user_agent=(request.user_agent.string or "")[:400],
        request_id=g.get("request_id", ""),
    )


def _enter(inner: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(inner)
    def guarded(install_id: str, **kwargs: Any) -> Any:
        try:
            return entered(install_id, **kwargs)
        except AppError as error:
            if OWN_PAGE not in request.args:
                raise
            return _hole(error)

    def entered(install_id: str, **kwargs: Any) -> Any:
        try:
            context = load_install(decode("ins", install_id))
        except InstallNotReady as error:
            log.info("%s: %s", install_id, error)
            raise PageNotReady() from None
        g.site_known = True  # error pages from here on are told of in the agency's logs
        served = request.environ.get(SERVED)
        if served is not None and served.site_id != context.site_id:
            raise NotFound()  # a site's own host shows that site alone
        return inner(context=context, **kwargs)

    return guarded


def _hole(error: AppError) -> Response:
    """A site's own page shows nothing where a module is paused, gone or has no such page; why is said in its editor.

    What a visitor sent is not answered with nothing: then the error page may stand in that frame.
    """
    log.info("%s is a hole in a page of its site: %s", request.path, error)
    in_editor = PREVIEW in request.args
    allow_framing(["'self'", *(platform_origins() if in_editor else ())])
    status = status_of(error)
    answer = (
        page(status, error.message)
        if request.method == "POST"
        else make_response(render_template("embed/hole.html", in_editor=in_editor), status)
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
