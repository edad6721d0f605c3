"""Default deny: every view of every surface says who may call it, or the application does not start.

Decorators only declare; protect() then wraps each view in what it declared. Other surfaces bring their own kinds of
access (gateway: a credential; pages: a visitor) by making an Access with their own `enter`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any, Protocol, TypeVar
from uuid import UUID

from flask import Flask, Response, current_app, g, make_response, redirect, request, session, url_for
from flask_login import current_user
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.access.permissions import Permission, Role, StaffPermission
from app.db.base import db
from app.db.scope import Scope, identity_scope, platform_scope
from app.db.session import transaction
from app.errors import Forbidden, NotFound
from app.events.catalog import SUPPORT_VIEWED
from app.events.outbox import publish
from app.lib.ids import decode, encode
from app.queue.enqueue import redis
from app.web.htmx import is_htmx

log = logging.getLogger(__name__)

View = Callable[..., Any]
AnyView = TypeVar("AnyView", bound=View)


class UndeclaredAccess(RuntimeError):
    """A route says nothing about who may call it."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a route declares. `label` stands in the route list; `enter` wraps the view in the check."""

    label: str
    enter: Callable[[View], View]
    permission: Permission | StaffPermission | None = None
    objects: dict[str, type] = field(default_factory=dict)


_NOBODYS = Access("", lambda inner: inner)


class Visit(Protocol):
    """By which leave one of the platform's staff looks at an agency."""

    access_id: UUID
    reason: str
    until: datetime


class Membership(Protocol):
    agency_id: UUID
    agency_name: str
    role: Role
    visit: Visit | None

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the person may do in the agency."""

    def scope(self, user_id: UUID) -> AbstractContextManager[Scope]:
        """The agency's rows, as far as the person may reach them."""


class Person(Protocol):
    """What the guard needs to know of Flask-Login's current_user; made by accounts.identity."""

    is_authenticated: bool
    id: UUID
    name: str
    email: str
    staff_role: str | None
    time_zone: str
    locale: str
    membership: Membership | None


def declare(view: AnyView, access: Access) -> AnyView:
    """Attach an Access to a view."""
    if hasattr(view, "access"):
        raise UndeclaredAccess(f"{view.__name__} declares access twice")
    view.access = access  # type: ignore[attr-defined]  # read by protect()
    return view


def public(view: AnyView) -> AnyView:
    """Anybody may call it; it opens the scope it needs itself."""
    return declare(view, Access("public", lambda inner: inner))


def signed_in(view: AnyView) -> AnyView:
    """Any signed-in person, for pages about themselves: their own rows and nothing of an agency."""
    return declare(view, Access("signed in", _enter_signed_in))


def any_member(view: AnyView) -> AnyView:
    """A member of an agency, whatever the role."""
    return declare(view, Access("any member", lambda inner: _enter_member(inner, Permission.AGENCY_VIEW, {})))


def requires(permission: Permission, **objects: type) -> Callable[[AnyView], AnyView]:
    """A member of the current agency whose role has the permission.

    objects: `site=Site` loads the Site named by the route's `site_id` inside the agency's scope and hands it to the
    view as `site`. One that is not there or another agency's is 404; only then a missing right is 403. A class that is no
    table says itself how it is found: `find(session, uuid)`.
    """

    def decorate(view: AnyView) -> AnyView:
        def enter(inner: View) -> View:
            return _enter_member(inner, permission, objects)

        return declare(view, Access(f"member: {permission}", enter, permission, objects))

    return decorate


def staff(permission: StaffPermission) -> Callable[[AnyView], AnyView]:
    """Platform staff; the view runs over all agencies with the route's name as the reason."""

    def decorate(view: AnyView) -> AnyView:
        return declare(view, Access(f"staff: {permission}", lambda inner: _enter_staff(inner, permission), permission))

    return decorate


def protect(app: Flask) -> None:
    """Wrap every view in its declared access. Raises UndeclaredAccess. Call once, after all routes are there."""
    missing = [e for e, view in app.view_functions.items() if not hasattr(view, "access") and e != "static"]
    if missing:
        raise UndeclaredAccess(f"{app.name}: no access declared for {', '.join(sorted(missing))}")
    views: dict[str, Any] = dict(app.view_functions)
    app.extensions["access"] = {endpoint: view.access for endpoint, view in views.items() if endpoint != "static"}
    for endpoint, access in app.extensions["access"].items():
        app.view_functions[endpoint] = access.enter(views[endpoint])


def person() -> Person | None:
    """The signed-in person, None for nobody."""
    return current_user._get_current_object() if current_user and current_user.is_authenticated else None


def recognise() -> None:
    """Say who is signed in where no guard came to it: at an address that is none, for a wrong method, for a forged form.

    Pages for everybody, and those about a person alone, stay nobody's: what is done there is not the agency's to read.
    """
    rule = request.url_rule
    label = current_app.extensions.get("access", {}).get(rule.endpoint, _NOBODYS).label if rule else "any member"
    if "actor" in g or not hasattr(current_app, "login_manager") or not label.startswith(("any member", "member:")):
        return
    try:
        who = person()
    except SQLAlchemyError as error:  # an error page is made without the database, too
        log.warning("who saw an error page could not be asked: %s", error)
        return
    if who is not None and who.membership is not None:
        g.actor, g.agency = _member_actor(who, who.membership), who.membership


