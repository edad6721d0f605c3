"""Clients: the list, one client with its sites, make, edit, archive, restore."""

from __future__ import annotations

from typing import Any

from flask import Response, g, url_for

from app.access.permissions import Permission
from app.errors import Conflict
from app.lib.clock import utcnow
from app.tenancy import queries
from app.tenancy.actions import clients as actions
from app.tenancy.forms import ClientForm
from app.tenancy.models import Client
from app.tenancy.views.common import agency_id, bp, show, words_asked
from app.tenancy.views.common import page as page_of
from app.web.forms import asked, page_number
from app.web.guard import requires
from app.web.htmx import respond, trigger_toast
from app.web.navigation import forget_counts

SORTS = ("name", "-name", "sites", "-sites", "created_at", "-created_at")
STATES = ("active", "archived", "all")


@bp.get("/clients")
@requires(Permission.CLIENTS_VIEW)
def clients() -> Response:
    search, state, sort = words_asked(), asked("status", STATES, "active"), asked("sort", SORTS, "name")
    listing = queries.clients(g.db, agency_id=agency_id(), search=search, status=state, sort=sort, page=page_number())
    can_create = g.actor.can(Permission.CLIENTS_MANAGE)
    return show(
        "clients",
        "clients_results",
        page="clients",
        listing=listing,
        q=search,
        state=state,
        sort=sort,
        can_create=can_create,
    )


@bp.get("/clients/new")
@requires(Permission.CLIENTS_MANAGE)
def new_client() -> Response:
    return _form_page(ClientForm(formdata=None))


@bp.post("/clients/new")
@requires(Permission.CLIENTS_MANAGE)
def create_client() -> Response:
    form = ClientForm()
    if not form.validate():
        return _form_page(form, status=422)
    try:
        client = actions.create_client(g.db, agency_id=agency_id(), by=g.actor, now=utcnow(), **_values(form))
    except Conflict as error:
        form.take(error, "name")
        return _form_page(form, status=409)
    forget_counts(g.db, agency_id())
    trigger_toast("success", f"{client.name} is a client", "Add the first site.")
    return respond(redirect_to=url_for(".client", client_id=client.public_id))


@bp.get("/clients/<public_id:client_id>")
@requires(Permission.CLIENTS_VIEW, client=Client)
def client(client: Client) -> Response:
    return page_of(
        "client",
        page="clients",
        client=client,
        sites=queries.sites_of_client(g.db, agency_id=agency_id(), client_id=client.id),
        can_manage=g.actor.can(Permission.CLIENTS_MANAGE),
        can_create=g.actor.can(Permission.SITES_MANAGE),
    )


@bp.get("/clients/<public_id:client_id>/edit")
@requires(Permission.CLIENTS_MANAGE, client=Client)
def edit_client(client: Client) -> Response:
    return _form_page(ClientForm(formdata=None, obj=client), client=client)


@bp.post("/clients/<public_id:client_id>/edit")
@requires(Permission.CLIENTS_MANAGE, client=Client)
def change_client(client: Client) -> Response:
    form = ClientForm()
    if not form.validate():
        return _form_page(form, client=client, status=422)
    name = client.name
    try:
        actions.change_client(g.db, client=client, by=g.actor, **_values(form))
    except Conflict as error:
        form.take(error, "name")
        return _form_page(form, client=client, shown_name=name, status=409)
    trigger_toast("success", "Client saved")
    return respond(redirect_to=url_for(".client", client_id=client.public_id))


@bp.post("/clients/<public_id:client_id>/archive")
@requires(Permission.CLIENTS_MANAGE, client=Client)
def archive_client(client: Client) -> Response:
    where = url_for(".client", client_id=client.public_id)
    try:
        actions.archive_client(g.db, client=client, by=g.actor, now=utcnow())
    except Conflict as error:
        trigger_toast("error", "Not archived", error.message)
        return respond(redirect_to=where)
    forget_counts(g.db, agency_id())
    undo = url_for(".restore_client", client_id=client.public_id)
    trigger_toast("success", f"{client.name} is archived", undo=undo)
    return respond(redirect_to=where)


@bp.post("/clients/<public_id:client_id>/restore")
@requires(Permission.CLIENTS_MANAGE, client=Client)
def restore_client(client: Client) -> Response:
    actions.restore_client(g.db, client=client, by=g.actor)
    forget_counts(g.db, agency_id())
    trigger_toast("success", f"{client.name} is back in use")
    return respond(redirect_to=url_for(".client", client_id=client.public_id))


def _form_page(
    form: ClientForm, *, client: Client | None = None, shown_name: str | None = None, status: int = 200
) -> Response:
    name = shown_name or (client.name if client else None)
    action = url_for(".change_client", client_id=client.public_id) if client else url_for(".create_client")
    back = url_for(".client", client_id=client.public_id) if client else url_for(".clients")
    return show(
        "client_form",
        "client_form",
        status=status,
        page="clients",
        form=form,
        name=name,
        action=action,
        back=back,
    )


def _values(form: ClientForm) -> dict[str, Any]:
    return {name: form[name].data for name in ("name", "contact_name", "contact_email", "notes")}
