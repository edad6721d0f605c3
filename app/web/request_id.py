"""Every answer carries X-Request-Id; the same id is in logs, errors, letters, jobs and the audit trail."""

from __future__ import annotations

from flask import Flask, Response, g

from app.lib.ids import encode, uuid7
from app.lib.trace import set_request_id


def register_request_id(app: Flask) -> None:
    @app.before_request
    def give() -> None:
        g.request_id = encode("req", uuid7())
        set_request_id(g.request_id)

    @app.after_request
    def show(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.get("request_id", "")
        return response

    @app.teardown_request
    def over(_: BaseException | None) -> None:
        set_request_id("")
