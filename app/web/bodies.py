"""How much a view takes in: a few views take files, and say so; for all others the application's own limit holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, request

AnyView = TypeVar("AnyView", bound=Callable[..., Any])
_MARK = "max_body_bytes"


def takes_files(max_bytes: int) -> Callable[[AnyView], AnyView]:
    """A view whose body may have up to `max_bytes`; files beyond half a megabyte wait on disk, not in memory."""

    def decorate(view: AnyView) -> AnyView:
        setattr(view, _MARK, max_bytes)
        return view

    return decorate


def register_bodies(app: Flask) -> None:
    """Set the limit of each request before anything reads its body; call it before whatever does."""

    @app.before_request
    def set_limit() -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        most = getattr(view, _MARK, None)
        if most is not None:
            request.max_content_length = most
