"""Webhooks on the command line: which there are, and a test event that waits for its answer."""

from __future__ import annotations

import time

import click
from flask.cli import AppGroup
from sqlalchemy import select

from app.cli.common import agency_named, everywhere, operator, told, within
from app.errors import NotFound
from app.lib.clock import utcnow
from app.lib.ids import decode
from app.tenancy.models import Agency
from app.webhooks.actions import send_test
from app.webhooks.models import Delivery, Webhook

LOOK_S = 0.25

webhooks = AppGroup("webhooks", help="Endpoints that are told of events.")


@webhooks.command("list")
@click.option("--agency", "slug", help="Only this agency's.")
@told
def webhooks_list(slug: str | None) -> None:
    """One line each: id, address, state, the agency's slug."""
    query = select(Webhook, Agency.slug).join(Agency, Agency.id == Webhook.agency_id)
    if slug is not None:
        query = query.where(Agency.id == agency_named(slug).id)
    with everywhere("flask webhooks list") as session:
        for webhook, of in session.execute(query.order_by(Agency.slug, Webhook.url, Webhook.id)):
            click.echo(f"{webhook.public_id}\t{webhook.url}\t{webhook.state}\t{of}")


@webhooks.command("send-test")
@click.argument("webhook_id", metavar="WEBHOOK")
@click.option("--wait", "wait_s", default=20.0, show_default=True, help="Seconds to wait for the first attempt.")
@told
def webhooks_send_test(webhook_id: str, wait_s: float) -> None:
    """Send a test event to a webhook (whk_…) and say what it answered; fails unless it was accepted."""
    with everywhere("flask webhooks send-test") as session:
        found = session.get(Webhook, decode("whk", webhook_id))
        if found is None:
            raise NotFound(f"There is no webhook {webhook_id}; `flask --app wsgi webhooks list` shows them.")
        agency_id, key = found.agency_id, found.id
    with within(agency_id) as session:
        by = operator("webhooks send-test", agency_id=agency_id)
        delivery_id = send_test(session, webhook=session.get_one(Webhook, key), by=by, now=utcnow()).id
    deadline = time.monotonic() + wait_s
    while True:
        with within(agency_id) as session:
            delivery = session.get_one(Delivery, delivery_id)
            said = f"{delivery.public_id}\t{delivery.outcome}\t{delivery.response_status or '-'}"
        if delivery.outcome:
            break
        if time.monotonic() > deadline:
            raise click.ClickException(f"{delivery.public_id} was not tried in {wait_s:g} s; is a worker running?")
        time.sleep(LOOK_S)
    click.echo(said)
    if delivery.outcome != "ok":
        raise click.ClickException("the receiver did not accept it; it is tried again")
