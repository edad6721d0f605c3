"""Who may open a page of a module: anybody, once the install is found."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import g, request

from app.access.actors import Actor
from app.domains.hosting import SERVED
from app.errors import NotFound, Unavailable
from app.lib.ids import decode
from app.runtime.context import InstallNotReady, load_install
from app.web.guard import Access, declare

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
