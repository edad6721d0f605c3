"""Management commands: `flask --app wsgi …`. Each calls the same actions as the screens; errors are one clear line."""

from __future__ import annotations

import click
import psycopg
from flask import Flask, current_app
from flask.cli import AppGroup

from app.config import Config
from app.db.base import db as flask_db
from app.db.migrate import MigrationFailed, applied, migrate, migrations
from app.db.scope import platform_scope
from app.db.session import transaction
from app.tenancy.models import Agency, Site

database = AppGroup("db", help="The database's state.")
agencies = AppGroup("agencies", help="Agencies of this installation.")
sites = AppGroup("sites", help="Sites of this installation.")


def _config() -> Config:
    config: Config = current_app.config["DRAMAC"]
    return config


@database.command("migrate")
def db_migrate() -> None:
    """Bring the database up to date; prints what was applied."""
    try:
        for name in migrate(_config().database_url, _config().secret_keys[0]):
            click.echo(f"applied {name}")
    except MigrationFailed as error:
        raise click.ClickException(str(error)) from error


@database.command("status")
def db_status() -> None:
    """Each migration: when it was applied, or that it is missing."""
    with psycopg.connect(_config().database_url, autocommit=True) as connection:
        done = {row.name: row for row in applied(connection)}
    for migration in migrations():
        row = done.get(migration.name)
        state = "missing" if row is None else f"{row.applied_at:%Y-%m-%d %H:%M} UTC"
        click.echo(f"{migration.name:40} {state}")


@agencies.command("list")
def agencies_list() -> None:
    """One line each: slug, name."""
    with platform_scope("flask agencies list"), transaction(flask_db.session()) as session:
        for agency in session.query(Agency).order_by(Agency.slug):
            click.echo(f"{agency.slug}\t{agency.name}")


@sites.command("list")
def sites_list() -> None:
    """One line each: slug, name, the agency's slug."""
    with platform_scope("flask sites list"), transaction(flask_db.session()) as session:
        rows = session.query(Site, Agency).join(Agency, Agency.id == Site.agency_id).order_by(Site.slug)
        for site, agency in rows:
            click.echo(f"{site.slug}\t{site.name}\t{agency.slug}")


def register_commands(app: Flask) -> None:
    """Add every group to `flask --app wsgi`."""
    for group in (database, agencies, sites):
        app.cli.add_command(group)
