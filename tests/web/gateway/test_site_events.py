"""The event stream of a whole site: who gets it, what is in it, and that webhooks and both streams go by one rule."""

from __future__ import annotations

from typing import Any

import pytest

from app.access.permissions import ROLE_PERMISSIONS, Permission, Role
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.events.catalog import CATALOG
from app.events.outbox import publish
from app.events.rights import PROGRAMS, UNHEARD, heard, may_hear, place_of
from app.lib.ids import encode
from app.webhooks.patterns import may_receive
from tests.support.world import World
from tests.web.gateway.conftest import Shop


def told(shop: Shop, *names: str, on: str = "site") -> list[str]:
    """Events of the platform on the site (or on its install, or on the agency alone), as their ids."""
    found = []
    with tenant_scope(shop.site.agency_id, user_id=shop.ada.id), transaction(db.session()) as session:
        for name in names:
            event = publish(
                session, CATALOG[name], by=shop.actor, agency_id=shop.site.agency_id, data={"name": "Till"},
                site_id=None if on == "agency" else shop.site.id, install_id=shop.install_id if on == "install" else None,
            )  # fmt: skip
            session.flush()
            found.append(encode("evt", event.id))
    return found


def of_site(shop: Shop, query: str = "", **given: Any) -> dict[str, Any]:
    shop.events()  # waits until all of what is committed can be pulled
    answer: dict[str, Any] = shop.get(f"/api/events{query}", **given).get_json()
    return answer


def names(answer: dict[str, Any]) -> list[str]:
    return [one["type"] for one in answer["data"]]


def test_a_key_of_the_site_pulls_what_happens_to_the_site_and_on_it(shop: Shop) -> None:
    told(shop, "site.changed", "page.published", "domain.added")
    told(shop, "install.paused", on="install")
    told(shop, "client.created", on="agency")
    product = shop.made("/products", {"name": "Cup"})
    answer = of_site(shop)
    assert names(answer) == ["site.changed", "page.published", "domain.added", "install.paused", "product.created"]
    first, last = answer["data"][0], answer["data"][-1]
    assert (first["data"], first["install"], first["site"]) == ({"name": "Till"}, None, shop.site.public_id)
    assert (last["data"]["record"]["id"], last["install"]) == (product["id"], encode("ins", shop.install_id))
    rest = of_site(shop, f"?after={answer['data'][1]['id']}&limit=2")
    assert (names(rest), rest["has_more"]) == (["domain.added", "install.paused"], True)
    assert names(of_site(shop, f"?after={rest['next_cursor']}")) == ["product.created"]
    assert names(shop.events()) == ["install.paused", "product.created"]


def test_news_of_people_and_keys_comes_by_neither_stream(shop: Shop) -> None:
    told(shop, "key.created", "embed_token.created", "webhook.created", "automation.created")
    told(shop, "key.created", "install.role_given", "embed_token.created", "access.granted", on="install")
    assert (names(of_site(shop)), names(shop.events())) == ([], [])


def test_the_types_are_exactly_what_can_come(shop: Shop) -> None:
    """Every type of the platform is told on the site and on the install, and what comes is what is listed."""
    for on in ("site", "install"):
        told(shop, *[name for name in CATALOG if place_of(name) != "agency"], on=on)
    for path, pulled in (("/api/events", of_site(shop, "?limit=200")), ("/events", shop.events("?limit=200"))):
        listed = shop.get(f"{path}/types").get_json()["data"]
        types = {one["type"] for one in listed}
        assert not pulled["has_more"]
        assert set(names(pulled)) == types & set(CATALOG)
        assert {"product.created", "order.paid", "install.upgraded"} <= types
        assert all(one["schema"] and (one["example"] or one["type"] == "order.paid") for one in listed)
    of_whole_site = {one["type"]: one["module"] for one in shop.get("/api/events/types").get_json()["data"]}
    assert (of_whole_site["product.created"], of_whole_site["site.changed"]) == (shop.module.slug, None)


def test_the_rule_of_webhooks_and_of_the_streams_is_one() -> None:
    for role in Role:
        for name in [*CATALOG, *UNHEARD, "deal.won"]:
            for of_module in (True, False):
                assert may_receive(role, name, of_module=of_module) is may_hear(
                    ROLE_PERMISSIONS[role], name, of_module=of_module
                )
    listed = heard(PROGRAMS, places={"agency", "site", "install"})
    assert listed.platform == [name for name in CATALOG if may_hear(PROGRAMS, name, of_module=True)]
    assert listed.modules is may_hear(PROGRAMS, "deal.won", of_module=True) is True
    assert not {
        Permission.MEMBERS_VIEW, Permission.KEYS_VIEW, Permission.WEBHOOKS_VIEW, Permission.LOGS_VIEW, Permission.AUDIT_VIEW
    } & PROGRAMS  # fmt: skip
    assert ROLE_PERMISSIONS[Role.VIEWER] >= PROGRAMS  # whoever may let a program in sees as much


@pytest.mark.parametrize("path", ["/api/events", "/api/events/types"])
def test_who_does_not_get_the_stream_of_the_site(shop: Shop, path: str) -> None:
    alone = shop.get(path, token=shop.key(install_id=shop.install_id)[1])
    assert (alone.status_code, alone.get_json()["code"]) == (403, "not_of_whole_site")
    without = shop.get(path, token=shop.key(scopes=["read"])[1])
    assert (without.status_code, without.get_json()["code"]) == (403, "insufficient_scope")
    assert shop.get(path, token="").status_code == 401  # none at all
    assert shop.call("POST", path).status_code == 405
    assert shop.get("/api/events/other").status_code == 404


def test_another_sites_events_do_not_come(shop: Shop, world: World) -> None:
    other = world.site(world.agency("Other Place"))
    with tenant_scope(other.agency_id), transaction(db.session()) as session:
        event = publish(session, CATALOG["site.changed"], by=shop.actor, agency_id=other.agency_id, site_id=other.id)
        session.flush()
        foreign = encode("evt", event.id)
    [own] = told(shop, "site.changed")
    assert [one["id"] for one in of_site(shop)["data"]] == [own]
    assert shop.get(f"/api/events?after={foreign}").status_code == 422


def test_the_stream_of_a_site_has_a_document(shop: Shop) -> None:
    document = shop.get("/api/events/openapi.json").get_json()
    assert (document["openapi"], list(document["paths"])) == ("3.1.0", ["/events", "/events/types"])
    assert document["servers"][0]["url"].endswith("/api")
