"""Applications on the command line: register one, and let it work by itself on named sites."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.cli.common import agency_named, operator, site_named, told, within
from app.errors import NotFound
from app.lib.clock import utcnow
from app.oauth.actions import create_application
from app.oauth.families import let_in
from app.oauth.models import SCOPES
from app.tenancy.models import Site

oauth = AppGroup("oauth", help="OAuth 2.0 applications.")
clients = AppGroup("clients", help="Applications that people, or their agency, let into sites.")
oauth.add_command(clients)


@clients.command("create")
@click.option("--agency", "agency_slug", required=True, help="Whose application it is: the agency's slug.")
@click.option("--name", required=True, help="What people see when they decide.")
@click.option("--redirect-uri", "redirect_uris", multiple=True, help="Where people come back to; repeatable.")
@click.option("--scopes", required=True, help=f"Comma-separated: {', '.join(SCOPES)}.")
@click.option("--public", is_flag=True, help="It runs where a secret could be read, and has none.")
@click.option("--no-refresh", is_flag=True, help="It stays connected for an hour only.")
@click.option("--site", "site_slugs", multiple=True, help="A site of the agency it may work on by itself; repeatable.")
@told
def clients_create(
    agency_slug: str, name: str, redirect_uris: tuple[str, ...], scopes: str, public: bool, no_refresh: bool,
    site_slugs: tuple[str, ...],
) -> None:  # fmt: skip
    """Register an application; prints its client id and, the only time it can be read, its secret."""
    agency, sites = agency_named(agency_slug), [site_named(slug) for slug in site_slugs]
    for site in sites:
        _must_be_of(site, agency_id=agency.id, slug=agency_slug)
    by = operator("oauth clients create", agency_id=agency.id)
    with within(agency.id) as session:
        made = create_application(
            session, name=name, kind="public" if public else "confidential", redirect_uris=redirect_uris,
            scopes=[scope.strip() for scope in scopes.split(",") if scope.strip()], refresh=not no_refresh, alone=bool(sites),
            by=by, now=utcnow(),
        )  # fmt: skip
        for site in sites:
            let_in(
                session, application=made.application, site_id=site.id, install_id=None, scopes=made.application.scopes,
                by=by, now=utcnow(),
            )  # fmt: skip
    click.echo(f"client_id {made.application.public_id}")
    if made.secret is not None:
        click.echo(f"client_secret {made.secret}")


def _must_be_of(site: Site, *, agency_id: object, slug: str) -> None:
    if site.agency_id != agency_id:
        raise NotFound(f"{site.slug} is no site of {slug}; `flask --app wsgi sites list` shows whose it is.")
