"""Consent, the applications of developers, and the applications that were let in."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, Response, current_app, g, make_response, redirect, render_template, request, url_for

from app.access.permissions import Permission
from app.errors import AppError, Forbidden, NotFound
from app.installs.places import targets
from app.lib.clock import utcnow
from app.lib.ids import encode
from app.oauth.actions import (
    NoEarlierSecret,
    change_application,
    create_application,
    delete_application,
    end_earlier_secret,
    rotate_secret,
)
from app.oauth.clients import Client
from app.oauth.families import AlreadyLetIn, GrantAlreadyEnded, NotByItself, let_in, revoke_grant
from app.oauth.forms import ApplicationForm, ConsentForm
from app.oauth.models import GRANT_LASTS, SCOPE_NEEDS, SCOPES, Application, Grant
from app.oauth.queries import applications as applications_of
from app.oauth.queries import grants
from app.oauth.request import WORDS, CannotReturn, Consent, ProtocolRequest
from app.oauth.server import Server
from app.web.errors import status_of
from app.web.forms import clean, page_number
from app.web.guard import any_member, requires
from app.web.headers import allow_sending
from app.web.htmx import fragment, htmx_target, is_htmx, respond, trigger_toast
from app.web.once import not_sent, sent_before

bp = Blueprint("oauth", __name__)
server = Server()


# -- consent


@bp.get("/oauth/authorize")
@any_member
def authorize() -> Response:
    asked = _asked()
    grant, where = server.authorization(asked)
    return _return_error(where) if grant is None else _consent(asked, ConsentForm(), where)


@bp.post("/oauth/authorize")
@any_member
def decide() -> Response:
    asked = _asked()
    grant, where = server.authorization(asked)
    if grant is None:
        return _return_error(where)
    if request.form.get("decision") != "allow":
        return redirect_away(asked.back(where, error="access_denied", error_description=WORDS["access_denied"]))
    form = ConsentForm()
    found = targets(g.db, agency_id=g.agency.agency_id)
    form.offer(found, asked.scope.split())
    if not form.validate():
        return _consent(asked, form, where, status=422)
    site_id, install_id = form.place(found)
    asked.consent = Consent(g.actor.id, g.agency.agency_id, site_id, install_id, form.chosen_scopes)
    _, _, headers = grant.create_authorization_response(where, g.actor)
    return redirect_away(dict(headers)["Location"])


def _asked() -> ProtocolRequest:
    # Latin-1 keeps every byte of `state` as it came
    query = request.query_string.decode("latin-1")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=50, encoding="latin-1")
    except ValueError as error:
        raise CannotReturn() from error
    issuer: str = current_app.config["DRAMAC"].platform_url
    return ProtocolRequest(method="GET", pairs=pairs, issuer=issuer, now=utcnow(), db=g.db)


def _consent(asked: ProtocolRequest, form: ConsentForm, where: str, *, status: int = 200) -> Response:
    client = cast(Client, asked.client)
    found = targets(g.db, agency_id=g.agency.agency_id)
    scopes = asked.scope.split()
    form.offer(found, scopes)
    parts = urlsplit(where)
    # the answer to this form is a redirect there, and many applications send people on from where they come back to
    allow_sending(f"{parts.scheme}://{parts.netloc}", "https:")
    response = make_response(
        render_template(
            "oauth/consent.html", form=form, client=client, host=parts.netloc, has_sites=bool(found),
            here=f"{request.path}?{request.query_string.decode('latin-1')}", days=GRANT_LASTS.days,
            stays="refresh_token" in client.grant_types,
            idle=[SCOPES[scope] for scope in scopes if not g.actor.can(SCOPE_NEEDS[scope])],
        ),
        status,
    )  # fmt: skip
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _return_error(where: str) -> Response:
    """What is wrong with a request, told to the application.

    After a form of ours, such as signing in, a browser would hold the redirect against that form's form-action and stay where
    it is without a word: then a page of ours goes on by itself.
    """
    if not _came_from_here():
        return redirect_away(where)
    parts = urlsplit(where)
    words = WORDS[dict(parse_qsl(parts.query))["error"]]
    answer = make_response(render_template("oauth/onward.html", host=parts.netloc, where=where, words=words))
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _came_from_here() -> bool:
    """Whether a page of ours led here; browsers before 2023 say so in the Referer alone."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    here: str = current_app.config["DRAMAC"].platform_url
    return (request.referrer or "").startswith(f"{here}/")


