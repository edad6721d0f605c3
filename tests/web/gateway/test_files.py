"""Files over the API: sent first, then held by a record, fetched with the rights on that record."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.lib.ids import uuid7
from tests.support import files
from tests.support.world import World
from tests.web.gateway.conftest import Module, Shop, install, make_module


@pytest.fixture(scope="session")
def album_module(platform_app: Flask, config: Any) -> Module:
    with platform_app.app_context():
        return make_module(World(config).agency("Publisher").id, files.ALBUM.replace("slug: album", "slug: SLUG"))


@dataclass
class Album(Shop):
    def send(self, content: bytes = files.PDF, name: str = "plan.pdf", **given: Any) -> TestResponse:
        return self.call("POST", "/files", data={"file": (io.BytesIO(content), name)}, **given)


@pytest.fixture
def album(world: World, api_app: Flask, album_module: Module) -> Album:
    agency = world.agency()
    site = world.site(agency)
    made = Album(api_app, site, install(album_module, site), album_module, world.person(agency))
    _, made.token = made.key()
    return made


def test_a_file_is_sent_held_and_fetched(album: Album) -> None:
    sent = album.send(name="../../Größe.pdf")
    data = sent.get_json()["data"]
    assert (sent.status_code, data) == (
        201, {"id": data["id"], "name": "Größe.pdf", "type": "application/pdf", "size": len(files.PDF)},
    )  # fmt: skip
    raw = album.call("POST", "/files?name=me.png", data=files.picture(), content_type="image/png").get_json()["data"]
    assert (raw["type"], raw["width"], raw["height"]) == ("image/png", 40, 30)
    assert album.get(f"/files/{data['id']}").status_code == 200  # one's own, before a record holds it
    card = album.made("/cards", {"name": "Boat", "papers": [data["id"]], "photo": raw})
    assert card["papers"] == [data]
    got = album.get(f"/files/{data['id']}")
    assert (got.data, got.headers["Content-Type"], got.headers["Content-Length"]) == (
        files.PDF, "application/pdf", str(len(files.PDF)),
    )  # fmt: skip
    assert {
        name: got.headers.getlist(name) for name in ("Content-Disposition", "X-Content-Type-Options", "Cache-Control")
    } == {
        "Content-Disposition": ["attachment; filename=\"Gr__e.pdf\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.pdf"],
        "X-Content-Type-Options": ["nosniff"],
        "Cache-Control": ["private, no-cache"],
    }
    assert album.get(f"/files/{raw['id']}?size=small").headers["Content-Type"] == "image/webp"
    assert album.get(f"/files/{data['id']}", headers={"If-None-Match": got.headers["ETag"]}).status_code == 304
    assert album.call("DELETE", f"/cards/{card['id']}").status_code == 204
    assert album.get(f"/files/{data['id']}").status_code == 404


def test_who_may_not_read_the_record_may_not_read_its_file(album: Album) -> None:
    _, public = album.key(kind="publishable", scopes=["read", "write"], origins=["https://shop.example"])
    _, reader = album.key(scopes=["read"])
    here = {"Origin": "https://shop.example"}
    photo = album.send(files.picture(), "a.png").get_json()["data"]["id"]
    assert album.get(f"/files/{photo}", token=public, headers=here).status_code == 404
    assert album.get(f"/files/{photo}", token=reader).status_code == 404
    album.made("/cards", {"name": "Boat", "photo": photo})
    assert album.get(f"/files/{photo}", token=public, headers=here).status_code == 200
    assert album.get(f"/files/{uuid7()}").status_code == 404
    assert album.send(token=reader).status_code == 403
    own = album.send(files.picture(), "b.png", token=public, headers=here).get_json()["data"]["id"]
    assert album.get(f"/files/{own}", token=public, headers=here).status_code == 404  # visitors have no name
    made = album.post("/cards", {"name": "Mine", "photo": own}, token=public, headers=here)
    assert made.status_code == 201


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"data": {"file": (io.BytesIO(files.SVG), "a.svg")}}, 422, "file_type"),
        ({"data": {"other": (io.BytesIO(files.PDF), "a.pdf")}}, 422, "invalid"),
        ({"data": files.PDF, "content_type": "application/pdf"}, 422, "invalid"),  # no name
        ({"data": b"--x\r\n", "content_type": "multipart/form-data"}, 422, "invalid"),
        ({"data": {"file": (io.BytesIO(b""), "a.pdf")}}, 422, "file_type"),
        ({"data": {"file": (io.BytesIO(b"\0" * (51 << 20)), "a.pdf")}}, 413, "file_too_large"),
    ],
)
def test_what_is_no_file_is_refused(album: Album, body: dict[str, Any], status: int, code: str) -> None:
    answer = album.call("POST", "/files", **body)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_a_repeated_upload_is_one_file(album: Album) -> None:
    once = {"Idempotency-Key": uuid7().hex}
    raw = {"data": files.PDF, "content_type": "application/pdf", "headers": once}
    first, second = (album.call("POST", "/files?name=a.pdf", **raw) for _ in "12")
    assert (first.get_json(), second.headers["Idempotency-Replayed"]) == (second.get_json(), "true")


def test_the_description_names_the_calls(album: Album) -> None:
    document = album.get("/openapi.json").get_json()
    assert sorted(document["paths"]["/files"]) == ["post"]
    assert document["components"]["schemas"]["cards.new"]["properties"]["photo"]["oneOf"][0]["format"] == "uuid"
