"""The page behind an invitation's link: for somebody with an account, and for somebody who makes one there."""

from __future__ import annotations

from typing import Any

from flask import Response, g, make_response, redirect, render_template, request
from flask_login import current_user
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.accounts.actions import EmailTaken, Visit, choose_agency, create_user, start_session
from app.accounts.identity import remember
from app.accounts.models import User
from app.db.base import db
from app.db.scope import identity_scope, joining_scope
from app.db.session import transaction
from app.errors import Invalid
from app.lib.clock import utcnow
from app.tenancy.actions.members import AlreadyMember, InvitationGone, accept_invitation
from app.tenancy.forms import JoinForm
from app.tenancy.queries import OpenInvitation, open_invitation
from app.tenancy.views.common import bp
from app.web.guard import forget_browser_session, public
from app.web.htmx import trigger_toast
from app.web.limits import limiter


@bp.get("/join/<token>")
@public
def join(token: str) -> Response:
    found = _found(token)
    return _page(token, found, JoinForm(formdata=None)) if found else _gone()


@bp.post("/join/<token>")
@public
@limiter.limit("20 per minute")
def join_now(token: str) -> Response:
    found = _found(token)
    if found is None:
        return _gone()
    if not current_user.is_authenticated and not found.has_account:
        return _join_as_new_person(token, found)
    if not current_user.is_authenticated or current_user.email != found.email:
        return _page(token, found, JoinForm(formdata=None), status=409)
    try:
        with joining_scope(found.agency_id), transaction(db.session()) as session:
            accept_invitation(
                session, token=token, user=session.get_one(User, current_user.id), by=_visitor(), now=utcnow()
            )
            choose_agency(session, session_id=current_user.session_id, agency_id=found.agency_id)
    except (AlreadyMember, InvitationGone):
        return _gone()
    trigger_toast("success", f"Welcome to {found.agency_name}")
    return make_response(redirect("/", code=303))


def _join_as_new_person(token: str, found: OpenInvitation) -> Response:
    form = JoinForm()
    if not form.validate():
        return _page(token, found, form, status=422)
    try:
        with joining_scope(found.agency_id), transaction(db.session()) as session:
            session_token = _new_member(session, token, found, form)
    except Invalid as error:
        form.take(error, "password")
        return _page(token, found, form, status=422)
    except (EmailTaken, InvitationGone):
        return make_response(redirect(request.path, code=303))  # somebody was faster; the page says how to go on
    forget_browser_session()
    trigger_toast("success", f"Welcome to {found.agency_name}")
    return remember(make_response(redirect("/", code=303)), session_token)


def _new_member(session: Session, token: str, found: OpenInvitation, form: JoinForm) -> str:
    now = utcnow()
    user = create_user(session, email=found.email, name=form.name.data, password=form.password.data, now=now)
    accept_invitation(session, token=token, user=user, by=_visitor(), now=now)
    visit = Visit(request.remote_addr, request.user_agent.string or "")
    return start_session(session, user=user, visit=visit, now=now, agency_id=found.agency_id)


def _found(token: str) -> OpenInvitation | None:
    with identity_scope(), transaction(db.session()) as session:
        return open_invitation(session, token=token, now=utcnow())


def _visitor() -> Actor:
    return Actor(
        kind="visitor",
        ip=request.remote_addr,
        user_agent=(request.user_agent.string or "")[:400],
        request_id=g.get("request_id", ""),
    )


def _gone() -> Response:
    return make_response(render_template("tenancy/join_gone.html"), 404)


def _page(token: str, found: OpenInvitation, form: Any, *, status: int = 200) -> Response:
    who = current_user if current_user.is_authenticated else None
    return make_response(
        render_template("tenancy/join.html", invitation=found, form=form, token=token, who=who), status
    )
