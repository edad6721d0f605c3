"""Management commands do what the screens do, say it in a line, and fail in a line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from app.access.permissions import Role
from app.accounts.passwords import matches
from app.accounts.queries import user_with_email
from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.gateway.models import ApiKey
from app.installs.models import Install
from app.lib.crypto import token_hash
from app.lib.ids import decode
from app.oauth.models import Application, Grant
from app.tenancy.models import Agency, Membership, Site
from tests.support.hooks import Hooks, receiving
from tests.support.packages import notes, zipped
from tests.support.publishing import new_slug
from tests.support.world import World

Run = Callable[..., Result]


@pytest.fixture
def flask(platform_app: Flask, world: World) -> Run:
    """`flask("users", "create", …)`: the result, with .exit_code, .stdout and .stderr."""

    def run(*command: str) -> Result:
        return platform_app.test_cli_runner().invoke(args=command)

    return run


@pytest.fixture
def agency(world: World) -> Agency:
    made = world.agency("Studio Lumen")
    world.person(made, Role.OWNER)
    return made


@pytest.fixture
def site(world: World, agency: Agency) -> Site:
    return world.site(agency)


@pytest.fixture
def packed(tmp_path: Path) -> Callable[..., tuple[str, Path]]:
    """Writes a zip of a module that no other test uses: its slug and where it is."""

    def write(slug: str = "", **how: str) -> tuple[str, Path]:
        slug = slug or new_slug()
        path = tmp_path / f"{slug}-{how.get('version', '1.0.0')}.zip"
        path.write_bytes(zipped(notes(slug, **how)))
        return slug, path

    return write


def test_db_migrate_says_nothing_where_nothing_is_to_do(flask: Run) -> None:
    flask("db", "migrate")
    again = flask("db", "migrate")
    assert (again.exit_code, again.output) == (0, "")


def test_users_create_makes_a_person_whose_password_is_printed_once(flask: Run, agency: Agency) -> None:
    email = f"{new_slug('grace')}@example.test"
    done = flask("users", "create", email, "--agency", agency.slug, "--role", "developer", "--name", "Grace Hill")
    assert done.exit_code == 0
    first, second = done.stdout.splitlines()
    assert first == f"{email}\tdeveloper\t{agency.slug}"
    password = second.removeprefix("The password, shown this once: ")
    with platform_scope("test"), transaction(db.session()) as session:
        user = user_with_email(session, email)
        assert user is not None
        role = session.scalar(select(Membership.role).where(Membership.user_id == user.id))
        assert (user.name, role, matches(user.password_hash, password)) == ("Grace Hill", "developer", True)
    again = flask("users", "create", email, "--agency", agency.slug, "--role", "viewer")
    assert (again.exit_code, again.stderr) == (1, "Error: This person already belongs to the agency.\n")


def test_agencies_create_makes_an_agency_with_its_owner(flask: Run) -> None:
    slug, email = new_slug("northbeam"), f"{new_slug('callum')}@example.test"
    done = flask("agencies", "create", "Northbeam Web", "--owner", email, "--slug", slug)
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, f"{slug}\tNorthbeam Web\t{email}")
    assert f"{slug}\tNorthbeam Web" in flask("agencies", "list").stdout.splitlines()
    taken = flask("agencies", "create", "Other", "--owner", email, "--slug", slug)
    assert taken.exit_code == 1
    assert taken.stderr == "Error: Another agency has this short name. Choose another.\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("users", "create", "a@b.test", "--agency", "no-such", "--role", "viewer"), "There is no agency no-such"),
        (("keys", "create", "--site", "no-such", "--scopes", "read"), "There is no site no-such"),
        (("modules", "install", "notes", "--site", "no-such"), "There is no site no-such"),
    ],
)
def test_a_name_that_is_not_there_is_said_in_one_line(flask: Run, command: tuple[str, ...], said: str) -> None:
    done = flask(*command)
    assert (done.exit_code, done.stdout) == (1, "")
    assert re.fullmatch(rf"Error: {said}; `flask --app wsgi \w+ list` shows them\.\n", done.stderr)


def test_modules_check_tells_every_problem_by_its_line(flask: Run, tmp_path: Path) -> None:
    (tmp_path / "module.yaml").write_bytes(notes("Bad Slug", extra="      extra: {type: nothing}")["module.yaml"])
    done = flask("modules", "check", str(tmp_path))
    assert (done.exit_code, done.stdout) == (1, "")
    assert [
        line for line in done.stderr.splitlines() if not re.match(r"(error|warning): module\.yaml:\d+: ", line)
    ] == [f"Error: {tmp_path} has errors."]


def test_modules_check_accepts_every_first_party_module(flask: Run) -> None:
    folders = sorted(path.parent for path in (Path(__file__).parents[3] / "modules").glob("*/module.yaml"))
    assert [flask("modules", "check", str(folder)).exit_code for folder in folders] == [0] * len(folders)


def test_a_module_goes_on_a_site_up_back_and_off_again(
    flask: Run, agency: Agency, site: Site, packed: Callable[..., tuple[str, Path]]
) -> None:
    slug, path = packed()
    published = flask("modules", "publish", str(path), "--agency", agency.slug, "--tier", "internal")
    assert re.fullmatch(rf"{slug} 1\.0\.0 is published: [0-9a-f]{{64}}\n", published.stdout)
    again = flask("modules", "publish", str(path), "--agency", agency.slug)
    assert again.exit_code == 1
    assert again.stderr == "Error: 1.0.0 is published and cannot change. Raise the version number.\n"

    on = flask("modules", "install", slug, "--site", site.slug)
    assert (on.exit_code, on.stdout) == (0, f"{slug} 1.0.0 on {site.slug} is active\n")
    flask("modules", "publish", str(packed(slug, version="1.0.1")[1]), "--agency", agency.slug)
    assert flask("modules", "upgrade", slug, "--site", site.slug).stdout == f"{slug} 1.0.1 on {site.slug} is active\n"
    assert flask("modules", "rollback", slug, "--site", site.slug).stdout == f"{slug} 1.0.0 on {site.slug} is active\n"
    off = flask("modules", "uninstall", slug, "--site", site.slug)
    assert (off.exit_code, off.stdout) == (0, f"{slug} 1.0.0 on {site.slug} is removed\n")
    gone = flask("modules", "uninstall", slug, "--site", site.slug)
    assert (gone.exit_code, gone.stderr) == (1, f"Error: {site.slug} has no module {slug}.\n")


@pytest.mark.parametrize("text", ["{", "[]", '"a"'])
def test_settings_must_be_an_object(flask: Run, site: Site, text: str) -> None:
    done = flask("modules", "install", "enquiries", "--site", site.slug, "--settings", text)
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: --settings ")


def test_a_key_is_printed_once_and_kept_as_its_hash(
    flask: Run, agency: Agency, site: Site, packed: Callable[..., tuple[str, Path]]
) -> None:
    slug, path = packed()
    flask("modules", "publish", str(path), "--agency", agency.slug)
    flask("modules", "install", slug, "--site", site.slug)
    done = flask("keys", "create", "--site", site.slug, "--module", slug, "--scopes", "read,write")
    token = done.stdout.strip()
    assert (done.exit_code, re.fullmatch(r"dmc_sk_[0-9A-Za-z]{49}", token) is not None) == (0, True)
    with platform_scope("test"), transaction(db.session()) as session:
        key = session.scalars(select(ApiKey).where(ApiKey.token_hash == token_hash(token))).one()
        install = session.scalars(select(Install).where(Install.site_id == site.id)).one()
        assert (key.site_id, key.install_id, key.scopes) == (site.id, install.id, ["read", "write"])
    web = flask(
        "keys", "create", "--site", site.slug, "--module", slug, "--scopes", "read", "--publishable", "--origin",
        "https://shop.example",
    )  # fmt: skip
    assert re.fullmatch(r"dmc_pk_[0-9A-Za-z]{49}\n", web.stdout)
    refused = flask("keys", "create", "--site", site.slug, "--scopes", "everything", "--publishable")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert refused.stderr.startswith("Error: scopes: There is no scope everything.")


def test_seed_demo_leaves_a_database_alone_that_has_agencies(platform_app: Flask, flask: Run, agency: Agency) -> None:
    config: Config = platform_app.config["DRAMAC"]
    before = flask("agencies", "list").stdout
    platform_app.config["DRAMAC"] = replace(config, demo_password="lantern orchid tidewater 41")
    try:
        done = flask("seed", "demo")
    finally:
        platform_app.config["DRAMAC"] = config
    assert (done.exit_code, done.stdout) == (0, "")
    assert flask("agencies", "list").stdout == before


def test_seed_demo_asks_for_the_password(flask: Run) -> None:
    done = flask("seed", "demo")
    assert done.exit_code == 1
    assert done.stderr == "Error: DEMO_PASSWORD is needed: what the demo people sign in with.\n"


def test_routes_lists_every_surface(flask: Run) -> None:
    lines = flask("routes").stdout.splitlines()
    assert "platform\tPOST\t/sites/new\tmember: sites:manage" in lines
    assert {line.split("\t")[0] for line in lines} == {"api", "platform", "runtime"}


def test_a_test_event_says_what_the_receiver_answered(
    flask: Run, platform_app: Flask, config: Config, world: World, agency: Agency
) -> None:
    hooks = Hooks(platform_app, config, world, agency, world.person(agency), world.site(agency))
    with receiving(status=500) as receiver:
        webhook = hooks.endpoint(receiver.url)
        listed = flask("webhooks", "list", "--agency", agency.slug)
        assert listed.stdout == f"{webhook.public_id}\t{receiver.url}\tactive\t{agency.slug}\n"
        with hooks.worker():
            refused = flask("webhooks", "send-test", webhook.public_id)
            receiver.status = 200
            sent = flask("webhooks", "send-test", webhook.public_id)
    assert (sent.exit_code, sent.stdout.split("\t")[1:]) == (0, ["ok", "200\n"])
    assert (refused.exit_code, refused.stdout.split("\t")[1:]) == (1, ["http", "500\n"])
    nobody = flask("webhooks", "send-test", webhook.public_id, "--wait", "0")
    assert (nobody.exit_code, nobody.stderr.endswith("was not tried in 0 s; is a worker running?\n")) == (1, True)
    hooks.leave()
    gone = flask("webhooks", "send-test", webhook.public_id)
    assert (
        gone.stderr == f"Error: There is no webhook {webhook.public_id}; `flask --app wsgi webhooks list` shows them.\n"
    )


def test_oauth_clients_create_prints_id_and_secret_once_and_lets_it_into_the_named_sites(
    flask: Run, agency: Agency, site: Site, world: World
) -> None:
    said = flask(
        "oauth", "clients", "create", "--agency", agency.slug, "--name", "Till", "--scopes", "read,write", "--site", site.slug
    )  # fmt: skip
    found = re.fullmatch(r"client_id (app_[0-9a-z]{26})\nclient_secret (dmc_cs_[\w-]{43})\n", said.stdout)
    assert found is not None, said.stderr
    with platform_scope("test"), transaction(db.session()) as session:
        application = session.get_one(Application, decode("app", found[1]))
        grant = session.scalars(select(Grant).where(Grant.client_id == application.id)).one()
    assert (application.agency_id, application.secret_hash) == (agency.id, token_hash(found[2]))
    assert (application.grant_types, application.redirect_uris) == (["client_credentials"], [])
    assert (grant.site_id, grant.user_id, grant.scopes) == (site.id, None, ["read", "write"])
    public = flask(
        "oauth", "clients", "create", "--agency", agency.slug, "--name", "Phone", "--scopes", "read", "--public",
        "--redirect-uri", "https://phone.example/back",
    )  # fmt: skip
    assert re.fullmatch(r"client_id app_[0-9a-z]{26}\n", public.stdout)


def test_oauth_clients_create_refuses_another_agencys_site(flask: Run, agency: Agency, world: World) -> None:
    foreign = world.site(world.agency("Elsewhere"))
    said = flask(
        "oauth", "clients", "create", "--agency", agency.slug, "--name", "Till", "--scopes", "read", "--site", foreign.slug
    )  # fmt: skip
    assert (said.exit_code, said.stdout) == (1, "")
    assert f"{foreign.slug} is no site of {agency.slug}" in said.stderr
