"""What we sign, the libraries of Standard Webhooks accept: that of npm here, that of PyPI in test_delivery.py (W1, W3)."""

from __future__ import annotations

import json

from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.events.catalog import CLIENT_CREATED
from app.lib.clock import utcnow
from app.webhooks import rotation
from app.webhooks.models import Webhook
from tests.support.hooks import Hooks, receiving
from tests.support.node import run_script

VERIFY = """
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";
const { secrets, calls } = JSON.parse(readFileSync(0, "utf8"));
const accepted = (secret, call) => {
  try { return new Webhook(secret).verify(call.body, call.headers).type; } catch { return null; }
};
console.log(JSON.stringify(calls.map((call) => secrets.map((secret) => accepted(secret, call)))));
"""


def test_W3_npms_library_accepts_a_call_by_either_secret_and_no_other_body(hooks: Hooks) -> None:
    with receiving() as receiver:
        webhook = hooks.endpoint(receiver.url)
        old = hooks.secret(webhook)
        with tenant_scope(hooks.agency.id, user_id=hooks.ada.id), transaction(db.session()) as session:
            row = session.get_one(Webhook, webhook.id)
            new = rotation.rotate_secret(session, webhook=row, by=hooks.ada.actor, setup=hooks.setup, now=utcnow())
        hooks.publish(CLIENT_CREATED, data={"name": "Hafen – Zahnärzte"})
        hooks.deliver()
        [call] = receiver.calls
    stranger = hooks.secret(hooks.endpoint("https://hooks.example.com/"))
    body = call.body.decode()
    sent = [{"body": body, "headers": call.headers}, {"body": body + " ", "headers": call.headers}]
    answer = run_script(VERIFY, text=json.dumps({"secrets": [new, old, stranger], "calls": sent}))
    assert json.loads(answer) == [["client.created", "client.created", None], [None, None, None]]
