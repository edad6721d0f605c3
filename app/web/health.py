"""Liveness and readiness, for load balancers and `make run`."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from psycopg_pool import PoolTimeout
from redis import RedisError

from app.db.pools import runtime_pool
from app.queue.enqueue import redis
from app.web.guard import public

bp = Blueprint("health", __name__, url_prefix="/api")


@bp.get("/health")
@public
def health() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="ok")


@bp.get("/ready")
@public
def ready() -> ResponseReturnValue:
    """200 when every dependency answers, else 503; each one by name."""
    checks = {"database": _answers(_ask_database), "valkey": _answers(_ask_valkey)}
    ok = all(state == "ok" for state in checks.values())
    return jsonify(status="ok" if ok else "unavailable", checks=checks), 200 if ok else 503


def _ask_database() -> None:
    with runtime_pool().connection(timeout=2) as connection:
        connection.execute("SELECT 1")


def _ask_valkey() -> None:
    redis().ping()


def _answers(ask: Callable[[], None]) -> str:
    try:
        ask()
    except (psycopg.Error, PoolTimeout, RedisError, OSError) as error:
        return type(error).__name__
    return "ok"