def redirect_away(where: str) -> Response:
    """To the application, 303 so that the form is not sent on, and without a Referer."""
    response = make_response("", 303)
    response.headers["Location"] = where
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


# -- applications of developers


@bp.get("/applications")
@requires(Permission.KEYS_VIEW)
def applications() -> Response:
    rows = applications_of(g.db, agency_id=g.agency.agency_id)
    return make_response(
        render_template("oauth/applications.html", rows=rows, can_manage=g.actor.can(Permission.KEYS_MANAGE))
    )


@bp.get("/applications/new")
@requires(Permission.KEYS_MANAGE)
def new_application() -> Response:
    return make_response(render_template("oauth/new_application.html", form=ApplicationForm()))


@bp.post("/applications")
@requires(Permission.KEYS_MANAGE)
def create() -> Response:
    form = ApplicationForm()
    if not form.validate():
        return make_response(render_template("oauth/new_application.html", form=form), 422)
    if sent_before():
        trigger_toast(
            "info",
            "This application is there already",
            "Its secret was shown once; make a new one if it was not kept.",
        )
        return respond(redirect_to=url_for(".applications"))
    try:
        made = create_application(g.db, kind=form.kind.data or "", by=g.actor, now=utcnow(), **form.values())
    except AppError as error:
        not_sent()
        form.take(error, "name")
        return make_response(render_template("oauth/new_application.html", form=form), status_of(error))
    if made.secret is None:
        trigger_toast("success", f"{made.application.name} is registered")
        return make_response(redirect(url_for(".application", application_id=made.application.public_id), code=303))
    return _secret_once(made.application, made.secret)


@bp.get("/applications/<public_id:application_id>")
@requires(Permission.KEYS_VIEW, application=Application)
def application(application: Application) -> Response:
    form = ApplicationForm()
    form.fill(_live(application))
    return _application(application, form)


@bp.post("/applications/<public_id:application_id>")
@requires(Permission.KEYS_MANAGE, application=Application)
def change(application: Application) -> Response:
    form = ApplicationForm()
    form.kind.data = _live(application).kind  # where it runs cannot be changed
    if not form.validate():
        return _application(application, form, 422)
    try:
        change_application(g.db, application=application, by=g.actor, **form.values())
    except AppError as error:
        form.take(error, "name")
        return _application(application, form, status_of(error))
    trigger_toast("success", f"{application.name} is changed")
    return respond(redirect_to=url_for(".application", application_id=application.public_id))


@bp.post("/applications/<public_id:application_id>/secret")
@requires(Permission.KEYS_MANAGE, application=Application)
def new_secret(application: Application) -> Response:
    if sent_before():
        trigger_toast("info", "The new secret was made already", "It was shown once. Make another if it was not kept.")
        return respond(redirect_to=url_for(".application", application_id=application.public_id))
    return _secret_once(application, rotate_secret(g.db, application=_live(application), by=g.actor, now=utcnow()))


@bp.post("/applications/<public_id:application_id>/secret/retire")
@requires(Permission.KEYS_MANAGE, application=Application)
def end_secret(application: Application) -> Response:
    try:
        end_earlier_secret(g.db, application=_live(application), by=g.actor)
        trigger_toast("success", "The earlier secret is refused from now on")
    except NoEarlierSecret:
        trigger_toast("info", "There is only one secret")
    return respond(redirect_to=url_for(".application", application_id=application.public_id))


@bp.get("/applications/<public_id:application_id>/sites/new")
@requires(Permission.KEYS_MANAGE, application=Application)
def new_site(application: Application) -> Response:
    return _new_site(application, ConsentForm())


