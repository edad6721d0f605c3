"""What granian serves while the gateway is measured: a bare hello, bare psycopg, and the gateway itself.

Bare psycopg: prepared statements that have PostgreSQL build the JSON, as the tables' owner: no key, no row security, no
quota, no log, no validation, no event; the same server, the same number of connections.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from psycopg import RawCursor
from psycopg_pool import ConnectionPool

from app.config import Config
from app.factory import create_api_app, wire
from app.gateway.gateway import Gateway
from app.gateway.limits import Policies

Start = Callable[..., Any]
TABLE, SITE = os.environ.get("BENCH_TABLE", ""), os.environ.get("BENCH_SITE", "")
_FIELDS = "id, name, email, company, status, created_at, updated_at, created_by, version"
_SHOWN = f"(SELECT row_to_json(d) FROM (SELECT {_FIELDS}) d)::text"


@dataclass(frozen=True)
class Statements:
    """What bare psycopg sends: one record, a filtered and sorted list, a new record."""

    one: str
    some: str
    add: str

    @classmethod
    def of(cls, table: str) -> Statements:
        return cls(
            f"SELECT {_SHOWN} FROM {table} WHERE site_id = $1 AND id = $2",
            f"SELECT {_SHOWN} FROM {table} WHERE site_id = $1 AND status = $2 ORDER BY created_at DESC, id DESC LIMIT 26",
            f"INSERT INTO {table} (site_id, name, email, company, status) VALUES ($1, $2, $3, $4, $5) RETURNING {_SHOWN}",
        )


BARE = Statements.of(TABLE)


def once(make: Callable[[], Any]) -> Callable[[], Any]:
    """Made by the first request, which is not the only one at that moment."""
    lock, kept = threading.Lock(), cache(make)

    def get() -> Any:
        with lock:
            return kept()

    return get


@once
def _pool() -> ConnectionPool:
    kwargs = {"autocommit": True, "prepare_threshold": 1}
    return ConnectionPool(os.environ["BARE_URL"], min_size=1, max_size=10, kwargs=kwargs, open=True)


@once
def _gateway() -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    config = Config.from_env()
    wire(config)
    many = Policies(secret=1_000_000_000)
    return create_api_app(config, gateway=Gateway(platform_url=config.platform_url, policies=many)).wsgi_app


def hello(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    body = b'{"data":"hello"}'
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def bare(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    """GET /{id}, GET /list, POST /."""
    if environ["REQUEST_METHOD"] == "POST":
        given = json.loads(environ["wsgi.input"].read())
        [row] = _rows(BARE.add, [SITE, given["name"], given["email"], given["company"], given["status"]])
        return _sent(start_response, "201 Created", b'{"data":%b}' % row[0].encode())
    path = environ["PATH_INFO"]
    if path == "/list":
        rows = _rows(BARE.some, [SITE, "active"])
        more = "true" if len(rows) > 25 else "false"
        return _sent(
            start_response, "200 OK", f'{{"data":[{",".join(row[0] for row in rows[:25])}],"has_more":{more}}}'.encode()
        )
    [row] = _rows(BARE.one, [SITE, path[1:]])
    return _sent(start_response, "200 OK", b'{"data":%b}' % row[0].encode())


def gateway(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    return _gateway()(environ, start_response)


def _rows(text: str, values: list[Any]) -> list[Any]:
    with _pool().connection() as connection:
        return RawCursor(connection).execute(text.encode(), values, prepare=True).fetchall()


def _sent(start_response: Start, status: str, body: bytes) -> Iterable[bytes]:
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
