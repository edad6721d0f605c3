"""The database, agencies, sites, people, keys and routes; register_commands() puts every group together."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator

import click
import psycopg
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy import select

from app.access.permissions import Role
from app.accounts.actions import create_user, normal_email
from app.accounts.queries import user_with_email
from app.cli.common import agency_named, config, everywhere, operator, site_named, told, within
from app.cli.modules import install_of, modules, say_entered
from app.cli.oauth import oauth
from app.cli.webhooks import webhooks
from app.db.migrate import MigrationFailed, applied, migrate, migrations
from app.events.restored import place_restored
from app.gateway.actions import create_key
from app.gateway.models import SCOPES
from app.lib.clock import utcnow
from app.modules.signing.older import enter_older_once
from app.seeds.demo import seed_demo
from app.tenancy.actions.agencies import create_agency
from app.tenancy.actions.members import add_member
from app.tenancy.models import Agency, Site

database = AppGroup("db", help="The database's state.")
seed = AppGroup("seed", help="Example data.")
agencies = AppGroup("agencies", help="Agencies of this installation.")
sites = AppGroup("sites", help="Sites of this installation.")
users = AppGroup("users", help="People of this installation.")
keys = AppGroup("keys", help="API keys.")


LOG_MADE = "0045_releases"


@database.command("migrate")
def db_migrate() -> None:
    """Bring the database up to date, also one that was restored from a dump; prints what was applied.

    Old releases that were not in the release log are entered into it, and named.
    """
    try:
        for name in migrate(config().database_url, config().secret_keys[0]):
            click.echo(f"applied {name}")
    except MigrationFailed as error:
        raise click.ClickException(str(error)) from error
    with psycopg.connect(config().database_url, autocommit=True) as connection:
        log_since = next(row.applied_at for row in applied(connection) if row.name == LOG_MADE)
    with everywhere("releases from before the release log") as session:
        say_entered(session, enter_older_once(session, log_since=log_since, now=utcnow()))
    with everywhere("events of another server") as session:
        if place_restored(session):
            click.echo("restored from another server: its events are before all new ones")


@database.command("status")
def db_status() -> None:
    """Each migration: when it was applied, or that it is missing."""
    with psycopg.connect(config().database_url, autocommit=True) as connection:
        done = {row.name: row for row in applied(connection)}
    for migration in migrations():
        row = done.get(migration.name)
        state = "missing" if row is None else f"{row.applied_at:%Y-%m-%d %H:%M} UTC"
        click.echo(f"{migration.name:40} {state}")


@seed.command("demo")
@told
def demo() -> None:
    """Fill an empty database with two agencies at work; one line for each sign-in. Does nothing to any other database."""
    logging.getLogger().setLevel(logging.WARNING)  # what is said here is read line by line
    for person in seed_demo(config()):
        click.echo(f"{person.email:36} {person.role:10} {person.agency}")


@agencies.command("list")
def agencies_list() -> None:
    """One line each: slug, name."""
    with everywhere("flask agencies list") as session:
        for agency in session.scalars(select(Agency).order_by(Agency.slug)):
            click.echo(f"{agency.slug}\t{agency.name}")


@agencies.command("create")
@click.argument("name")
@click.option(
    "--owner", "email", required=True, help="E-mail address of the first owner, who gets an account if needed."
)
@click.option("--slug", help="Short name in addresses and commands; made from the name when left out.")
@told
def agencies_create(name: str, email: str, slug: str | None) -> None:
    """Make an agency with its first owner."""
    with everywhere("flask agencies create") as session:
        owner = user_with_email(session, normal_email(email))
        password = None
        if owner is None:
            password = _new_password()
            owner = create_user(session, email=email, name=_name_of(email), password=password, now=utcnow())
        agency = create_agency(
            session, name=name, owner=owner, slug=slug, by=operator("agencies create"), now=utcnow()
        )  # fmt: skip
        said = f"{agency.slug}\t{agency.name}\t{owner.email}"
    click.echo(said)
    _say_password(password)


@sites.command("list")
def sites_list() -> None:
    """One line each: slug, name, the agency's slug."""
    with everywhere("flask sites list") as session:
        rows = session.execute(select(Site, Agency).join(Agency, Agency.id == Site.agency_id).order_by(Site.slug))
        for site, agency in rows:
            click.echo(f"{site.slug}\t{site.name}\t{agency.slug}")