def sign_in_first() -> Response:
    """Send a browser to the sign-in page and back afterwards; htmx by a full load."""
    where = url_for("accounts.sign_in", next=request.full_path.rstrip("?") if request.method == "GET" else None)
    if is_htmx():
        answer = make_response("", 401)
        answer.headers["HX-Redirect"] = where
        return answer
    return make_response(redirect(where, code=303))


def committed(inner: View, kwargs: dict[str, Any]) -> Response:
    """Call a view in one transaction: committed when it answers below 400, rolled back otherwise."""
    g.db = db.session()
    try:
        answer = make_response(inner(**kwargs))
        if answer.status_code < 400:
            g.db.commit()
        else:
            g.db.rollback()
        return answer
    except BaseException:
        g.db.rollback()
        raise
    finally:
        db.session.remove()


def _remember_viewer(who: Person) -> None:
    g.zone, g.locale = who.time_zone, who.locale


def _enter_signed_in(inner: View) -> View:
    @wraps(inner)
    def guarded(**kwargs: Any) -> Response:
        who = person()
        if who is None:
            return sign_in_first()
        _remember_viewer(who)
        g.actor = Actor(kind="person", id=who.id, name=who.name, staff_role=who.staff_role, **_request_facts())
        with identity_scope(who.id):
            return committed(inner, kwargs)

    return guarded


def _enter_member(inner: View, permission: Permission, objects: dict[str, type]) -> View:
    @wraps(inner)
    def guarded(**kwargs: Any) -> Response:
        who = person()
        if who is None:
            return sign_in_first()
        _remember_viewer(who)
        if who.membership is None:
            return make_response(redirect(url_for("accounts.no_agency"), code=303))
        g.actor = _member_actor(who, who.membership)
        g.agency = who.membership
        if who.membership.visit is not None:
            _only_looking(who.membership.agency_id, who.membership.visit)
        with who.membership.scope(who.id):
            answer = committed(lambda **given: _checked(inner, permission, objects, given), kwargs)
        if who.membership.visit is not None and answer.headers.get("Content-Disposition", "").startswith("attachment"):
            answer.close()  # a file that is written while it is sent was not begun
            raise Forbidden("Support only looks: no file of an agency is taken along.")
        return answer

    return guarded


def _only_looking(agency_id: UUID, visit: Visit) -> None:
    """Platform staff inside an agency: changes nothing, and leaves in the agency's own trail what it opens, before it opens it."""
    if request.method not in ("GET", "HEAD"):
        raise Forbidden("Support only looks: nothing of an agency is changed. Leave the agency to work as yourself.")
    if noted_lately(f"dramac:support:{visit.access_id}:{request.path}"):
        return
    with platform_scope(f"support access {visit.access_id}"), transaction(db.session()) as session:
        publish(
            session, SUPPORT_VIEWED, by=g.actor, agency_id=agency_id, target=encode("sup", visit.access_id),
            target_name=request.path[:200], data={"person": g.actor.name, "path": request.path[:200]},
        )  # fmt: skip


def noted_lately(key: str) -> bool:
    """Whether this look was noted within the last minute: one that asks by itself would fill the trail."""
    try:
        return not redis().set(key, "1", nx=True, ex=60)
    except RedisError:
        return False


def _checked(inner: View, permission: Permission, objects: dict[str, type], kwargs: dict[str, Any]) -> Any:
    loaded = {name: _load(g.db, model, kwargs.pop(f"{name}_id")) for name, model in objects.items()}
    if not g.actor.can(permission):
        raise Forbidden(f"Your role in this agency does not allow this: {permission.label.lower()}.")
    return inner(**loaded, **kwargs)


def _load(session_: Session, model: Any, public_id: str) -> Any:
    wanted = decode(model.public_prefix, public_id)
    found = model.find(session_, wanted) if hasattr(model, "find") else session_.get(model, wanted)
    if found is None or found.agency_id != g.agency.agency_id:
        raise NotFound()  # the second wall: row-level security alone would say the same
    return found


def _enter_staff(inner: View, permission: StaffPermission) -> View:
    @wraps(inner)
    def guarded(**kwargs: Any) -> Response:
        who = person()
        if who is None:
            return sign_in_first()
        _remember_viewer(who)
        g.actor = Actor(kind="person", id=who.id, name=who.name, staff_role=who.staff_role, **_request_facts())
        if not g.actor.can_staff(permission):
            raise NotFound()  # that there are staff pages is nobody else's business
        with platform_scope(f"{request.method} {request.path} by {g.actor.ref}"):
            return committed(inner, kwargs)

    return guarded


def _request_facts() -> dict[str, Any]:
    return {
        "ip": request.remote_addr,
        "user_agent": (request.user_agent.string or "")[:400],
        "request_id": g.get("request_id", ""),
    }


def _member_actor(who: Person, membership: Membership) -> Actor:
    return Actor(
        kind="person",
        id=who.id,
        name=f"{who.name} (Dramac support)" if membership.visit else who.name,
        agency_id=membership.agency_id,
        role=membership.role,
        staff_role=who.staff_role,
        permissions=membership.permissions,
        **_request_facts(),
    )


def forget_browser_session() -> None:
    """Empty the signed browser cookie (CSRF token, flashes): after sign-in and sign-out everything in it is new."""
    session.clear()
