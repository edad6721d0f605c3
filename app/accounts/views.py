"""Sign in and out, forgotten passwords, the account page."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Response, current_app, g, make_response, redirect, render_template, request, url_for
from flask_login import current_user

from app.accounts import actions
from app.accounts.actions import LinkExpired, Visit, WrongPassword
from app.accounts.forms import ForgotForm, PasswordForm, ProfileForm, ResetForm, SignInForm
from app.accounts.identity import Person, forget, remember, token_of
from app.accounts.queries import open_reset, recent_sign_ins, sessions_of
from app.config import Config
from app.db.base import db
from app.db.scope import identity_scope
from app.db.session import transaction
from app.errors import AppError, Invalid, NotFound
from app.lib.clock import utcnow
from app.lib.ids import decode
from app.web.forms import local_path
from app.web.guard import forget_browser_session, public, signed_in
from app.web.htmx import is_htmx, respond, trigger_toast
from app.web.limits import limiter
from app.web.ui import THEMES

bp = Blueprint("accounts", __name__)

YEAR_S = 365 * 24 * 3600
FORGET_PAGES = '"cache", "storage"'


def me() -> Person:
    """The person behind this request; only in views that are declared signed_in or requires."""
    return cast(Person, current_user._get_current_object())


def visit() -> Visit:
    return Visit(address=request.remote_addr, user_agent=(request.user_agent.string or "")[:400])


def settings() -> Config:
    return cast(Config, current_app.config["DRAMAC"])


def full_address(endpoint: str, **values: Any) -> str:
    """A link for a letter: on the configured address, never on what the request's Host header claims."""
    return settings().platform_url + url_for(endpoint, **values)


@bp.get("/sign-in")
@public
def sign_in() -> Response:
    where = local_path(request.args.get("next"))
    if current_user.is_authenticated:
        return make_response(redirect(where, code=303))
    form = SignInForm(formdata=None, data={"next": where})
    return make_response(render_template("accounts/sign_in.html", form=form, refused=False))


@bp.post("/sign-in")
@public
@limiter.limit("20 per minute; 200 per hour")
def sign_in_now() -> Response:
    form = SignInForm()
    if not form.validate():
        return make_response(render_template("accounts/sign_in.html", form=form, refused=False), 422)
    with identity_scope(), transaction(db.session()) as session:
        token = actions.sign_in(
            session, email=form.email.data, password=form.password.data, visit=visit(), now=utcnow()
        )
        old = token_of(request)
        if token and old:
            actions.end_token(session, token=old)
    if token is None:
        return make_response(render_template("accounts/sign_in.html", form=form, refused=True), 422)
    return signed_in_answer(token, local_path(form.next.data))


def signed_in_answer(token: str, where: str) -> Response:
    """Into the product with a new session; what the browser knew before sign-in is forgotten (session fixation)."""
    forget_browser_session()
    return remember(make_response(redirect(where, code=303)), token)


@bp.post("/sign-out")
@signed_in
def sign_out() -> Response:
    """next: where whoever signs in afterwards goes on."""
    return _signed_out(local_path(request.form.get("next"), ""))


def _signed_out(where: str = "") -> Response:
    actions.end_session(g.db, user_id=me().id, session_id=me().session_id)
    forget_browser_session()
    answer = make_response(redirect(url_for(".sign_in", next=where or None), code=303))
    answer.headers["Clear-Site-Data"] = FORGET_PAGES
    return forget(answer)


@bp.get("/forgot-password")
@public
def forgot() -> Response:
    return make_response(render_template("accounts/forgot.html", form=ForgotForm(formdata=None)))


@bp.post("/forgot-password")
@public
@limiter.limit("5 per minute; 30 per hour")
def forgot_now() -> Response:
    form = ForgotForm()
    if not form.validate():
        return make_response(render_template("accounts/forgot.html", form=form), 422)
    with identity_scope(), transaction(db.session()) as session:
        actions.request_password_reset(
            session,
            email=form.email.data,
            link=lambda token: full_address("accounts.reset", token=token),
            keys=settings().secret_keys,
            now=utcnow(),
        )
    return make_response(render_template("accounts/forgot_sent.html", email=form.email.data))


@bp.get("/reset-password/<token>")
@public
def reset(token: str) -> Response:
    with identity_scope(), transaction(db.session()) as session:
        found = open_reset(session, token=token, now=utcnow())
    if found is None:
        return make_response(render_template("accounts/reset_expired.html"), 404)
    form = ResetForm(formdata=None)
    return make_response(render_template("accounts/reset.html", form=form, token=token, email=found[1].email))


@bp.post("/reset-password/<token>")
@public
@limiter.limit("10 per minute")
def reset_now(token: str) -> Response:
    form = ResetForm()
    form.validate()
    try:
        email = _reset(token, form)
    except LinkExpired:
        return make_response(render_template("accounts/reset_expired.html"), 404)
    if form.errors:
        return make_response(render_template("accounts/reset.html", form=form, token=token, email=email), 422)
    trigger_toast("success", "Your password is changed", "Every other device was signed out.")
    return make_response(redirect(url_for(".sign_in"), code=303))


