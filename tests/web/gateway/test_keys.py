"""The key screens: make a key that shows once, find it, revoke it; nothing for outsiders."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.access.permissions import Role
from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.events.models import AuditRow
from app.gateway.models import ApiKey
from app.lib.clock import utcnow
from app.lib.crypto import token_hash
from app.lib.ids import encode
from tests.support.statements import Statements
from tests.support.world import World
from tests.web.conftest import Browse
from tests.web.gateway.conftest import Shop

TOKEN = re.compile(r"dmc_[sp]k_[0-9A-Za-z]{49}")


def form(shop: Shop, **values: object) -> dict[str, object]:
    target = encode("ins", shop.install_id)
    return {
        "name": "Till app",
        "target": target,
        "kind": "secret",
        "scopes": ["read", "write"],
        "expires": "90",
        **values,
    }


def stored(shop: Shop, name: str = "Till app") -> list[ApiKey]:
    with platform_scope("test"), transaction(db.session()) as session:
        return list(session.scalars(select(ApiKey).where(ApiKey.site_id == shop.site.id, ApiKey.name == name)))


def audited(shop: Shop, action: str) -> list[AuditRow]:
    with platform_scope("test"), transaction(db.session()) as session:
        return list(
            session.scalars(
                select(AuditRow)
                .where(AuditRow.agency_id == shop.site.agency_id, AuditRow.action == action)
                .order_by(AuditRow.number)
            )
        )


def test_a_new_key_is_shown_once_and_works(shop: Shop, browse: Browse) -> None:
    page = browse(shop.ada).post("/keys", form(shop))
    assert (page.status, page.heading) == (201, "Till app")
    [token] = set(TOKEN.findall(page.text))
    [key] = stored(shop)
    assert (key.token_hash, key.shown, key.scopes) == (token_hash(token), token[:13], ["read", "write"])
    assert (key.install_id, key.created_by) == (shop.install_id, shop.ada.id)
    assert abs((key.expires_at or utcnow()) - utcnow() - timedelta(days=90)) < timedelta(minutes=1)
    assert shop.get("/products", token=token).status_code == 200
    again = browse(shop.ada).get(f"/keys/{key.public_id}")
    assert (again.status, TOKEN.findall(again.text)) == (200, [])
    row = audited(shop, "key.created")[-1]
    assert (row.target, row.target_name, row.actor) == (key.public_id, "Till app", shop.actor.ref)
    assert token not in repr(row.changes)


def test_an_answer_with_a_key_that_is_loaded_again_makes_no_second_one(shop: Shop, browse: Browse) -> None:
    ada = browse(shop.ada)
    number = str(ada.get("/keys/new").one("#key-form [name=once]")["value"])
    assert ada.post("/keys", form(shop, name="", once=number)).status == 422
    assert ada.post("/keys", form(shop, once=number)).status == 201
    again = ada.post("/keys", form(shop, once=number))
    assert (again.status, again.where, len(stored(shop))) == (303, "/keys", 1)
    assert ada.post("/keys", form(shop, once=str(ada.get("/keys/new").one("[name=once]")["value"]))).status == 201
    assert len(stored(shop)) == 2


def test_a_key_for_every_module_of_a_site(shop: Shop, browse: Browse) -> None:
    assert browse(shop.ada).post("/keys", form(shop, target=shop.site.public_id)).status == 201
    assert [key.install_id for key in stored(shop)] == [None]


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"name": ""}, "Enter a name."),
        ({"name": "x" * 121}, "Field cannot be longer than 120 characters."),
        ({"target": ""}, "Choose a site or a module."),
        ({"target": "ste_00000000000000000000000000"}, "Not a valid choice."),
        ({"kind": "root"}, "Not a valid choice."),
        ({"scopes": []}, "Choose at least one thing the key may do."),
        ({"scopes": ["admin"]}, "'admin' is not a valid choice for this field."),
        ({"kind": "publishable", "scopes": ["read"]}, "Name the web pages that will use the key, such as https://www.example.com."),
        ({"kind": "publishable", "scopes": ["delete"], "origins": "https://a.example"},
         "A publishable key cannot have delete: everybody can read it."),
        ({"kind": "publishable", "scopes": ["read"], "origins": "*"},
         "* is not an origin. Write it as https://www.example.com, without a path."),
        ({"kind": "publishable", "scopes": ["read"], "origins": "https://*.example.com"},
         "https://*.example.com is not an origin. Write it as https://www.example.com, without a path."),
        ({"kind": "publishable", "scopes": ["read"], "origins": "http://shop.example"},
         "http://shop.example is not an origin. Write it as https://www.example.com, without a path."),
        ({"kind": "publishable", "scopes": ["read"], "origins": "https://a.example/path"},
         "https://a.example/path is not an origin. Write it as https://www.example.com, without a path."),
        ({"networks": "here"}, "here is not a network. Write it as 192.0.2.0/24, or one address."),
        ({"networks": "192.0.2.5/24"}, "192.0.2.5/24 is not a network. Write it as 192.0.2.0/24, or one address."),
        ({"expires": "100000"}, "Not a valid choice."),
    ],
)  # fmt: skip
def test_a_key_that_makes_no_sense_is_not_made(
    shop: Shop, browse: Browse, wrong: dict[str, object], error: str
) -> None:
    page = browse(shop.ada).post("/keys", form(shop, **wrong))
    assert (page.status, page.errors) == (422, [error])
    assert (stored(shop), TOKEN.findall(page.text)) == ([], [])


def test_origins_are_kept_as_browsers_send_them(shop: Shop, browse: Browse) -> None:
    given = "HTTPS://Shop.Example:443/\nhttps://bücher.example\nhttp://localhost:5173"
    page = browse(shop.ada).post("/keys", form(shop, kind="publishable", scopes=["read"], origins=given))
    assert page.status == 201
    [key] = stored(shop)
    assert key.origins == ["https://shop.example", "https://xn--bcher-kva.example", "http://localhost:5173"]


def test_a_key_is_revoked_for_good(shop: Shop, browse: Browse) -> None:
    key, _ = shop.key(name="Till app")
    ada = browse(shop.ada)
    answer = ada.post(f"/keys/{key.public_id}/revoke")
    assert (answer.status, answer.where) == (303, f"/keys/{key.public_id}")
    [kept] = stored(shop)
    assert kept.revoked_at is not None
    assert [row.target for row in audited(shop, "key.revoked")] == [key.public_id]
    assert ada.post(f"/keys/{key.public_id}/revoke").status == 303
    assert len(audited(shop, "key.revoked")) == 1
    assert stored(shop)[0].revoked_at == kept.revoked_at


def test_the_list_finds_sorts_and_filters(shop: Shop, browse: Browse) -> None:
    gone, _ = shop.key(name="Old")
    shop.revoke(gone)
    late, _ = shop.key(name="Late", expires_at=utcnow() + timedelta(days=1))
    shop.expire(late, utcnow() - timedelta(days=1))
    shop.key(name="Booking %_ app")
    ada = browse(shop.ada)
    names = lambda path: ada.get(path).texts("#keys .row-link")  # noqa: E731  # read four times below
    assert names("/keys?sort=name") == ["Booking %_ app", "Till"]
    assert names("/keys?sort=-name") == ["Till", "Booking %_ app"]
    assert (names("/keys?status=revoked"), names("/keys?status=expired")) == (["Old"], ["Late"])
    assert names("/keys?status=all&sort=name") == ["Booking %_ app", "Late", "Old", "Till"]
    assert (names("/keys?q=%25_"), names("/keys?q=nothing")) == (["Booking %_ app"], [])
    assert names(f"/keys?site={shop.site.public_id}&q=till") == ["Till"]
    assert ada.get("/keys?sort=drop&status=x&page=0").status == 200


@pytest.mark.parametrize("query", ["q=till", "q=nothing", "status=revoked", "status=all&sort=name"])
def test_the_list_alone_is_answered_to_a_filter(shop: Shop, browse: Browse, query: str) -> None:
    ada = browse(shop.ada)
    whole, part = ada.get(f"/keys?{query}"), ada.get(f"/keys?{query}", htmx="results")
    assert (part.status, part.html.select("h1")) == (200, [])
    assert part.ids("tbody tr") == whole.ids("tbody tr")


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same_for_any_number_of_keys(
    shop: Shop, browse: Browse, statements: Statements, rows: int
) -> None:
    for _ in range(rows - 1):
        shop.key()
    ada = browse(shop.ada)
    ada.get("/keys")
    with statements.exactly(5):
        assert len(ada.get("/keys").html.select("#keys tbody tr")) == rows


# -- who may


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_keys_are_not_for_members_and_viewers(shop: Shop, world: World, browse: Browse, role: Role) -> None:
    key, _ = shop.key()
    vic = browse(world.person(_agency(shop), role))
    answers = [vic.get("/keys"), vic.get("/keys/new"), vic.post("/keys", form(shop)), vic.get(f"/keys/{key.public_id}"),
               vic.post(f"/keys/{key.public_id}/revoke"), vic.get(f"/installs/{encode('ins', shop.install_id)}/api")]  # fmt: skip
    assert [answer.status for answer in answers] == [403] * 6
    assert stored(shop) == []


def test_keys_of_another_agency_are_not_there(shop: Shop, elsewhere: Shop, browse: Browse) -> None:
    key, _ = shop.key(name="Theirs")
    olga = browse(elsewhere.ada)
    answers = [olga.get(f"/keys/{key.public_id}"), olga.post(f"/keys/{key.public_id}/revoke"),
               olga.get(f"/installs/{encode('ins', shop.install_id)}/api")]  # fmt: skip
    assert [answer.status for answer in answers] == [404] * 3
    assert olga.post("/keys", form(shop)).status == 422
    assert olga.post("/keys", form(shop, target=shop.site.public_id)).status == 422
    assert "Theirs" not in olga.get("/keys?status=all").text
    assert [kept.revoked_at for kept in stored(shop, "Theirs")] == [None]


def _agency(shop: Shop) -> object:
    from app.tenancy.models import Agency

    with platform_scope("test"), transaction(db.session()) as session:
        return session.get_one(Agency, shop.site.agency_id)


# -- the API page of an install


def test_the_api_page_shows_calls_that_work(shop: Shop, browse: Browse) -> None:
    page = browse(shop.ada).get(f"/installs/{encode('ins', shop.install_id)}/api")
    assert (page.status, page.heading) == (200, "Shop")
    assert page.texts(".card > header h2") == ["Begin here", "Products", "Orders", "The module"]
    [create] = [
        text
        for text in page.texts("code")
        if text.startswith(f"curl -X POST http://localhost:8000{shop.url('/products')} ")
    ]
    assert create.split(" -H ")[1] == '"Authorization: Bearer $DRAMAC_KEY" \\'


def test_the_api_page_of_a_paused_install_says_so(shop: Shop, browse: Browse) -> None:
    from app.runtime.context import forget_install

    shop.set_install("paused")
    forget_install(shop.install_id)
    page = browse(shop.ada).get(f"/installs/{encode('ins', shop.install_id)}/api")
    assert (page.status, page.texts(".empty-state h2")) == (200, ["The API does not answer right now"])


def test_docs_of_a_module_lead_to_its_install(shop: Shop, elsewhere: Shop, browse: Browse) -> None:
    ada = browse(shop.ada)
    for name in (shop.module.slug, shop.module.short_id, str(shop.module.id)):
        assert ada.get(f"/api-docs/{name}").where == f"/installs/{encode('ins', shop.install_id)}/api"
    assert ada.get("/api-docs/none-such").status == 404
