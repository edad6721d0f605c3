"""Files in the screens of records: sent with the form, kept over an error, shown, fetched, taken away."""

from __future__ import annotations

import io

import pytest

from app.lib.ids import uuid7
from app.tenancy.models import Agency, Site
from tests.support import files
from tests.support.browser import Browser
from tests.support.installed import Installed, put_on_site
from tests.support.pages import page_faults
from tests.web.workspace.filling import sent_by


@pytest.fixture
def album(agency: Agency, site: Site) -> Installed:
    return put_on_site(agency, site, files.ALBUM)


def part(content: bytes, name: str) -> tuple[io.BytesIO, str]:
    return io.BytesIO(content), name


def test_files_are_sent_with_the_form_shown_and_fetched(ada: Browser, vic: Browser, album: Installed) -> None:
    base = f"/installs/{album.public_id}/records"
    page = ada.get(f"{base}/cards/new")
    assert page.one("#record-form")["enctype"] == "multipart/form-data"
    sent = sent_by(page, name="Boat") | {
        "v-photo.new": part(files.with_camera_data(), "boat.jpg"),
        "v-papers.new": [part(files.PDF, "Größe.pdf"), part(b"one;two\n", "list.csv")],
    }
    made = ada.post(f"{base}/cards/new", sent)
    assert made.status == 303, made.errors
    [card] = album.data.list("cards").records
    assert [one["name"] for one in (card["photo"], *card["papers"])] == ["boat.jpg", "Größe.pdf", "list.csv"]
    shown = vic.get(f"{base}/cards/{card['id']}")
    assert page_faults(shown.text, ada.app) == []
    where = {link.get_text(" ", strip=True).split()[0]: str(link["href"]) for link in shown.html.select("a.file-name")}
    assert sorted(where) == ["Größe.pdf", "boat.jpg", "list.csv"]
    picture, paper = vic.get(where["boat.jpg"]), vic.get(where["Größe.pdf"])
    assert (picture.status, picture.headers["Content-Type"]) == (200, "image/jpeg")
    assert picture.headers["Content-Disposition"].startswith("inline;")
    assert {
        name: paper.headers[name]
        for name in ("Content-Disposition", "X-Content-Type-Options", "Content-Security-Policy", "Content-Length")
    } == {
        "Content-Disposition": "attachment; filename=\"Gr__e.pdf\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.pdf",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
        "Content-Length": str(len(files.PDF)),
    }
    assert paper.response.get_data() == files.PDF
    small = vic.get(f"{where['boat.jpg']}?size=small")
    assert small.headers["Content-Type"] == "image/webp"
    again = vic.get(f"{where['boat.jpg']}?size=small", headers={"If-None-Match": small.headers["ETag"]})
    assert again.status == 304


def test_a_file_stays_while_something_else_is_mended_and_goes_when_unticked(ada: Browser, album: Installed) -> None:
    base = f"/installs/{album.public_id}/records"
    page = ada.get(f"{base}/cards/new")
    wrong = ada.post(f"{base}/cards/new", sent_by(page) | {"v-photo.new": part(files.picture(), "a.png")})
    assert (wrong.status, wrong.errors) == (422, ["Is required."])
    assert wrong.texts(".file-kept .choice-text span") == ["a.png"]
    assert ada.post(f"{base}/cards/new", sent_by(wrong, name="Boat")).status == 303
    [card] = album.data.list("cards").records
    edit = ada.get(f"{base}/cards/{card['id']}/edit")
    unticked = {key: value for key, value in sent_by(edit).items() if key != "v-photo"}
    assert ada.post(f"{base}/cards/{card['id']}/edit", unticked).status == 303
    assert album.data.list("cards").records[0]["photo"] is None


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (files.SVG, "logo.svg", "of no kind that is taken"),
        (files.PDF, "plan.pdf", "wanted is an image, at most 1 MiB"),
        (files.bomb(50_000, 50_000), "bomb.png", "40 megapixels"),
        (files.picture() + b"\0" * (1 << 20), "big.png", "may have 1 MiB"),
    ],
)
def test_a_file_that_does_not_fit_is_an_error_of_its_field(
    ada: Browser, album: Installed, content: bytes, name: str, told: str
) -> None:
    base = f"/installs/{album.public_id}/records"
    page = ada.get(f"{base}/cards/new")
    answer = ada.post(f"{base}/cards/new", sent_by(page, name="Boat") | {"v-photo.new": part(content, name)})
    assert (answer.status, len(answer.errors)) == (422, 1)
    assert told in answer.errors[0]
    assert answer.one("#v-photo")["data-invalid"] == "true"
    assert album.data.list("cards").records == []


def test_a_file_of_another_agency_is_not_there(ada: Browser, olga: Browser, album: Installed) -> None:
    base = f"/installs/{album.public_id}/records"
    page = ada.get(f"{base}/cards/new")
    ada.post(f"{base}/cards/new", sent_by(page, name="Boat") | {"v-photo.new": part(files.picture(), "a.png")})
    file_id = album.data.list("cards").records[0]["photo"]["id"]
    assert ada.get(f"{base}/files/{file_id}").status == 200
    assert olga.get(f"{base}/files/{file_id}").status == 404
    assert ada.get(f"{base}/files/{uuid7()}").status == 404
