"""What stands in deploy/ and compose.yaml agrees with the code: names of the environment, versions, the server in front."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from app.domains.hosting import ASK
from app.version import VERSION

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "dramac"
CADDYFILE = (ROOT / "deploy" / "Caddyfile").read_text()


def yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text())


def documented() -> set[str]:
    """The environment variables of the product."""
    return set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs" / "reference" / "environment.md").read_text(), re.M))


def named_in_templates() -> set[str]:
    text = "".join(path.read_text() for path in (CHART / "templates").iterdir())
    return set(re.findall(r"\{name: ([A-Z_]+), value:", text))


def asked_by_caddy() -> set[str]:
    return set(re.findall(r"\{\$([A-Z_]+)", CADDYFILE))


def test_the_chart_sets_nothing_that_nobody_reads() -> None:
    assert named_in_templates() - asked_by_caddy() - documented() == set()


def test_the_chart_is_of_this_version_and_brings_the_caddyfile_itself() -> None:
    chart = yaml(CHART / "Chart.yaml")
    assert (chart["appVersion"], chart["version"]) == (VERSION, VERSION)
    assert (CHART / "Caddyfile").read_text() == CADDYFILE


def test_every_value_of_the_chart_is_used_and_every_used_one_is_there() -> None:
    text = "".join(path.read_text() for path in (CHART / "templates").iterdir())
    used = {name.split(".")[0] for name in re.findall(r"\.Values\.([A-Za-z.]+)", text)}
    used |= {"web", "runtime", "worker", "long", "scheduler"}  # by the name of the part
    assert used == set(yaml(CHART / "values.yaml"))


@pytest.mark.parametrize("word", ["WEB", "RUNTIME", "PLATFORM_HOST", "RUNTIME_HOST", "ACME_EMAIL"])
def test_what_caddy_asks_for_is_given_by_compose_and_by_the_chart(word: str) -> None:
    compose = (ROOT / "compose.yaml").read_text()
    given = re.search(rf"(^|[#{{ ]){word}[:=]", compose, re.M)
    assert (word in asked_by_caddy(), given is not None, word in named_in_templates()) == (True, True, True)


def test_caddy_asks_the_product_before_it_makes_a_certificate_and_lets_nobody_else_ask() -> None:
    assert f"ask http://{{$RUNTIME:runtime:8001}}{ASK}\n" in CADDYFILE
    assert re.search(r"@internal path /internal/\*\n\s+respond @internal 404\n\s+reverse_proxy", CADDYFILE)
    assert ASK.startswith("/internal/")


def test_compose_knows_no_variable_that_the_product_does_not() -> None:
    compose = yaml(ROOT / "compose.yaml")
    ours = [one for one in compose["services"].values() if one.get("image") == "dramac"]
    assert len(ours) == 6
    names = {name for one in ours for name in one.get("environment", {})}
    assert names - documented() == set()
    assert compose["services"]["caddy"]["env_file"] == "caddy.env"  # and not the secrets
