"""Every environment variable the product reads: its name, unit, default and check. Nothing else reads os.environ."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


class ConfigInvalid(SystemExit):
    """The environment cannot start the product; the message has one line per wrong variable."""


@dataclass(frozen=True, slots=True)
class Config:
    """The checked environment. URLs carry no trailing slash."""

    env: str  # "development" | "production"
    data_dir: Path
    host: str
    port: int
    runtime_port: int
    platform_url: str
    runtime_url: str
    database_url: str  # of the owner role; the other roles' addresses are derived from it (db/roles.py)
    redis_url: str
    secret_keys: tuple[str, ...]  # the first signs and seals, every one still verifies and opens
    mail_url: str
    mail_from: str
    storage_url: str
    site_files_mb: int  # what the files of one site may take, in MiB
    demo_password: str
    web_workers: int
    web_threads: int
    sandbox_workers: int  # per process
    log_format: str  # "text" | "json"
    trusted_proxies: int  # how many X-Forwarded-* hops to believe
    domains_target: str  # the host that customers' domains are aliases of; "": there is none
    domains_addresses: tuple[str, ...]  # where it is, for domains that cannot be an alias
    dns_resolvers: tuple[
        tuple[str, int], ...
    ]  # (address, port) asked for the proofs and targets of domains; none: the system's
    map_tiles: str  # the address of a tile of maps with {z}, {x} and {y}; "": outlines of our own, nobody is asked
    map_credit: str  # who the tiles are to be credited to
    geo_database: Path | None  # a MaxMind DB with countries of addresses; none: countries are not counted

    @property
    def development(self) -> bool:
        return self.env == "development"

    @property
    def secure_cookies(self) -> bool:
        return self.platform_url.startswith("https://")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Config:
        """Read and check the environment; raises ConfigInvalid with every problem at once.

        What is not given is read from DATA_DIR/environment, where `make run` keeps the addresses of its own servers: so
        the management commands find them from another terminal.
        """
        return _Reader({**_kept(), **os.environ} if environ is None else environ).config()


def _kept() -> dict[str, str]:
    """NAME=value lines of DATA_DIR/environment; nothing in production, which brings everything itself."""
    if os.environ.get("DRAMAC_ENV") == "production":
        return {}
    try:
        lines = (Path(os.environ.get("DATA_DIR") or ".data") / "environment").read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _name_in(url: str) -> str:
    """The host name of an address, "" when an IP address stands in its place."""
    host = urlsplit(url).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host
    return ""


def same_site(one: str, other: str) -> bool:
    """Whether browsers count two addresses as one site: they share the part of their names that somebody registered.

    There a page sends the cookies of the other along, and may set cookies for it.
    """
    from publicsuffixlist import PublicSuffixList  # its list takes 0.1 s to read, which only production needs

    hosts = [urlsplit(url).hostname or "" for url in (one, other)]
    if not all(_name_in(url) for url in (one, other)):
        return hosts[0] == hosts[1]
    suffixes = PublicSuffixList()
    sites = [suffixes.privatesuffix(host) or host for host in hosts]
    return sites[0] == sites[1]


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []

    def config(self) -> Config:
        env = self.choice("DRAMAC_ENV", ("development", "production"), "development")
        production = env == "production"
        port = self.integer("PORT", 8000, 1, 65535)
        runtime_port = self.integer("RUNTIME_PORT", 8001, 1, 65535)
        platform_url = self.url("PLATFORM_URL", f"http://localhost:{port}", ("http", "https"))
        runtime_url = self.url("RUNTIME_URL", f"http://127.0.0.1:{runtime_port}", ("http", "https"))
        if urlsplit(platform_url).netloc == urlsplit(runtime_url).netloc:
            self.problems.append("RUNTIME_URL: module pages need an origin of their own, other than PLATFORM_URL")
        if production:
            for name, value in (("PLATFORM_URL", platform_url), ("RUNTIME_URL", runtime_url)):
                if not value.startswith("https://"):
                    self.problems.append(f"{name}: must be https in production, not {value}")
            if same_site(platform_url, runtime_url):
                self.problems.append(
                    "RUNTIME_URL: module pages need a domain of their own in production, not one that browsers count as the"
                    f" same site as {platform_url}; https://modules.example.net beside https://dramac.example.com is one"
                )
        config = Config(
            env=env,
            data_dir=Path(self.environ.get("DATA_DIR") or ".data").absolute(),
            host=self.environ.get("HOST") or "127.0.0.1",
            port=port,
            runtime_port=runtime_port,
            platform_url=platform_url,
            runtime_url=runtime_url,
            database_url=self.url("DATABASE_URL", None, ("postgresql", "postgres")),
            redis_url=self.url("REDIS_URL", None, ("redis", "rediss", "unix", "valkey")),
            secret_keys=self.secrets("SECRET_KEY"),
            mail_url=self.url("MAIL_URL", None if production else "mailbox://", ("smtp", "smtps", "mailbox")),
            mail_from=self.environ.get("MAIL_FROM") or f"Dramac <no-reply@{urlsplit(platform_url).hostname}>",
            storage_url=self.url("STORAGE_URL", "file://", ("file",)),
            site_files_mb=self.integer("SITE_FILES_MB", 2048, 1, 10_000_000),
            demo_password=self.environ.get("DEMO_PASSWORD", ""),
            web_workers=self.integer("WEB_WORKERS", min(os.cpu_count() or 1, 4), 1, 64),
            web_threads=self.integer("WEB_THREADS", 8, 1, 128),
            sandbox_workers=self.integer("SANDBOX_WORKERS", 2, 1, 64),
            log_format=self.choice("LOG_FORMAT", ("text", "json"), "json" if production else "text"),
            trusted_proxies=self.integer("TRUSTED_PROXIES", 0, 0, 8),
            domains_target=self.host_name("DOMAINS_TARGET", _name_in(runtime_url)),
            domains_addresses=self.addresses("DOMAINS_ADDRESSES"),
            dns_resolvers=self.servers("DNS_RESOLVERS"),
            map_tiles=self.tiles("MAP_TILES_URL"),
            map_credit=self.environ.get("MAP_TILES_CREDIT", "").strip(),
            geo_database=self.file("GEO_DATABASE"),
        )
        if production and config.demo_password:
            self.problems.append("DEMO_PASSWORD: only development has a demo world; remove it")
        if production and config.mail_url.startswith("mailbox:"):
            self.problems.append("MAIL_URL: production sends real mail; give smtp://user:password@host:587")
        if self.problems:
            raise ConfigInvalid("Dramac cannot start:\n" + "\n".join(f"  {problem}" for problem in self.problems))
        return config

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.environ.get(name) or default
        if value not in allowed:
            self.problems.append(f"{name}: must be one of {', '.join(allowed)}, not {value!r}")
        return value

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        text = self.environ.get(name) or str(default)
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            self.problems.append(f"{name}: must be a whole number from {low} to {high}, not {text!r}")
            return default
        return int(text)

    def url(self, name: str, default: str | None, schemes: tuple[str, ...]) -> str:
        value = self.environ.get(name) or default or ""
        if value.endswith("/") and not value.endswith("://"):
            value = value.rstrip("/")
        if not value:
            self.problems.append(f"{name}: is required ({schemes[0]}://…); `make run` sets it up by itself")
            return f"{schemes[0]}://missing"
        if urlsplit(value).scheme not in schemes:
            self.problems.append(f"{name}: must start with {' or '.join(s + '://' for s in schemes)}")
        return value

    def tiles(self, name: str) -> str:
        value = self.environ.get(name, "").strip()
        # the host stands in a content security policy: no placeholder, nothing that ends a source
        known = re.fullmatch(r"https?://[a-z0-9.-]+(:\d+)?/\S+", value)
        if value and not (known and all(part in value for part in ("{z}", "{x}", "{y}"))):
            self.problems.append(
                f"{name}: {value!r} is no address of tiles; write such as https://host/{{z}}/{{x}}/{{y}}.png"
            )
        return value

    def file(self, name: str) -> Path | None:
        text = self.environ.get(name, "")
        if text and not Path(text).is_file():
            self.problems.append(f"{name}: there is no file {text!r}")
        return Path(text) if text else None

    def host_name(self, name: str, default: str) -> str:
        value = (self.environ.get(name) or default).lower().removesuffix(".")
        if value and not re.fullmatch(r"(?!-)[a-z0-9-]+(\.[a-z0-9-]+)*", value):
            self.problems.append(f"{name}: {value!r} is no host name; write such as domains.example.com")
        return value

    def addresses(self, name: str) -> tuple[str, ...]:
        found = []
        for text in (text.strip() for text in self.environ.get(name, "").split(",") if text.strip()):
            try:
                found.append(str(ipaddress.ip_address(text)))
            except ValueError:
                self.problems.append(f"{name}: {text!r} is no address; write such as 203.0.113.7, 2001:db8::7")
        return tuple(found)

    def servers(self, name: str) -> tuple[tuple[str, int], ...]:
        found = []
        for text in (text.strip() for text in self.environ.get(name, "").split(",") if text.strip()):
            host, _, port = text.rpartition(":") if text.count(":") == 1 or "]:" in text else (text, "", "53")
            try:
                found.append((str(ipaddress.ip_address(host.strip("[]"))), int(port)))
            except ValueError:
                self.problems.append(f"{name}: {text!r} is no address; write such as 9.9.9.9 or [2620:fe::fe]:53")
        return tuple(found)

    def secrets(self, name: str) -> tuple[str, ...]:
        keys = tuple(key.strip() for key in self.environ.get(name, "").split(",") if key.strip())
        if not keys:
            self.problems.append(f"{name}: is required; make one with `openssl rand -base64 48`")
        if any(len(key) < 32 for key in keys):
            self.problems.append(f"{name}: each key needs at least 32 characters")
        return keys
