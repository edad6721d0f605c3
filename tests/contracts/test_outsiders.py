"""Every address of an agency, tried by people who have no business there."""

from __future__ import annotations

import pytest
from flask import Flask

from app.access.permissions import ROLE_PERMISSIONS, Role
from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.installs.jobs import deprovision
from tests.support.browser import Browser
from tests.support.everything import Everything, make_everything, member_routes
from tests.support.world import World

OF_THE_PLATFORM = {
    "editor.picture",  # pictures of the starters that every author begins from
    "webhooks.event",  # what the platform tells everybody
}


@pytest.fixture
def everything(world: World, config: Config, platform_app: Flask) -> Everything:
    return make_everything(world, config, platform_app)


@pytest.fixture
def olga(world: World, platform_app: Flask) -> Browser:
    """Owner of another agency."""
    return Browser(platform_app, world.person(world.agency("Other Place"), Role.OWNER, name="Olga"), address="10.9.1.1")


@pytest.mark.timeout(300)  # every address there is, twice
def test_what_an_address_names_does_not_exist_for_another_agency(
    platform_app: Flask, everything: Everything, olga: Browser
) -> None:
    """Olga may do all of it at home. Here she gets the answer for things that are not there, while Ada gets another."""
    ada = Browser(platform_app, everything.ada, address="10.9.1.2")
    told, missing = [], []
    for rule, method, _ in member_routes(platform_app):
        if not rule.arguments or rule.endpoint in OF_THE_PLATFORM:
            continue
        path = everything.path(rule)
        body = everything.bodies.get(rule.endpoint)
        hers = olga.get(path) if method == "GET" else olga.post(path, body)
        own = ada.get(path) if method == "GET" else ada.post(path, body)
        told += [f"{method} {path}: {hers.status}"] if hers.status != 404 else []
        missing += [f"{method} {path}"] if own.status == 404 else []
    with tenant_scope(everything.ada.agency_id):
        deprovision(str(everything.install.id))  # what Ada's tries have begun does not stand still for others to find
        db.session.remove()
    assert "\n".join(told + missing) == ""


def test_one_who_only_looks_changes_nothing(platform_app: Flask, everything: Everything) -> None:
    vic = Browser(platform_app, everything.vic, address="10.9.1.3")
    views = ROLE_PERMISSIONS[Role.VIEWER]
    allowed = [
        f"{method} {path}: {answer.status}"
        for rule, method, access in member_routes(platform_app)
        if method != "GET" and access.permission not in views
        for path in [everything.path(rule)]
        for answer in [vic.post(path)]
        if answer.status not in (403, 404)
    ]
    assert allowed == []


def test_without_a_session_every_address_leads_to_the_sign_in_page(platform_app: Flask, everything: Everything) -> None:
    nobody = Browser(platform_app, address="10.9.1.4")
    passed = [
        f"{method} {path}: {answer.status} {answer.where}"
        for rule, method, _ in member_routes(platform_app)
        for path in [everything.path(rule)]
        for answer in [nobody.get(path) if method == "GET" else nobody.post(path)]
        if (answer.status, (answer.where or "").partition("?")[0]) != (303, "/sign-in")
    ]
    assert passed == []
