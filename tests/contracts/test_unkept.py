"""Characters and numbers that the database cannot keep, in every address and every form: told, never a fault of ours."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app.config import Config
from tests.support.browser import Browser
from tests.support.everything import Everything, make_everything, member_routes
from tests.support.world import World

WORDS = """
    q text words sort state status category type name file path role record what params page cursor before after from to range
    view table site install module version key value title label summary body function input revision number id ids message
"""
ASKED = WORDS.split()


@pytest.fixture
def everything(world: World, config: Config, platform_app: Flask) -> Everything:
    return make_everything(world, config, platform_app)


@pytest.mark.timeout(300)  # every address there is
@pytest.mark.parametrize("value", ["a%00b", "9" * 30], ids=["NUL", "a huge number"])
def test_no_address_breaks(platform_app: Flask, everything: Everything, value: str) -> None:
    ada = Browser(platform_app, everything.ada, address="10.9.2.1")
    asked = "&".join(f"{name}={value}" for name in ASKED)
    broken = []
    for rule, method, _ in member_routes(platform_app):
        if method != "GET":
            continue
        for path in [everything.path(rule).partition("?")[0] + f"?{asked}", *spoilt(everything, rule, value)]:
            answer = ada.get(path)
            broken += [f"{path}: {answer.status}"] if answer.status >= 500 else []
    assert "\n".join(broken) == ""


@pytest.mark.timeout(300)  # as above
@pytest.mark.parametrize("value", ["a\0b", "9" * 30], ids=["NUL", "a huge number"])
def test_no_form_breaks(platform_app: Flask, everything: Everything, value: str) -> None:
    ada = Browser(platform_app, everything.ada, address="10.9.2.2")
    broken = []
    for rule, method, _ in member_routes(platform_app):
        if method == "GET":
            continue
        own = everything.bodies.get(rule.endpoint, {})
        path = everything.path(rule)
        bodies = [dict.fromkeys(ASKED, value) | own, *({**own, name: value} for name in own)]
        tries = [(path, body) for body in bodies]
        tries += [(odd, own) for odd in spoilt(everything, rule, value.replace("\0", "%00"))]
        for where, body in tries:
            answer = ada.post(where, body)
            broken += [f"{where} {sorted(body)[:3]}: {answer.status}"] if answer.status >= 500 else []
    assert "\n".join(broken) == ""


def spoilt(everything: Everything, rule: Rule, value: str) -> list[str]:
    """The address of a route once for each of its free words, with the value in its place."""
    found = []
    for name in rule.arguments:
        if type(rule._converters[name]).__name__ in ("UnicodeConverter", "PathConverter", "IntegerConverter"):
            names = everything.names | {name: "SPOILT0"}
            if type(rule._converters[name]).__name__ == "IntegerConverter":
                if "%" in value:
                    continue
                names[name] = "77777077777"
            spoilt = Everything(
                everything.ada, everything.vic, names, everything.bodies, everything.install, everything.site
            )
            found.append(spoilt.path(rule).replace("SPOILT0", value).replace("77777077777", value))
    return found
