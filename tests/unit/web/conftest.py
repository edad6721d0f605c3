"""The gallery as an app, for what these modules do inside a request."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.unit.web.gallery import create_gallery


@pytest.fixture(scope="module")
def gallery() -> Flask:
    return create_gallery()


@pytest.fixture
def client(gallery: Flask) -> FlaskClient:
    return gallery.test_client()


@pytest.fixture
def in_request(gallery: Flask) -> Iterator[Flask]:
    with gallery.test_request_context("/list?status=live&status=draft&cursor=abc&sort=name"):
        yield gallery
