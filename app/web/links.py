"""Addresses of lists: the current one with a filter, an order or a page changed."""

from urllib.parse import urlencode

from flask import Flask, current_app, request

# where a list was read up to says nothing once its filter or order changes
_POSITION = ("cursor", "page", "after")


def url_with(**changes: str | int | list[str] | None) -> str:
    """This page's address with query parameters set (a list sets several), or removed (None).

    The position (cursor, page) is dropped unless it is itself what changes.
    """
    query = {key: request.args.getlist(key) for key in request.args}
    for key in _POSITION:
        query.pop(key, None)
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = [str(item) for item in (value if isinstance(value, list) else [value])]
    encoded = urlencode(query, doseq=True)
    return f"{request.path}?{encoded}" if encoded else request.path


def url_without(name: str, value: str) -> str:
    """This page's address without one value of a filter that can have several."""
    left = [item for item in request.args.getlist(name) if item != value]
    return url_with(**{name: left or None})


def sort_url(key: str, current: str) -> str:
    """Where the heading of a sortable column leads: ascending first, then descending. current: 'name' or '-name'."""
    return url_with(sort=f"-{key}" if current == key else key)


def has_endpoint(name: str) -> bool:
    """Whether the application has this screen: parts that do not know each other link only to what is there."""
    return name in current_app.view_functions


def register_links(app: Flask) -> None:
    """Jinja globals `url_with`, `url_without`, `sort_url`, `has_endpoint`."""
    app.jinja_env.globals.update(
        url_with=url_with, url_without=url_without, sort_url=sort_url, has_endpoint=has_endpoint
    )
