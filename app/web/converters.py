"""URL parts: `<public_id:site_id>` is a prefix, an underscore and 26 characters; what it names is checked by the guard."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import BaseConverter


class PublicIdConverter(BaseConverter):
    regex = "[a-z]{3}_[0-9a-hjkmnp-tv-z]{26}"


def register_converters(app: Flask) -> None:
    app.url_map.converters["public_id"] = PublicIdConverter
