"""The module's own routes, joined to what runs functions: bytes to JSON and back."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from app.errors import BadRequest
from app.gateway.routes import RouteAnswer, RouteCall
from app.lib.ids import uuid7
from app.runtime.data import Data, Transaction
from app.runtime.functions.routes import run_route


def run_module_route(call: RouteCall) -> RouteAnswer:
    """Answer one call of …/fn/{path}. Raises BadRequest and what run_route does."""
    tx = _transaction(call)
    # an error may be the answer that an Idempotency-Key keeps: nothing half-done may be kept with it
    with tx.savepoint() if tx is not None else nullcontext():
        answer = run_route(
            call.context,
            call.method,
            call.path,
            query=dict(call.query),
            body=read_body(call.body, call.content_type),
            headers={"content-type": call.content_type} if call.content_type else {},
            auth_kind="public" if call.publishable else "api",
            actor=replace(call.actor, request_id=call.request_id),
            tx=tx,
        )
    return RouteAnswer(answer.status, answer.body, answer.headers.get("content-type", "application/json"))


def _transaction(call: RouteCall) -> Transaction | None:
    if call.connection is None:
        return None
    settings = replace(Data(call.context, call.access).settings, batch=uuid7())
    return Transaction(call.context, call.access, call.connection, settings)


def read_body(body: bytes, content_type: str) -> Any:
    """The parsed JSON, the fields of a form, or the text; None when nothing was sent. Raises BadRequest."""
    if not body:
        return None
    kind = content_type.split(";")[0].strip().lower()
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8 text.") from None
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=500))
    if kind and kind != "application/json" and not kind.endswith("+json"):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BadRequest("The body is not JSON.") from None
