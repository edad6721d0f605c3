"""Small ways around a rule, each tried once on the real thing."""

from __future__ import annotations

import logging
import socket
import struct
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.access.permissions import Role
from app.accounts.actions import change_password, request_password_reset
from app.accounts.models import UserSession
from app.accounts.passwords import hash_password
from app.accounts.queries import open_reset
from app.config import Config
from app.db.base import db
from app.db.scope import identity_scope, platform_scope
from app.db.session import transaction
from app.errors import NotFound
from app.lib.clock import utcnow
from app.lib.crypto import sign, verify
from app.lib.http_out import Egress
from app.lib.ids import uuid7
from app.lib.judged import OutgoingFailed
from app.lib.logs import OneLine
from app.mail.actions import post
from app.modules.package import check_package
from app.modules.package.limits import MAX_ENTRIES
from app.runtime.context import InstallNotReady, forget_install, load_install
from app.tenancy.models import Site
from app.web.dispatch import Dispatcher
from app.web.guard import _load
from tests.security.conftest import Enter, House
from tests.support.letters import open_postbox
from tests.support.packages import notes, zipped
from tests.support.world import World

# -- A: accounts


def test_A4_a_reset_link_ends_when_the_password_is_changed_otherwise(world: World, config: Config) -> None:
    """Who changes the password because somebody reads the mail must not lose the account to the letter before."""
    ada = world.person(world.agency(), Role.OWNER, password_hash=hash_password("seven wooden harbour lamps"))
    tokens: list[str] = []
    with identity_scope(), transaction(db.session()) as session:
        request_password_reset(
            session,
            email=ada.email,
            link=lambda token: tokens.append(token) or token,
            keys=config.secret_keys,
            now=utcnow(),
        )
    with identity_scope(), transaction(db.session()) as session:
        assert open_reset(session, token=tokens[0], now=utcnow()) is not None
    with identity_scope(ada.id), transaction(db.session()) as session:
        here = session.query(UserSession).filter_by(user_id=ada.id).one()
        change_password(
            session, user_id=ada.id, session_id=here.id, old="seven wooden harbour lamps", new="nine copper garden gates",
            keys=config.secret_keys, now=utcnow(),
        )  # fmt: skip
    with identity_scope(), transaction(db.session()) as session:
        assert open_reset(session, token=tokens[0], now=utcnow()) is None


@pytest.mark.parametrize("signature", ["é", "", "\ud800", "x" * 43])
def test_A2_a_signature_of_any_text_is_judged(signature: str) -> None:
    assert verify(("k" * 32,), "purpose", b"message", signature) is False
    assert verify(("k" * 32,), "purpose", b"message", sign("k" * 32, "purpose", b"message")) is True


# -- D5: the second wall


def test_D5_the_guard_refuses_what_row_level_security_would_have_let_through(
    platform_app: Flask, ours: House, theirs: House
) -> None:
    from flask import g

    g.agency = ours.owner
    with platform_scope("as if the policies were gone"), transaction(db.session()) as session:
        assert _load(session, Site, ours.site.public_id).id == ours.site.id
        with pytest.raises(NotFound):
            _load(session, Site, theirs.site.public_id)


# -- C: hosts, headers, logs


def _named(name: str) -> Any:
    return lambda environ, start_response: [name.encode()]


@pytest.mark.parametrize(
    ("host", "env", "surface"),
    [
        ("run.example", "development", b"runtime"),
        ("RUN.example", "development", b"runtime"),
        ("run.example.", "development", b"runtime"),
        ("run.example:443", "development", b"runtime"),
        ("run.example.:443", "development", b"runtime"),
        ("app.example", "production", b"platform"),
        ("App.Example.:443", "production", b"platform"),
        ("192.0.2.7:8000", "development", b"platform"),  # by any name while it is tried out
        ("run.example:8443", "production", b"runtime"),  # where strange hosts are told that there is nothing
        ("app.example.evil.test", "production", b"runtime"),
        ("", "production", b"runtime"),
    ],
)
def test_C1_the_platform_answers_on_its_own_host_alone_however_it_is_written(
    config: Config, host: str, env: str, surface: bytes
) -> None:
    from dataclasses import replace

    at = replace(config, runtime_url="https://run.example", platform_url="https://app.example", env=env)
    door = Dispatcher(
        platform=_named("platform"),
        api=_named("api"),
        runtime=_named("runtime"),
        config=at,
        surface_of=lambda host: None,
    )
    assert list(door({"HTTP_HOST": host, "PATH_INFO": "/sign-in"}, lambda *_: None)) == [surface]


