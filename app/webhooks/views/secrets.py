"""The signing secret: shown once after it was made, and on demand to who gives their password; replaced, the old one ended."""

from __future__ import annotations

from flask import Response, g, url_for
from flask_login import current_user

from app.access.permissions import Permission
from app.accounts.actions import WrongPassword
from app.lib.clock import utcnow
from app.web.guard import requires
from app.web.htmx import respond, say_not_done, trigger_toast
from app.web.limits import limiter
from app.web.once import let_look, take_look
from app.webhooks import rotation
from app.webhooks.forms import SecretForm
from app.webhooks.models import Webhook
from app.webhooks.secrets import open_secret
from app.webhooks.setup import current_setup
from app.webhooks.views.common import back, bp, page


@bp.get("/webhooks/<public_id:webhook_id>/secret")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def secret(webhook: Webhook) -> Response:
    """The secret, once after it was made or asked for; else the question for the password."""
    why = take_look(_subject(webhook))
    if why is None:
        return page("secret", webhook=webhook, secret=None, why="ask", form=SecretForm(formdata=None))
    shown = open_secret(current_setup().keys, webhook.id, webhook.secret_sealed)
    return page("secret", webhook=webhook, secret=shown, why=why)


@bp.post("/webhooks/<public_id:webhook_id>/secret")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
@limiter.limit("10 per hour", key_func=lambda: str(current_user.get_id()))
def ask_secret(webhook: Webhook) -> Response:
    """Show the signing secret, to somebody who gives their password again."""
    form = SecretForm()
    if not form.validate():
        return page("secret", status=422, webhook=webhook, secret=None, why="ask", form=form)
    try:
        rotation.prove_for_secret(g.db, webhook=webhook, password=form.password.data, by=g.actor)
    except WrongPassword as error:
        form.take(error, "password")
        return page("secret", status=422, webhook=webhook, secret=None, why="ask", form=form)
    return show_once(webhook, "asked")


@bp.post("/webhooks/<public_id:webhook_id>/rotate")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def rotate(webhook: Webhook) -> Response:
    try:
        rotation.rotate_secret(g.db, webhook=webhook, by=g.actor, setup=current_setup(), now=utcnow())
    except rotation.OldSecretSigns as error:
        say_not_done(error, "The secret was not replaced")
        return back(webhook)
    return show_once(webhook, "rotated")


@bp.post("/webhooks/<public_id:webhook_id>/secret/retire")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def end_old_secret(webhook: Webhook) -> Response:
    if rotation.end_old_secret(g.db, webhook=webhook, by=g.actor, now=utcnow()):
        trigger_toast("success", "The old secret signs no more")
    else:
        trigger_toast("info", "There is only one secret")
    return back(webhook)


def show_once(webhook: Webhook, why: str) -> Response:
    """Go to where the secret is shown: a page that can be loaded again, and then asks for the password.

    why: new | rotated | asked
    """
    let_look(_subject(webhook), why)
    return respond(redirect_to=url_for("webhooks.secret", webhook_id=webhook.public_id))


def _subject(webhook: Webhook) -> str:
    return f"webhook-secret:{webhook.id}"
