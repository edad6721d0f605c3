"""Every answer carries X-Request-Id; the same id is in logs, errors and the audit trail."""

from __future__ import annotations

from flask import Flask, Response, g

from app.lib.ids import encode, uuid7


def register_request_id(app: Flask) -> None:
    @app.before_request
    def give() -> None:
        g.request_id = encode("req", uuid7())

    @app.after_request
    def show(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.get("request_id", "")
        return response
