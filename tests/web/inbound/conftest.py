"""A module that takes messages of four kinds, on a site of Ada's, and the services that send them."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from bs4 import Tag
from flask import Flask
from sqlalchemy import text
from standardwebhooks.webhooks import Webhook
from werkzeug.test import TestResponse

from app.access.permissions import Role
from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.ids import decode, uuid7
from app.modules.package import read_folder
from app.queue.worker import perform
from app.tenancy.models import Agency, Site
from tests.support.browser import Browser, Page
from tests.support.modules import Installed, Released, put_on, release
from tests.support.world import Person, World
from tests.web.conftest import Browse, new_address

MANIFEST = """
manifest: 1
slug: {slug}
name: Till link
summary: Takes what other services tell.
version: 1.0.0
type: integration
tables:
  messages:
    label: {{one: Message, many: Messages}}
    title: hook
    fields:
      hook: {{type: text, max: 60}}
      message: {{type: text, max: 200}}
      kind: {{type: text, max: 60}}
      text: {{type: text, max: 5000}}
functions:
  take: {{file: take.js}}
settings:
  - label: Trouble
    fields:
      fails: {{type: boolean, default: false, label: Throws}}
      refuses: {{type: boolean, default: false, label: Refuses}}
inbound:
  orders:
    title: New orders
    help: In the till, under Webhooks.
    call: take
    scheme: standard
  pushes:
    title: Pushes
    call: take
    scheme: hmac
    hmac: {{header: X-Hub-Signature-256, prefix: "sha256=", id_header: X-GitHub-Delivery}}
    headers: [X-GitHub-Event]
  payments:
    title: Payments
    call: take
    scheme: hmac
    secret: given
    hmac: {{header: Stripe-Signature, part: v1, timestamp_part: t, content: "{{timestamp}}.{{body}}", id_field: id}}
  sales:
    title: Sales
    call: take
    scheme: hmac
    secret: given
    hmac: {{header: X-Shopify-Hmac-Sha256, encoding: base64, id_header: X-Shopify-Webhook-Id}}
    headers: [X-Shopify-Topic]
