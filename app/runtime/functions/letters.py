"""ctx.mail: a letter of a module into the outbox of mail, in the transaction of the function that posts it."""

from __future__ import annotations

import html
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import nh3

from app.errors import NotFound
from app.lib.clock import utcnow
from app.lib.crypto import seal
from app.lib.ids import decode, uuid7
from app.mail.actions import body_context
from app.runtime.context import InstallContext
from app.runtime.data import Transaction
from app.runtime.functions import process
from app.runtime.functions.ctx import open_settings, site_facts
from app.runtime.render import render_template
from app.runtime.sandbox.pool import HostError
from app.runtime.validation.problems import Wrong
from app.runtime.validation.texts import email

DAILY_CAP = 500  # letters of one install in 24 hours
MAX_TEXT = 200_000
_KEYS = ("to", "subject", "template", "text", "html", "data", "reply_to")

INSERT = (
    "INSERT INTO mails (id, agency_id, site_id, install_id, kind, recipient, reply_to, subject, body_sealed, request_id) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
)
COUNT = "SELECT count(*) FROM mails WHERE agency_id = $1 AND install_id = $2 AND created_at > $3"


def post_letter(context: InstallContext, tx: Transaction, given: Any, *, request_id: str) -> None:
    """Post {to, subject, template | text | html, data, reply_to}. Raises HostError with the key that is wrong.

    to: one address, or `user:` and the id of a member of the agency. request_id: of what caused it. On a trial the letter
    is checked as ever and then not sent.
    """
    if not isinstance(given, dict):
        raise HostError("invalid_argument", None, "ctx.mail takes an object: {to, subject, template, data}.")
    if unknown := [key for key in given if key not in _KEYS]:
        raise HostError("invalid_argument", unknown[0], f"ctx.mail takes {', '.join(_KEYS)}.")
    subject = " ".join(_text(given, "subject", 300).split())
    if not subject:
        raise HostError("invalid_argument", "subject", "A letter needs a subject.")
    plain, marked_up = _body(context, given)
    reply_to = _address(given.get("reply_to"), "reply_to") if given.get("reply_to") else ""
    [[(sent,)], *_] = tx.beside_tables((COUNT, [context.agency_id, context.install_id, utcnow() - timedelta(days=1)]))
    if sent >= DAILY_CAP:
        raise HostError("too_many", None, f"This module has sent its {DAILY_CAP} letters of the last 24 hours.")
    mail_id = uuid7()
    sealed = seal(process.keys(), json.dumps({"text": plain, "html": marked_up}), body_context(mail_id))
    recipient = _recipient(context, tx, given.get("to"))
    values = [
        mail_id, context.agency_id, context.site_id, context.install_id, f"module.{context.module_slug}", recipient,
        reply_to, subject, sealed, request_id,
    ]  # fmt: skip
    if not context.on_trial:
        tx.beside_tables((INSERT, values))


def _recipient(context: InstallContext, tx: Transaction, given: Any) -> str:
    if not isinstance(given, str) or not given.startswith("user:"):
        return _address(given, "to")
    person = _person(given.removeprefix("user:"))
    [[(found,)]] = tx.beside_tables(("SELECT runtime_member_email($1, $2)", [context.site_id, person]))
    if not found:
        raise HostError("not_found", "to", "Nobody of the agency has this id.")
    return str(found)


def _person(text: str) -> UUID:
    try:
        return decode("usr", text) if text.startswith("usr_") else UUID(text)
    except (NotFound, ValueError):
        raise HostError("not_found", "to", "Nobody of the agency has this id.") from None


def _address(given: Any, key: str) -> str:
    try:
        found = email(given)
    except Wrong as error:
        raise HostError("invalid_argument", key, f"{key} {error}.") from None
    if not found:
        raise HostError("invalid_argument", key, f"{key} must be an e-mail address.")
    return found


def _text(given: dict[str, Any], key: str, most: int) -> str:
    value = given.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > most or "\x00" in value:
        raise HostError("invalid_argument", key, f"{key} must be a text of at most {most} characters.")
    return value


def _body(context: InstallContext, given: dict[str, Any]) -> tuple[str, str]:
    """The letter as plain text and as HTML; HTML alone gets its text made from it."""
    name = given.get("template")
    if name is None:
        plain, marked_up = _text(given, "text", MAX_TEXT), _text(given, "html", MAX_TEXT)
    else:
        page = context.manifest.pages.get(name) if isinstance(name, str) else None
        if page is None or page.kind != "email":
            raise HostError("invalid_argument", "template", "template names a page of kind: email.")
        data = {"data": given.get("data") or {}, "site": site_facts(context), "settings": open_settings(context)}
        made = render_template(context, page.template, data)
        plain, marked_up = (made, "") if page.template.endswith(".txt") else ("", made)
    if not (plain or marked_up):
        raise HostError("invalid_argument", "text", "A letter needs a template, a text or html.")
    return plain or _words(marked_up), marked_up


def _words(marked_up: str) -> str:
    """The text of HTML. By a parser: a pattern can be given a page that takes it minutes."""
    return html.unescape(
        nh3.clean(marked_up, tags=set(), attributes={}, clean_content_tags={"script", "style"})
    ).strip()
