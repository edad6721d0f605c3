"""Files of visitors: sent with a form, seen on a page that shows them, and nothing else."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from app.lib.ids import uuid7
from tests.support import files
from tests.support.modules import Installed
from tests.web.embed.conftest import Visitor

WORDS = {"name": "Ann Lee", "email": "ann@example.com", "message": "Hello there", "answers__topic": "A"}


@pytest.fixture
def contact(enquiries: Installed) -> str:
    """The address of a form that asks for files."""
    [form] = enquiries.records("forms")
    enquiries.data().update("forms", form["id"], {"ask_files": True})
    return f"/embed/{enquiries.public_id}/contact"


def part(content: bytes, name: str) -> tuple[io.BytesIO, str]:
    return io.BytesIO(content), name


def test_a_visitor_sends_files_with_the_form(
    visitor: Visitor, enquiries: Installed, contact: str, fill: Callable[..., Any]
) -> None:
    page = visitor.get(contact)
    assert '<form method="post" novalidate enctype="multipart/form-data">' in page.text
    sent = {**fill(page, enquiries, **WORDS), "files": [part(files.PDF, "plan.pdf"), part(files.picture(), "a.png")]}
    assert visitor.post(contact, sent).status_code == 303
    [record] = enquiries.records("enquiries")
    assert [one["name"] for one in record["files"]] == ["plan.pdf", "a.png"]
    assert visitor.get(f"/embed/{enquiries.public_id}/files/{record['files'][0]['id']}").status_code == 404
    assert visitor.get(f"/embed/{enquiries.public_id}/files/{uuid7()}").status_code == 404


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (files.HTML, "page.pdf", "This file is of no kind that is taken."),
        (files.bomb(50_000, 50_000), "a.png", "A picture may have 40 megapixels"),
        (files.PDF + b" " * (11 << 20), "big.pdf", "A file here may have 10 MiB."),
    ],
)
def test_a_file_that_is_refused_is_told_of_at_its_input_and_nothing_is_kept(
    visitor: Visitor, enquiries: Installed, contact: str, fill: Callable[..., Any], content: bytes, name: str, told: str
) -> None:
    sent = {**fill(visitor.get(contact), enquiries, **WORDS), "files": [part(files.PDF, "ok.pdf"), part(content, name)]}
    answer = visitor.post(contact, sent)
    assert answer.status_code == 422
    assert f'id="e-files">{told}' in answer.text
    assert "Please choose your files again, too." in answer.text
    assert enquiries.records("enquiries") == []
    assert enquiries.rows("SELECT id FROM module_files WHERE install_id = :install") == []


def test_nobody_names_the_files_of_others_and_no_form_takes_what_it_does_not_ask_for(
    visitor: Visitor, enquiries: Installed, contact: str, fill: Callable[..., Any]
) -> None:
    page = visitor.get(contact)
    assert visitor.post(contact, {**fill(page, enquiries, **WORDS), "files": str(uuid7())}).status_code == 303
    assert enquiries.records("enquiries")[0]["files"] == []
    [form] = enquiries.records("forms")
    enquiries.data().update("forms", form["id"], {"ask_files": False})
    sent = {**fill(page, enquiries, **WORDS), "files": part(files.PDF, "plan.pdf")}
    assert "This form takes no files." in visitor.post(contact, sent).text
    assert enquiries.rows("SELECT id FROM module_files WHERE install_id = :install") == []