def test_L2_a_message_inside_a_trace_writes_no_line_of_its_own() -> None:
    try:
        raise ValueError("x\n2026-01-01T00:00:00Z info    app: all is well\x1b[2J")
    except ValueError as error:
        record = logging.LogRecord(
            "app", logging.ERROR, "f", 1, "failed", (), (type(error), error, error.__traceback__)
        )
    lines = OneLine().format(record).split("\n")
    assert [line for line in lines[1:] if not line.startswith("    ")] == []
    assert [line for line in lines if "\x1b" in line] == []


def test_C4_downloads_of_the_platform_are_kept_by_nobody(platform_app: Flask, ours: House) -> None:
    browser = platform_app.test_client()
    browser.set_cookie("dramac_session", ours.owner.cookie)
    answer = browser.get("/audit.csv")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "private, no-store")


def test_A1_nothing_of_a_suspended_agency_runs(world: World, ours: House, enter: Enter) -> None:
    install = ours.notes.install.id
    assert load_install(install).install_id == install
    with enter("dramac_staff") as staff:
        staff.execute("UPDATE agencies SET suspended_at = now() WHERE id = %s", [ours.agency.id])
        staff.commit()
    forget_install(install)
    with pytest.raises(InstallNotReady):
        load_install(install)


# -- U: packages


def test_U1_entries_are_counted_whatever_the_end_of_the_archive_says() -> None:
    many = {**notes("many-files"), **{f"assets/f{number}.txt": b"x" for number in range(MAX_ENTRIES)}}
    data = bytearray(zipped(many))
    end = data.rfind(b"PK\x05\x06")
    struct.pack_into("<2H", data, end + 8, 1, 1)  # "one entry"
    checked = check_package(bytes(data))
    assert (checked.package, [problem.code for problem in checked.problems]) == (None, ["entries"])


# -- mail


def test_L3_a_letter_that_cannot_be_opened_holds_up_no_other(world: World, config: Config) -> None:
    reader, strange = f"{uuid7()}@example.test", ("another key that this process does not know",)
    with platform_scope("letters"), transaction(db.session()) as session:
        for keys, recipient in ((strange, "lost@example.test"), (config.secret_keys, reader)):
            letter = post(session, keys=keys, kind="test", recipient=recipient, subject="Hello", text="Hello")
            letter.due_at = utcnow() - timedelta(days=2 if keys is strange else 1)
    with open_postbox(config) as postbox:
        assert len(postbox.to(reader)) == 1


# -- S: outgoing calls


@pytest.fixture
def dripping() -> Iterator[int]:
    """A server that sends one byte of its headers every 0.2 s, for ever."""
    server = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        caller, _ = server.accept()
        with caller:
            caller.recv(65536)
            caller.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not ended.wait(0.2):
                try:
                    caller.sendall(b"a")
                except OSError:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield server.getsockname()[1]
    ended.set()
    server.close()


def test_S6_a_server_that_drips_holds_nobody_past_the_time_of_the_call(dripping: int) -> None:
    egress = Egress(allowed=["127.0.0.0/8"], schemes=["http"], ports=[dripping])
    started = time.monotonic()
    with pytest.raises(OutgoingFailed) as failed:
        egress.request("GET", f"http://127.0.0.1:{dripping}/", timeout_s=1)
    assert failed.value.kind == "timeout"
    assert time.monotonic() - started < 4
