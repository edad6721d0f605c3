"""Members, invitations, and what each role may do."""

from __future__ import annotations

from flask import Response, g, url_for
from flask_login import current_user

from app.access.permissions import ROLE_PERMISSIONS, Permission, Role
from app.errors import AppError, Conflict, Forbidden, NotFound
from app.lib.clock import utcnow
from app.tenancy import queries
from app.tenancy.actions import members as actions
from app.tenancy.forms import InviteForm, RoleForm
from app.tenancy.models import Invitation, Membership
from app.tenancy.views.common import agency_id, bp, config, letter_link, page, show, words_asked
from app.web.forms import asked, page_number
from app.web.guard import requires
from app.web.htmx import respond, trigger_toast
from app.web.limits import limiter

ROLES = tuple(role.value for role in Role)


@bp.get("/members")
@requires(Permission.MEMBERS_VIEW)
def members() -> Response:
    return _members_page(InviteForm(formdata=None))


def _members_page(form: InviteForm, *, status: int = 200, part: str = "members_results") -> Response:
    can_manage = g.actor.can(Permission.MEMBERS_MANAGE)
    role = asked("role", ROLES, "")
    listing = queries.members(g.db, agency_id=agency_id(), search=words_asked(), role=role, page=page_number())
    form.role.choices = [choice for choice in form.role.choices if _may_give(choice[0])]
    return show(
        "members",
        part,
        status=status,
        page="members",
        listing=listing,
        q=words_asked(),
        role=role,
        roles=list(Role),
        form=form,
        invitations=queries.invitations(g.db, agency_id=agency_id()) if can_manage else [],
        now=utcnow(),
        can_manage=can_manage,
        may_give=_may_give,
        me_id=current_user.id,
    )


def _may_give(role: str) -> bool:
    return role != Role.OWNER.value or bool(g.actor.can(Permission.OWNERS_MANAGE))


@bp.get("/members/roles")
@requires(Permission.MEMBERS_VIEW)
def roles() -> Response:
    return page(
        "roles",
        page="members",
        roles=list(Role),
        permissions=list(Permission),
        allowed=ROLE_PERMISSIONS,
    )


@bp.post("/members/invite")
@requires(Permission.MEMBERS_MANAGE)
@limiter.limit("30 per hour")
def invite() -> Response:
    form = InviteForm()
    if not form.validate():
        return _members_page(form, status=422, part="invite_form")
    try:
        actions.invite_member(
            g.db,
            agency_id=agency_id(),
            email=form.email.data,
            role=Role(form.role.data),
            by=g.actor,
            link=letter_link("tenancy.join"),
            keys=config().secret_keys,
            now=utcnow(),
        )
    except (Conflict, Forbidden) as error:
        forbidden = isinstance(error, Forbidden)
        form.take(error, "role" if forbidden else "email")
        return _members_page(form, status=403 if forbidden else 409, part="invite_form")
    trigger_toast("success", "Invitation sent", f"{form.email.data} has 7 days to join.")
    return respond(redirect_to=url_for(".members"))


@bp.post("/members/invitations/<public_id:invitation_id>/resend")
@requires(Permission.MEMBERS_MANAGE, invitation=Invitation)
@limiter.limit("30 per hour")
def resend_invitation(invitation: Invitation) -> Response:
    actions.resend_invitation(
        g.db,
        invitation=invitation,
        by=g.actor,
        link=letter_link("tenancy.join"),
        keys=config().secret_keys,
        now=utcnow(),
    )
    trigger_toast("success", "Invitation sent again", "The link in the earlier letter no longer works.")
    return respond(redirect_to=url_for(".members"))


@bp.post("/members/invitations/<public_id:invitation_id>/revoke")
@requires(Permission.MEMBERS_MANAGE, invitation=Invitation)
def revoke_invitation(invitation: Invitation) -> Response:
    actions.revoke_invitation(g.db, invitation=invitation, by=g.actor, now=utcnow())
    trigger_toast("success", "Invitation withdrawn", f"The link sent to {invitation.email} no longer works.")
    return respond(redirect_to=url_for(".members"))


@bp.post("/members/<public_id:membership_id>/role")
@requires(Permission.MEMBERS_MANAGE, membership=Membership)
def change_role(membership: Membership) -> Response:
    form = RoleForm()
    if not form.validate():
        raise NotFound()
    who = queries.member_named(g.db, membership=membership)
    try:
        actions.change_role(g.db, membership=membership, role=Role(form.role.data), name=who.name, by=g.actor)
    except (Conflict, Forbidden) as error:
        return _refused("Role not changed", error)
    trigger_toast("success", f"{who.name} is now {Role(form.role.data).label.lower()}")
    return respond(redirect_to=url_for(".members"))


@bp.post("/members/<public_id:membership_id>/remove")
@requires(Permission.MEMBERS_MANAGE, membership=Membership)
def remove_member(membership: Membership) -> Response:
    who = queries.member_named(g.db, membership=membership)
    try:
        actions.remove_member(g.db, membership=membership, name=who.name, by=g.actor)
    except (Conflict, Forbidden) as error:
        return _refused("Not removed", error)
    trigger_toast("success", f"{who.name} is no longer a member")
    return respond(redirect_to="/" if who.id == current_user.id else url_for(".members"))


def _refused(title: str, error: AppError) -> Response:
    trigger_toast("error", title, error.message)
    return respond(redirect_to=url_for(".members"))