def _reset(token: str, form: ResetForm) -> str:
    """Set the password unless the form has errors; the e-mail address it is for. Raises LinkExpired."""
    with identity_scope(), transaction(db.session()) as session:
        found = open_reset(session, token=token, now=utcnow())
        if found is None:
            raise LinkExpired()
        if not form.errors:
            try:
                actions.reset_password(
                    session, token=token, new=form.password.data, keys=settings().secret_keys, now=utcnow()
                )
            except Invalid as error:
                form.take(error, "password")
        return found[1].email


@bp.get("/no-agency")
@signed_in
def no_agency() -> Response:
    """Where somebody lands who belongs to no agency, or whose agency is suspended."""
    if me().membership is not None:
        return make_response(redirect("/", code=303))
    return make_response(render_template("accounts/no_agency.html", person=me()))


@bp.post("/switch-agency")
@signed_in
def switch_agency() -> Response:
    """next: a page that means something in either agency, such as a request for consent; the start page without it."""
    wanted = decode("agc", request.form.get("agency", ""))
    if wanted not in {agency.agency_id for agency in me().memberships}:
        raise NotFound()
    actions.choose_agency(g.db, session_id=me().session_id, agency_id=wanted)
    return make_response(redirect(local_path(request.form.get("next")), code=303))


@bp.post("/theme")
@public
def theme() -> Response:
    """Light, dark or as the system, without JavaScript; with it the switch sets the same cookie by itself."""
    chosen = request.form.get("theme", "")
    answer = make_response(redirect(local_path(request.form.get("next")), code=303))
    if chosen in THEMES:
        # readable by script: the switch and the page's first paint look at it
        answer.set_cookie("theme", chosen, max_age=YEAR_S, samesite="Lax", secure=settings().secure_cookies, path="/")
    return answer


@bp.get("/account")
@signed_in
def account() -> Response:
    return _account_page()


def _account_page(
    *, profile: ProfileForm | None = None, password: PasswordForm | None = None, status: int = 200, part: str = ""
) -> Response:
    who = me()
    now = utcnow()
    context = {
        "page": "account",
        "person": who,
        "profile": profile or ProfileForm(formdata=None, obj=who),
        "password": password or PasswordForm(formdata=None),
        "sessions": sessions_of(g.db, user_id=who.id, here=who.session_id, now=now, staff=bool(who.staff_role)),
        "sign_ins": recent_sign_ins(g.db, user_id=who.id),
    }
    name = f"accounts/_{part}.html" if part and is_htmx() else "accounts/account.html"
    return make_response(render_template(name, **context), status)


@bp.post("/account/profile")
@signed_in
def change_profile() -> Response:
    form = ProfileForm()
    if not form.validate():
        return _account_page(profile=form, status=422, part="profile_form")
    actions.change_profile(
        g.db, user_id=me().id, name=form.name.data, time_zone=form.time_zone.data, locale=form.locale.data
    )
    trigger_toast("success", "Profile saved")
    return respond(redirect_to=url_for(".account"))


@bp.post("/account/password")
@signed_in
@limiter.limit("10 per hour", key_func=lambda: str(current_user.get_id()))
def change_password() -> Response:
    form = PasswordForm()
    if not form.validate():
        return _account_page(password=form, status=422, part="password_form")
    who = me()
    try:
        token = actions.change_password(
            g.db,
            user_id=who.id,
            session_id=who.session_id,
            old=form.old.data,
            new=form.password.data,
            keys=settings().secret_keys,
            now=utcnow(),
        )
    except (WrongPassword, Invalid) as error:
        return _refused_password(form, error)
    ended = actions.end_other_sessions(g.db, user_id=who.id, keep=who.session_id) if form.end_others.data else 0
    trigger_toast("success", "Password changed", f"{ended} other sessions were ended." if ended else "")
    return remember(respond(redirect_to=url_for(".account")), token)


def _refused_password(form: PasswordForm, error: AppError) -> Response:
    g.db.rollback()
    form.take(error, "old" if isinstance(error, WrongPassword) else "password")
    return _account_page(password=form, status=422, part="password_form")


@bp.post("/account/sessions/<public_id:session_id>/end")
@signed_in
def end_session(session_id: str) -> Response:
    wanted = decode("ses", session_id)
    if wanted == me().session_id:
        return _signed_out()
    actions.end_session(g.db, user_id=me().id, session_id=wanted)
    trigger_toast("success", "Session ended", "That device has to sign in again.")
    return respond(redirect_to=url_for(".account"))


@bp.post("/account/sessions/end-others")
@signed_in
def end_other_sessions() -> Response:
    ended = actions.end_other_sessions(g.db, user_id=me().id, keep=me().session_id)
    if ended:
        trigger_toast("success", "Signed out everywhere else", f"{ended} ended." if ended > 1 else "One session ended.")
    else:
        trigger_toast("info", "There was no other session")
    return respond(redirect_to=url_for(".account"))
