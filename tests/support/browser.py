"""A browser without a screen: cookies, forms with their CSRF token, and pages that can be asked for what they show."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.accounts.identity import cookie_name
from tests.support.world import Person

CSRF_TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)">')  # found without parsing the whole page
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
PHONE = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Page:
    """One answer. `html` is parsed when first asked for."""

    def __init__(self, response: TestResponse) -> None:
        self.response = response
        self.status = response.status_code
        self.headers = response.headers
        self.text = response.get_data().decode("utf-8", "replace")  # a download may be no text
        self.where = response.headers.get("Location") or response.headers.get("HX-Redirect")

    @cached_property
    def html(self) -> BeautifulSoup:
        return BeautifulSoup(self.text, "html.parser")

    def one(self, selector: str) -> Tag:
        found = self.html.select(selector)
        assert len(found) == 1, f"{len(found)} of {selector} on a page of status {self.status}:\n{self.text[:3000]}"
        return found[0]

    def texts(self, selector: str) -> list[str]:
        """The words of each element, white space folded."""
        return [" ".join(tag.get_text(" ").split()) for tag in self.html.select(selector)]

    def ids(self, selector: str) -> list[str]:
        return [str(tag["id"]) for tag in self.html.select(selector) if tag.get("id")]

    @property
    def title(self) -> str:
        return " ".join(self.one("title").get_text().split())

    @property
    def heading(self) -> str:
        return self.texts("h1")[0]

    @property
    def errors(self) -> list[str]:
        """What is wrong with fields, in their order."""
        return self.texts(".field .error")


class Browser:
    """person: whose session cookie it starts with; address: where it connects from."""

    def __init__(self, app: Flask, person: Person | None = None, *, address: str = "127.0.0.1") -> None:
        self.app, self.address = app, address
        self.client: FlaskClient = app.test_client()
        self.token = ""
        if person is not None:
            self.client.set_cookie(cookie_name(app.config["DRAMAC"]), person.cookie)

    def get(self, path: str, *, htmx: str | None = None, **given: Any) -> Page:
        """htmx: id of the element the answer goes into."""
        return self._open("GET", path, htmx=htmx, **given)

    def post(self, path: str, data: dict[str, Any] | None = None, *, htmx: str | None = None, **given: Any) -> Page:
        """Send a form as a page of ours would, with this browser's CSRF token."""
        if not self.token:
            self.get("/forgot-password")  # a page that everybody may see
        return self._open("POST", path, htmx=htmx, data={"csrf_token": self.token, **(data or {})}, **given)

    def cookie(self, name: str | None = None) -> str | None:
        found = self.client.get_cookie(name or cookie_name(self.app.config["DRAMAC"]))
        return found.value if found else None

    def _open(
        self, method: str, path: str, *, htmx: str | None, headers: dict[str, str] | None = None, **given: Any
    ) -> Page:
        sent = {"User-Agent": PHONE, **SAME_ORIGIN, **(headers or {})}
        if htmx is not None:
            sent |= {"HX-Request": "true", "HX-Target": f"div#{htmx}"}
        # a context of its own for each request, as a server gives: `g` of one must not be seen by the next
        with self.app.app_context():
            response = self.client.open(
                path, method=method, headers=sent, environ_overrides={"REMOTE_ADDR": self.address}, **given
            )
        page = Page(response)
        meta = CSRF_TOKEN.search(page.text)
        if meta is not None:
            self.token = meta[1]
        elif page.where:
            self.token = ""  # the page with the token is left behind
        return page
