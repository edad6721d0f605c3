"""Modules' pages live on a site of their own, so that no cookie of the platform ever comes near them (security.md E1)."""

from __future__ import annotations

import pytest

from app.config import Config, ConfigInvalid, same_site

PRODUCTION = {
    "DRAMAC_ENV": "production", "DATABASE_URL": "postgresql://o:p@db/x", "REDIS_URL": "redis://cache/3",
    "SECRET_KEY": "x" * 32, "MAIL_URL": "smtp://u:p@mail.example.com:587", "PLATFORM_URL": "https://app.example.com",
}  # fmt: skip


@pytest.mark.parametrize(
    ("runtime", "starts"),
    [
        ("https://modules.example.net", True),
        ("https://app.modules.example.net:8443", True),
        ("https://runtime.example.com", False),
        ("https://example.com", False),
        ("https://a.b.app.example.com", False),
        ("https://app.example.com:8443", False),
        ("https://APP.example.com.", False),
    ],
)
def test_E1_production_starts_only_with_two_registrable_domains(runtime: str, starts: bool) -> None:
    given = {**PRODUCTION, "RUNTIME_URL": runtime}
    if starts:
        assert Config.from_env(given).runtime_url == runtime
        return
    with pytest.raises(ConfigInvalid, match="RUNTIME_URL: module pages need a domain of their own in production"):
        Config.from_env(given)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example.co.uk", "https://b.example.co.uk", True),
        ("https://one.co.uk", "https://two.co.uk", False),
        ("https://one.github.io", "https://two.github.io", False),  # given to everybody, and browsers know it
        ("https://one.corp.internal", "https://two.corp.internal", True),
        ("https://10.0.0.1", "https://10.0.0.2", False),
        ("https://10.0.0.1:8000", "https://10.0.0.1:8001", True),
        ("https://localhost", "https://127.0.0.1", False),
    ],
)
def test_E1_sites_are_told_apart_as_browsers_do(one: str, other: str, same: bool) -> None:
    assert same_site(one, other) is same_site(other, one) is same


def test_E1_development_keeps_its_two_addresses_of_this_machine() -> None:
    given = {name: PRODUCTION[name] for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")}
    assert Config.from_env(given).runtime_url == "http://127.0.0.1:8001"
