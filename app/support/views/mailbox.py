"""Development only: the letters that a mail server would have got, for whoever runs the machine."""

from __future__ import annotations

import re

from flask import Flask, Response, current_app, make_response, render_template

from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.errors import NotFound
from app.lib.ids import decode
from app.support import queries
from app.web.guard import public

_LINK = re.compile(r"https?://[^\s<>\"]+")


def register_mailbox(app: Flask, config: Config) -> None:
    """Add the mailbox, but only where letters are kept instead of sent: it shows reset links to anybody who can look."""
    if config.development and config.mail_url.startswith("mailbox:"):
        app.add_url_rule("/dev/mailbox", "support.mailbox", mailbox, methods=["GET"])
        app.add_url_rule("/dev/mailbox/<public_id:mail_id>", "support.letter", letter, methods=["GET"])


@public
def mailbox() -> Response:
    with platform_scope("development mailbox"), transaction(db.session()) as session:
        found = queries.letters(session)
        session.expunge_all()
    return make_response(render_template("support/mailbox.html", letters=found))


@public
def letter(mail_id: str) -> Response:
    config: Config = current_app.config["DRAMAC"]
    with platform_scope("development mailbox"), transaction(db.session()) as session:
        found = queries.letter(session, mail_id=decode("eml", mail_id), keys=config.secret_keys)
        session.expunge_all()
    if found is None:
        raise NotFound()
    links = list(dict.fromkeys(_LINK.findall(found.text)))
    return make_response(render_template("support/letter.html", letter=found, links=links))