@bp.post("/applications/<public_id:application_id>/sites")
@requires(Permission.KEYS_MANAGE, application=Application)
def add_site(application: Application) -> Response:
    form, found = ConsentForm(), targets(g.db, agency_id=g.agency.agency_id)
    form.offer(found, _live(application).scopes)
    if not form.validate():
        return _new_site(application, form, 422)
    site_id, install_id = form.place(found)
    try:
        let_in(
            g.db, application=application, site_id=site_id, install_id=install_id, scopes=form.chosen_scopes, by=g.actor,
            now=utcnow(),
        )  # fmt: skip
    except (NotByItself, AlreadyLetIn) as error:
        form.take(error, "target")
        return _new_site(application, form, status_of(error))
    trigger_toast("success", f"{application.name} may work there by itself")
    return respond(redirect_to=url_for(".application", application_id=application.public_id))


@bp.post("/applications/<public_id:application_id>/delete")
@requires(Permission.KEYS_MANAGE, application=Application)
def delete(application: Application) -> Response:
    delete_application(g.db, application=_live(application), by=g.actor, now=utcnow())
    trigger_toast("success", f"{application.name} is deleted", "Its tokens are refused from now on.")
    return respond(redirect_to=url_for(".applications"))


def _live(application: Application) -> Application:
    if application.deleted_at is not None:
        raise NotFound()
    return application


def _new_site(application: Application, form: ConsentForm, status: int = 200) -> Response:
    found = targets(g.db, agency_id=g.agency.agency_id)
    form.offer(found, _live(application).scopes)
    page = render_template("oauth/new_site.html", application=application, form=form, has_sites=bool(found))
    return make_response(page, status)


def _application(application: Application, form: ApplicationForm, status: int = 200) -> Response:
    context: dict[str, Any] = {
        "application": application, "form": form, "can_manage": g.actor.can(Permission.KEYS_MANAGE), "scopes": SCOPES,
        "issuer": current_app.config["DRAMAC"].platform_url,
        "own": grants(g.db, agency_id=g.agency.agency_id, alone=application.id, now=utcnow()).rows,
    }  # fmt: skip
    return make_response(render_template("oauth/application.html", **context), status)


def _secret_once(application: Application, secret: str) -> Response:
    # the secret exists in this one answer: no redirect could carry it without keeping it somewhere
    page = render_template("oauth/secret.html", application=application, secret=secret)
    return make_response(page, 201)


# -- applications that were let in


@bp.get("/connected-apps")
@requires(Permission.SITES_VIEW)
def connections() -> Response:
    sees_all = g.actor.can(Permission.KEYS_VIEW)
    mine = not sees_all or request.args.get("whose") == "mine"
    past, search = request.args.get("past") == "1", clean(request.args.get("q"))[:80]
    listing = grants(
        g.db,
        agency_id=g.agency.agency_id,
        person_id=g.actor.id if mine else None,
        past=past,
        search=search,
        now=utcnow(),
        page=page_number(),
    )
    context: dict[str, Any] = {
        "listing": listing, "sees_all": sees_all, "mine": mine, "past": past, "q": search, "me_id": g.actor.id,
        "can_manage": g.actor.can(Permission.KEYS_MANAGE),
    }  # fmt: skip
    if is_htmx() and htmx_target() == "results":
        return make_response(fragment("oauth/_connections.html", **context))
    return make_response(render_template("oauth/connections.html", **context))


@bp.post("/connected-apps/<public_id:grant_id>/revoke")
@requires(Permission.SITES_VIEW, grant=Grant)
def revoke(grant: Grant) -> Response:
    """Their own: anybody. Another's: whoever manages keys."""
    if grant.user_id != g.actor.id and not g.actor.can(Permission.KEYS_MANAGE):
        raise Forbidden("Only the person who let it in, and those who manage API keys, can shut this application out.")
    try:
        revoke_grant(g.db, grant=grant, by=g.actor, now=utcnow())
        trigger_toast("success", "The application is shut out", "Its tokens are refused from now on.")
    except GrantAlreadyEnded:
        trigger_toast("info", "It was shut out already")
    if grant.user_id is None and request.form.get("from") == "application":
        return respond(redirect_to=url_for(".application", application_id=encode("app", grant.client_id)))
    return respond(redirect_to=url_for(".connections", whose="mine" if request.form.get("whose") == "mine" else None))
