"""Forgotten and changed passwords, by letter and on the account page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.accounts.actions import create_user
from app.accounts.models import PasswordReset, User, UserSession
from app.accounts.passwords import matches
from app.db.base import db
from app.db.scope import identity_scope, platform_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.crypto import token_hash
from app.lib.ids import uuid7
from app.mail.models import Mail
from tests.support.browser import Browser
from tests.support.letters import Postbox, link_in, words
from tests.web.conftest import Browse

OLD = "copper lantern drifts quietly"
NEW = "seven otters borrow umbrellas"


@pytest.fixture
def ada(world: object) -> User:
    with identity_scope(), transaction(db.session()) as session:
        return create_user(
            session, email=f"ada-{uuid7().hex[-8:]}@example.test", name="Ada Bright", password=OLD, now=utcnow()
        )


@pytest.fixture
def signed_in(browse: Browse, ada: User) -> Browser:
    return sign_in(browse(), ada)


def sign_in(browser: Browser, user: User, password: str = OLD) -> Browser:
    assert browser.post("/sign-in", {"email": user.email, "password": password}).status == 303
    return browser


def ask(browser: Browser, email: str) -> tuple[int, str]:
    page = browser.post("/forgot-password", {"email": email})
    return page.status, page.one("main").get_text().replace(email, "…")


def letters_to(email: str) -> int:
    with platform_scope("test"), transaction(db.session()) as session:
        return session.scalar(select(func.count()).select_from(Mail).where(Mail.recipient == email)) or 0


def kept_hash(user: User) -> str | None:
    with platform_scope("test"), transaction(db.session()) as session:
        return session.get_one(User, user.id).password_hash


def test_a_letter_leads_to_a_new_password(browse: Browse, ada: User, postbox: Postbox) -> None:
    other_device = sign_in(browse(), ada)
    browser = browse()
    assert ask(browser, ada.email.upper())[0] == 200
    letter = postbox.to(ada.email)[0]
    assert letter["Subject"] == "Set a new Dramac password"
    assert "30 minutes" in words(letter)
    link = link_in(letter)
    assert link in words(letter, "html")

    form = browser.get(link)
    assert (form.heading, form.one("main b").get_text()) == ("Set a new password", ada.email)
    answer = browser.post(link, {"password": NEW})
    assert (answer.status, answer.where) == (303, "/sign-in")
    assert other_device.get("/account").status == 303
    assert browse().post("/sign-in", {"email": ada.email, "password": OLD}).status == 422
    sign_in(browse(), ada, NEW)
    assert [mail["Subject"] for mail in postbox.to(ada.email)][1:] == ["Your Dramac password was changed"]


def test_A4_the_link_works_once(browse: Browse, ada: User, postbox: Postbox) -> None:
    browser = browse()
    ask(browser, ada.email)
    link = link_in(postbox.to(ada.email)[0])
    browser.post(link, {"password": NEW})
    for page in (browser.get(link), browser.post(link, {"password": OLD})):
        assert (page.status, page.heading) == (404, "This link does not work any more")
    assert matches(kept_hash(ada), NEW)


def test_A4_the_link_works_for_thirty_minutes(browse: Browse, ada: User, postbox: Postbox) -> None:
    browser = browse()
    ask(browser, ada.email)
    link = link_in(postbox.to(ada.email)[0])
    with platform_scope("test"), transaction(db.session()) as session:
        reset = session.scalars(select(PasswordReset).where(PasswordReset.user_id == ada.id)).one()
        assert reset.expires_at - reset.created_at == timedelta(minutes=30)
        reset.expires_at = utcnow() - timedelta(seconds=1)
    assert browser.get(link).status == 404
    assert browser.post(link, {"password": NEW}).status == 404
    assert matches(kept_hash(ada), OLD)


def test_A4_only_the_hash_of_the_token_is_kept(browse: Browse, ada: User, postbox: Postbox) -> None:
    ask(browse(), ada.email)
    token = link_in(postbox.to(ada.email)[0]).rpartition("/")[2]
    with platform_scope("test"), transaction(db.session()) as session:
        reset = session.scalars(select(PasswordReset).where(PasswordReset.user_id == ada.id)).one()
    assert reset.token_hash == token_hash(token)


def test_A4_setting_a_password_ends_every_other_open_link(browse: Browse, ada: User, postbox: Postbox) -> None:
    browser = browse()
    ask(browser, ada.email)
    ask(browser, ada.email)
    first, second = (link_in(letter) for letter in postbox.to(ada.email))
    assert browser.post(second, {"password": NEW}).status == 303
    assert browser.get(first).status == 404


def test_A4_asking_for_an_unknown_address_gets_the_same_answer(browse: Browse, ada: User) -> None:
    known = ask(browse(), ada.email)
    assert known[0] == 200
    assert ask(browse(), "nobody@example.test") == known
    assert (letters_to(ada.email), letters_to("nobody@example.test")) == (1, 0)


def test_A4_a_disabled_person_gets_no_letter_and_the_same_answer(browse: Browse, ada: User) -> None:
    known = ask(browse(), ada.email)
    assert known[0] == 200
    with platform_scope("test"), transaction(db.session()) as session:
        session.get_one(User, ada.id).disabled_at = utcnow()
    assert ask(browse(), ada.email) == known
    assert letters_to(ada.email) == 1


def test_A4_at_most_three_letters_an_hour_go_to_one_person(browse: Browse, ada: User) -> None:
    answers = [ask(browse(), ada.email) for _ in range(5)]
    assert len(set(answers)) == 1
    assert answers[0][0] == 200
    assert letters_to(ada.email) == 3


def test_a_link_in_a_letter_never_leads_to_the_host_the_request_claimed(
    browse: Browse, ada: User, postbox: Postbox
) -> None:
    browser = browse()
    browser.get("/forgot-password")
    browser.post("/forgot-password", {"email": ada.email}, headers={"X-Forwarded-Host": "evil.test"})
    assert "evil.test" not in words(postbox.to(ada.email)[0])


def test_A3_a_weak_new_password_is_refused_and_the_link_stays(browse: Browse, ada: User, postbox: Postbox) -> None:
    browser = browse()
    ask(browser, ada.email)
    link = link_in(postbox.to(ada.email)[0])
    page = browser.post(link, {"password": "passwordpassword"})
    assert page.status == 422
    assert len(page.errors) == 1
    assert browser.post(link, {"password": ""}).errors == ["Choose a password."]
    assert browser.post(link, {"password": NEW}).status == 303


@pytest.mark.parametrize("token", ["x", "x" * 500, "%00", "..%2f"])
def test_an_invented_link_is_said_to_be_stale(browse: Browse, token: str) -> None:
    assert browse().get(f"/reset-password/{token}").status == 404


def test_A1_changing_the_password_gives_this_device_a_new_session_and_ends_the_others(
    browse: Browse, signed_in: Browser, ada: User, postbox: Postbox
) -> None:
    other = sign_in(browse(), ada)
    before = signed_in.cookie()
    answer = signed_in.post("/account/password", {"old": OLD, "password": NEW, "end_others": "y"})
    assert (answer.status, answer.where) == (303, "/account")
    assert signed_in.cookie() != before
    assert signed_in.get("/account").status == 200
    assert other.get("/account").status == 303
    stolen = browse()
    stolen.client.set_cookie("dramac_session", before or "")
    assert stolen.get("/account").status == 303
    assert [letter["Subject"] for letter in postbox.to(ada.email)] == ["Your Dramac password was changed"]


def test_changing_the_password_may_keep_the_other_sessions(browse: Browse, signed_in: Browser, ada: User) -> None:
    other = sign_in(browse(), ada)
    signed_in.post("/account/password", {"old": OLD, "password": NEW})
    assert other.get("/account").status == 200


@pytest.mark.parametrize(
    ("sent", "errors"),
    [
        ({"old": "not this one at all", "password": NEW}, ["That is not your current password."]),
        ({"old": OLD, "password": "short"},
         ["Use at least 12 characters. Four unrelated words are easy to remember."]),
        ({"old": "", "password": ""}, ["Enter your current password.", "Choose a new password."]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("htmx", [None, "password-box"])
def test_a_refused_change_says_why_and_changes_nothing(
    signed_in: Browser, ada: User, sent: dict[str, str], errors: list[str], htmx: str | None
) -> None:
    page = signed_in.post("/account/password", sent, htmx=htmx)
    assert (page.status, page.errors) == (422, errors)
    assert (page.html.select_one("html") is None) is (htmx is not None)
    assert matches(kept_hash(ada), OLD)
    assert signed_in.get("/account").status == 200


def test_sessions_of_a_person_are_counted_once_per_device(browse: Browse, ada: User) -> None:
    for _ in range(3):
        sign_in(browse(), ada)
    with platform_scope("test"), transaction(db.session()) as session:
        number = session.scalar(select(func.count()).select_from(UserSession).where(UserSession.user_id == ada.id))
    assert number == 3