@users.command("create")
@click.argument("email")
@click.option("--agency", "slug", required=True, help="The agency's slug.")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--name", help="What others call them; made from the address when left out.")
@told
def users_create(email: str, slug: str, role: str, name: str | None) -> None:
    """Make somebody a member of an agency; a new person's password is printed once."""
    agency = agency_named(slug)
    password: str | None = None
    with everywhere("flask users create") as session:
        user = user_with_email(session, normal_email(email))
        if user is None:
            password = _new_password()
            user = create_user(
                session, email=email, name=name or _name_of(email), password=password, now=utcnow()
            )  # fmt: skip
        by = operator("users create", agency_id=agency.id)
        add_member(session, agency_id=agency.id, user=user, role=Role(role), by=by, now=utcnow())
        said = f"{user.email}\t{role}\t{agency.slug}"
    click.echo(said)
    _say_password(password)


@keys.command("create")
@click.option("--site", "site_slug", required=True, help="The site's slug.")
@click.option("--module", "module_slug", help="Only this module of the site; without it, all of them.")
@click.option("--scopes", required=True, help=f"Comma-separated: {', '.join(SCOPES)}.")
@click.option("--publishable", is_flag=True, help="May be read by everybody in a page's source; needs --origin.")
@click.option(
    "--origin", "origins", multiple=True, help="A page's origin, such as https://www.example.com; repeatable."
)
@click.option("--name", default="Made on the command line", show_default=True)
@told
def keys_create(
    site_slug: str, module_slug: str | None, scopes: str, publishable: bool, origins: tuple[str, ...], name: str
) -> None:
    """Make a key and print it: the only time it can be read."""
    site = site_named(site_slug)
    with within(site.agency_id) as session:
        install = install_of(session, site=site, slug=module_slug) if module_slug else None
        made = create_key(
            session,
            site=site,
            install_id=install.id if install else None,
            name=name,
            kind="publishable" if publishable else "secret",
            scopes=[scope.strip() for scope in scopes.split(",") if scope.strip()],
            origins=origins,
            by=operator("keys create", agency_id=site.agency_id),
            now=utcnow(),
        )
    click.echo(made.token)


@click.command("routes")
def routes() -> None:
    """Every route of the three surfaces: surface, methods, address, who may call it."""
    for line in route_lines(*current_app.extensions["surfaces"]()):
        click.echo(line)


def route_lines(*apps: Flask) -> Iterator[str]:
    """`surface  methods  rule  access`, sorted; what a snapshot in the tests holds."""
    found = []
    for app in apps:
        access = app.extensions["access"]
        for rule in app.url_map.iter_rules():
            methods = ",".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})) or "OPTIONS"
            label = access[rule.endpoint].label if rule.endpoint in access else "files"
            found.append((app.name, rule.rule, methods, label))
    for surface, rule_text, methods, label in sorted(found):
        yield f"{surface}\t{methods}\t{rule_text}\t{label}"


COMMANDS: tuple[click.Command, ...] = (database, seed, agencies, sites, users, keys, oauth, modules, webhooks, routes)


def register_commands(app: Flask, *, surfaces: Callable[[], tuple[Flask, ...]]) -> None:
    """Add every group to `flask --app wsgi`. surfaces: makes all three applications, for the route list."""
    app.extensions["surfaces"] = surfaces
    for group in COMMANDS:
        app.cli.add_command(group)


def _new_password() -> str:
    return secrets.token_urlsafe(15)  # 120 random bits


def _say_password(password: str | None) -> None:
    if password is not None:
        click.echo(f"The password, shown this once: {password}")


def _name_of(email: str) -> str:
    return email.partition("@")[0].replace(".", " ").replace("-", " ").title()
