"""Signing in and out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.accounts import passwords
from app.accounts.actions import create_user
from app.accounts.models import SignInAttempt, User, UserSession
from app.accounts.throttle import FREE_TRIES
from app.db.base import db
from app.db.scope import identity_scope, platform_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.crypto import token_hash
from app.lib.ids import uuid7
from tests.support.browser import Browser, Page
from tests.support.world import World
from tests.web.conftest import Browse, new_address

PASSWORD = "copper lantern drifts quietly"
WRONG = "copper lantern drifts loudly"


@pytest.fixture
def ada(world: World) -> User:
    """Somebody with a password, in no agency."""
    with identity_scope(), transaction(db.session()) as session:
        return create_user(
            session, email=f"ada-{uuid7().hex[-8:]}@example.test", name="Ada Bright", password=PASSWORD, now=utcnow()
        )


def sign_in(browser: Browser, email: str, password: str = PASSWORD, **more: str) -> Page:
    return browser.post("/sign-in", {"email": email, "password": password, **more})


def outcomes(email: str) -> list[str]:
    with platform_scope("test"), transaction(db.session()) as session:
        rows = session.scalars(select(SignInAttempt).where(SignInAttempt.email_hash == token_hash(email)))
        return [row.outcome for row in sorted(rows, key=lambda row: row.at)]


def sessions(user: User) -> list[UserSession]:
    with platform_scope("test"), transaction(db.session()) as session:
        return list(session.scalars(select(UserSession).where(UserSession.user_id == user.id)))


def change(user: User, **values: object) -> None:
    with platform_scope("test"), transaction(db.session()) as session:
        row = session.get_one(User, user.id)
        for name, value in values.items():
            setattr(row, name, value)


def age(user: User, **columns: object) -> None:
    with platform_scope("test"), transaction(db.session()) as session:
        for row in session.scalars(select(UserSession).where(UserSession.user_id == user.id)):
            for name, value in columns.items():
                setattr(row, name, value)


def test_the_right_password_leads_to_where_one_wanted_to_go(browse: Browse, ada: User) -> None:
    browser = browse()
    first = browser.get("/account")
    assert (first.status, first.where) == (303, "/sign-in?next=/account")
    form = browser.get(first.where or "")
    assert form.one("input[name=next]")["value"] == "/account"
    answer = sign_in(browser, ada.email, next="/account")
    assert (answer.status, answer.where) == (303, "/account")
    assert browser.get("/account").heading == "Your account"


def test_the_address_may_be_typed_in_any_case(browse: Browse, ada: User) -> None:
    assert sign_in(browse(), f" {ada.email.upper()} ").status == 303


def test_A1_the_cookie_holds_256_random_bits_and_the_table_only_their_hash(browse: Browse, ada: User) -> None:
    browser = browse()
    answer = sign_in(browser, ada.email)
    token = browser.cookie()
    assert token is not None
    assert len(token) == 43
    assert [row.token_hash for row in sessions(ada)] == [token_hash(token)]
    cookie = next(line for line in answer.headers.getlist("Set-Cookie") if line.startswith("dramac_session="))
    assert {part.strip() for part in cookie.split(";")[1:]} >= {"HttpOnly", "Path=/", "SameSite=Lax"}


def test_A1_signing_in_makes_a_new_session_and_ends_the_one_the_browser_had(browse: Browse, ada: User) -> None:
    browser = browse()
    sign_in(browser, ada.email)
    old = browser.cookie()
    sign_in(browser, ada.email)
    new = browser.cookie()
    assert new != old
    assert [row.token_hash for row in sessions(ada)] == [token_hash(new or "")]
    other = browse()
    other.client.set_cookie("dramac_session", old or "")
    assert other.get("/account").where == "/sign-in?next=/account"


def test_A1_a_token_planted_before_sign_in_is_worth_nothing(browse: Browse, ada: User) -> None:
    browser = browse()
    browser.client.set_cookie("dramac_session", "planted")
    browser.get("/sign-in")
    planted_browser_cookie = browser.cookie("dramac_browser")
    sign_in(browser, ada.email)
    assert browser.cookie() != "planted"
    assert browser.cookie("dramac_browser") != planted_browser_cookie


def test_A1_signing_out_ends_the_session_and_empties_the_browser(browse: Browse, ada: User) -> None:
    browser = browse()
    sign_in(browser, ada.email)
    token = browser.cookie()
    browser.get("/account")
    answer = browser.post("/sign-out")
    assert (answer.status, answer.where, answer.headers["Clear-Site-Data"]) == (303, "/sign-in", '"cache", "storage"')
    assert sessions(ada) == []
    browser.client.set_cookie("dramac_session", token or "")
    assert browser.get("/account").status == 303


@pytest.mark.parametrize(
    ("staff", "columns", "lives"),
    [
        (None, {"last_seen_at": timedelta(days=13, hours=23)}, True),
        (None, {"last_seen_at": timedelta(days=14, seconds=1)}, False),
        (None, {"created_at": timedelta(days=29), "expires_at": timedelta(days=-1)}, True),
        (None, {"created_at": timedelta(days=30), "expires_at": timedelta(0)}, False),
        ("support", {"last_seen_at": timedelta(minutes=59)}, True),
        ("support", {"last_seen_at": timedelta(minutes=61)}, False),
        ("support", {"created_at": timedelta(hours=23)}, True),
        ("support", {"created_at": timedelta(hours=24)}, False),
    ],
)
def test_A1_a_session_ends_by_itself(
    browse: Browse, ada: User, staff: str | None, columns: dict[str, timedelta], lives: bool
) -> None:
    browser = browse()
    change(ada, staff_role=staff)
    sign_in(browser, ada.email)
    age(ada, **{name: utcnow() - gap for name, gap in columns.items()})
    assert (browser.get("/account").status == 200) is lives


def test_A1_somebody_becoming_staff_is_under_the_shorter_times_at_once(browse: Browse, ada: User) -> None:
    browser = browse()
    sign_in(browser, ada.email)
    age(ada, created_at=utcnow() - timedelta(days=2))
    assert browser.get("/account").status == 200
    change(ada, staff_role="administrator")
    assert browser.get("/account").status == 303


def test_A1_a_disabled_persons_sessions_die_at_once(browse: Browse, ada: User) -> None:
    browser = browse()
    sign_in(browser, ada.email)
    assert browser.get("/account").status == 200
    change(ada, disabled_at=utcnow())
    assert browser.get("/account").status == 303


def test_last_seen_is_written_at_most_every_five_minutes(browse: Browse, ada: User) -> None:
    browser = browse()
    sign_in(browser, ada.email)
    recently = utcnow() - timedelta(minutes=4)
    age(ada, last_seen_at=recently)
    browser.get("/account")
    assert sessions(ada)[0].last_seen_at == recently
    age(ada, last_seen_at=utcnow() - timedelta(minutes=6))
    browser.get("/account")
    assert utcnow() - sessions(ada)[0].last_seen_at < timedelta(seconds=30)


def unknown(browse: Browse, ada: User) -> Page:
    return sign_in(browse(), "nobody@example.test")


def wrong(browse: Browse, ada: User) -> Page:
    return sign_in(browse(), ada.email, WRONG)


def without_password(browse: Browse, ada: User) -> Page:
    change(ada, password_hash=None)
    return sign_in(browse(), ada.email)


def disabled(browse: Browse, ada: User) -> Page:
    change(ada, disabled_at=utcnow())
    return sign_in(browse(), ada.email)


def throttled(browse: Browse, ada: User) -> Page:
    for _ in range(FREE_TRIES):
        sign_in(browse(), ada.email, WRONG)
    return sign_in(browse(), ada.email)


def same_words(page: Page) -> tuple[int, list[str], list[str]]:
    return page.status, page.texts(".callout"), page.errors


@pytest.mark.parametrize("case", [wrong, without_password, disabled, throttled])
def test_A4_unknown_and_known_addresses_get_the_same_answer(browse: Browse, ada: User, case) -> None:  # type: ignore[no-untyped-def]
    other = same_words(unknown(browse, ada))
    assert same_words(case(browse, ada)) == other
    assert other[0] == 422


@pytest.mark.parametrize("case", [unknown, wrong, without_password, disabled])
def test_A4_every_refusal_costs_one_computation_of_the_hash(
    browse: Browse,
    ada: User,
    case,
    monkeypatch: pytest.MonkeyPatch,  # type: ignore[no-untyped-def]
) -> None:
    passwords.matches(None, "so that the hash of nobody is there")
    done = count_hashing(monkeypatch)
    case(browse, ada)
    assert done == ["verify"]


def test_A4_a_throttled_try_costs_one_computation_of_the_hash(
    browse: Browse, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(FREE_TRIES):
        sign_in(browse(), ada.email, WRONG)
    done = count_hashing(monkeypatch)
    sign_in(browse(), ada.email)
    assert (done, outcomes(ada.email)[-1]) == (["verify"], "throttled")


def count_hashing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    done: list[str] = []
    hasher = passwords.HASHER

    class Counting:
        def verify(self, *given: str) -> bool:
            done.append("verify")
            return hasher.verify(*given)

        def hash(self, password: str) -> str:
            done.append("hash")
            return hasher.hash(password)

        def check_needs_rehash(self, kept: str) -> bool:
            return hasher.check_needs_rehash(kept)

    monkeypatch.setattr(passwords, "HASHER", Counting())
    return done


def test_A4_from_the_fifth_wrong_password_on_an_account_has_to_wait(browse: Browse, ada: User) -> None:
    for _ in range(FREE_TRIES):
        sign_in(browse(), ada.email, WRONG)
    assert sign_in(browse(), ada.email).status == 422
    assert outcomes(ada.email) == ["wrong"] * FREE_TRIES + ["throttled"]
    shift_attempts(ada, timedelta(seconds=3))
    assert sign_in(browse(), ada.email).status == 303


def test_A4_strangers_cannot_lock_the_owner_out(browse: Browse, ada: User) -> None:
    home = new_address()
    assert sign_in(browse(address=home), ada.email).status == 303
    for _ in range(FREE_TRIES + 2):
        sign_in(browse(), ada.email, WRONG)
    assert sign_in(browse(), ada.email).status == 422
    assert sign_in(browse(address=home), ada.email).status == 303


def test_A4_an_unknown_address_is_throttled_like_a_known_one(browse: Browse, ada: User) -> None:
    email = f"nobody-{uuid7().hex}@example.test"
    for _ in range(FREE_TRIES + 1):
        sign_in(browse(), email)
    assert outcomes(email) == ["wrong"] * FREE_TRIES + ["throttled"]


def test_A4_one_address_trying_many_accounts_is_stopped(browse: Browse, ada: User) -> None:
    address = new_address()
    add_failures(30, address)
    assert sign_in(browse(address=address), ada.email).status == 422
    assert outcomes(ada.email) == ["throttled"]


def test_A4_one_network_trying_many_accounts_is_stopped(browse: Browse, ada: User) -> None:
    network = new_address().rpartition(".")[0]
    for last in range(1, 13):
        add_failures(10, f"{network}.{last}")
    assert sign_in(browse(address=f"{network}.200"), ada.email).status == 422
    assert outcomes(ada.email) == ["throttled"]


def add_failures(number: int, address: str) -> None:
    with platform_scope("test"), transaction(db.session()) as session:
        session.add_all(
            SignInAttempt(id=uuid7(), email_hash=uuid7().bytes, ip=address, outcome="wrong", at=utcnow())
            for _ in range(number)
        )


def shift_attempts(user: User, gap: timedelta) -> None:
    with platform_scope("test"), transaction(db.session()) as session:
        for row in session.scalars(select(SignInAttempt).where(SignInAttempt.user_id == user.id)):
            row.at -= gap


def test_A3_a_hash_of_weaker_parameters_is_replaced_at_sign_in(browse: Browse, ada: User) -> None:
    from argon2 import PasswordHasher

    change(ada, password_hash=PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD))
    assert sign_in(browse(), ada.email).status == 303
    with platform_scope("test"), transaction(db.session()) as session:
        kept = session.get_one(User, ada.id).password_hash
    assert kept is not None
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize(
    "where",
    [
        "https://evil.test/",
        "//evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "/\t/evil.test",
        "javascript:alert(1)",
        "evil.test",
        "http:evil.test",
        "/\r\nSet-Cookie: a=b",
        "",
    ],
)
def test_next_never_leads_to_another_host(browse: Browse, ada: User, where: str) -> None:
    assert sign_in(browse(), ada.email, next=where).where == "/"
    signed_in = browse()
    sign_in(signed_in, ada.email)
    assert signed_in.get("/sign-in", query_string={"next": where}).where == "/"


def test_A2_signing_in_needs_the_token_of_the_form(browse: Browse, ada: User) -> None:
    browser = browse()
    answer = browser.post("/sign-in", {"email": ada.email, "password": PASSWORD, "csrf_token": "forged"})
    assert (answer.status, browser.cookie(), outcomes(ada.email)) == (403, None, [])


def test_A2_a_form_of_another_site_is_refused_even_with_a_token(browse: Browse, ada: User) -> None:
    browser = browse()
    answer = browser.post(
        "/sign-in", {"email": ada.email, "password": PASSWORD}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert (answer.status, browser.cookie(), outcomes(ada.email)) == (403, None, [])


def test_A2_without_sec_fetch_site_the_origin_has_to_be_ours(browse: Browse, ada: User) -> None:
    browser = browse()
    browser.get("/sign-in")
    for origin, status in (("https://evil.test", 403), ("null", 403), ("http://localhost", 303)):
        with browser.app.app_context():
            answer = browser.client.post(
                "/sign-in",
                data={"email": ada.email, "password": PASSWORD, "csrf_token": browser.token},
                headers={"Origin": origin},
            )
        assert answer.status_code == status, origin


@pytest.mark.parametrize(
    ("sent", "errors"),
    [
        ({"email": "", "password": "x"}, ["Enter your e-mail address."]),
        ({"email": "a@b.test", "password": ""}, ["Enter your password."]),
        ({"email": "a@b.test", "password": "x" * 257}, ["Field cannot be longer than 256 characters."]),
    ],
)
def test_what_is_missing_is_said_beside_the_field(browse: Browse, sent: dict[str, str], errors: list[str]) -> None:
    answer = browse().post("/sign-in", sent)
    assert (answer.status, answer.errors) == (422, errors)


def test_characters_the_database_cannot_keep_are_no_failure(browse: Browse) -> None:
    assert browse().post("/sign-in", {"email": "a\x00b@example.test", "password": "\x00"}).status == 422


def test_a_reader_of_the_page_source_finds_no_password(browse: Browse, ada: User) -> None:
    assert WRONG not in sign_in(browse(), ada.email, WRONG).text


def test_many_tries_from_one_browser_are_told_to_wait(browse: Browse) -> None:
    browser = browse()
    statuses = [sign_in(browser, "nobody@example.test").status for _ in range(21)]
    assert statuses == [422] * 20 + [429]