"""
TAKE = """
export default function (ctx, input) {
  if (ctx.settings.refuses) ctx.invalid("number", "This order has no number.");
  ctx.db.messages.insert({
    hook: input.hook, message: input.message, kind: input.headers["x-github-event"] || input.headers["x-shopify-topic"] || "",
    text: JSON.stringify(input.json ?? input.form ?? input.body),
  });
  if (ctx.settings.fails) throw new Error("the till is closed");
}
"""
ORDER = {"type": "order.paid", "data": {"number": 17, "buyer": "Zoë", "api_key": "sk_live_abcdefgh1234"}}


@dataclass
class Till:
    """An install of the module, who looks after it, and senders."""

    api: Flask
    install: Installed
    ada: Browser
    config: Config
    address: str = field(default_factory=new_address)

    @property
    def screen(self) -> str:
        return f"/installs/{self.install.public_id}/inbound"

    @property
    def agency_id(self) -> str:
        return str(self.install.site.agency_id)

    def url(self, hook: str = "orders") -> str:
        return f"/api/modules/{self.install.released.package.manifest.slug}/hooks/{self.install.public_id}/{hook}"

    def make_secret(self, hook: str = "orders") -> str:
        """What the screen shows once."""
        page = self.ada.post(f"{self.screen}/{hook}/new-secret")
        assert page.status == 200
        secret, address = page.texts(".code-block code")
        assert address == f"{self.config.platform_url}{self.url(hook)}"
        return secret

    def enter_secret(self, hook: str, secret: str) -> Page:
        return self.ada.post(f"{self.screen}/{hook}/secret", {f"{hook}-secret": secret})

    def post(
        self, body: bytes, headers: dict[str, str], hook: str = "orders", url: str = "", **how: Any
    ) -> TestResponse:
        given = {"content_type": "application/json", "environ_base": {"REMOTE_ADDR": self.address}, **how}
        return self.api.test_client().post(url or self.url(hook), data=body, headers=headers, **given)

    def send(
        self,
        secret: str,
        *,
        message_id: str = "msg_1",
        at: datetime | None = None,
        body: bytes | None = None,
        **how: Any,
    ) -> TestResponse:
        """A message signed by the library that senders use."""
        raw = json.dumps(ORDER, ensure_ascii=False).encode() if body is None else body
        return self.post(raw, standard(secret, message_id, raw, at), **how)

    def receipts(self) -> list[dict[str, Any]]:
        return self.install.rows("SELECT * FROM inbound_receipts WHERE install_id = :install ORDER BY id")

    def refusals(self) -> dict[str, int]:
        rows = self.install.rows(
            "SELECT reason, sum(times) AS times FROM inbound_refusals WHERE install_id = :install GROUP BY 1"
        )
        return {row["reason"]: int(row["times"]) for row in rows}

    def run(self, answer: TestResponse) -> dict[str, Any]:
        """Do what the answer's receipt ordered; the receipt afterwards."""
        receipt_id = decode("rct", str(answer.get_json()["id"]))
        perform("inbound.run", self.agency_id, {"receipt_id": str(receipt_id)})
        return next(row for row in self.receipts() if row["id"] == receipt_id)

    def taken(self) -> list[tuple[str, str, str]]:
        """(hook, sender's id, kind) of what the function kept, oldest first."""
        found = sorted(self.install.records("messages"), key=lambda row: str(row["id"]))
        return [(row["hook"], row["message"] or "", row["kind"] or "") for row in found]

    def move_seen(self, ago: str) -> None:
        """As if what came had come so long ago."""
        moved = text("UPDATE inbound_seen SET at = now() - CAST(:ago AS interval) WHERE install_id = :install")
        with tenant_scope(self.install.site.agency_id), transaction(db.session()) as session:
            session.execute(moved, {"ago": ago, "install": self.install.id})

    def become_due(self) -> None:
        self.install.rows("UPDATE inbound_receipts SET due_at = now() WHERE install_id = :install AND status = 'due'")

    def rows(self, path: str = "") -> list[Tag]:
        return list(self.ada.get(path or self.screen).html.select("#messages tbody tr"))


def standard(secret: str, message_id: str, body: bytes, at: datetime | None = None) -> dict[str, str]:
    moment = at or utcnow()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, moment, body.decode()),
    }


def github(secret: str, body: bytes, delivery: str = "72d3162e-cc78-11e3-81ab-4c9367dc0958") -> dict[str, str]:
    mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={mac}", "X-GitHub-Delivery": delivery, "X-GitHub-Event": "push"}


def stripe(*secrets: str, body: bytes, ago: timedelta = timedelta(0)) -> dict[str, str]:
    at = int((utcnow() - ago).timestamp())
    macs = [hmac.new(one.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest() for one in secrets]
    return {"Stripe-Signature": ",".join([f"t={at}", *(f"v1={mac}" for mac in macs), "v0=6ffbb59b2300aae63f27240606"])}


def shopify(secret: str, body: bytes, webhook_id: str = "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043") -> dict[str, str]:
    mac = b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    return {"X-Shopify-Hmac-Sha256": mac, "X-Shopify-Webhook-Id": webhook_id, "X-Shopify-Topic": "orders/create"}


@pytest.fixture(scope="session")
def till_link(platform_app: Flask, config: Config) -> Released:
    with platform_app.app_context():
        files = {"module.yaml": MANIFEST.format(slug=f"till-{uuid7().hex[-10:]}"), "functions/take.js": TAKE}
        package = read_folder((path, content.encode()) for path, content in files.items())
        return release(package, World(config).agency("Publisher"))


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency("Bright Bits")


@pytest.fixture
def ada(world: World, agency: Agency) -> Person:
    return world.person(agency, Role.OWNER, name="Ada Bright")


@pytest.fixture
def site(world: World, agency: Agency) -> Site:
    return world.site(agency)


@pytest.fixture
def till(api_app: Flask, config: Config, browse: Browse, till_link: Released, ada: Person, site: Site) -> Till:
    return Till(api_app, put_on(till_link, site, config=config), browse(ada), config)
