"""What the commands share: who acts, which scope is open, how failures are said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

import click
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actors import Actor, job
from app.access.permissions import Permission
from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.errors import AppError, Invalid, NotFound
from app.tenancy.models import Agency, Site

P = ParamSpec("P")
R = TypeVar("R")


def config() -> Config:
    """The checked environment of this process."""
    found: Config = current_app.config["DRAMAC"]
    return found


def operator(command: str, *, agency_id: UUID | None = None) -> Actor:
    """Whoever may run commands on this machine: may do everything, and stands in the audit trail as `job:cli …`."""
    return replace(job(f"cli {command}", agency_id=agency_id), permissions=frozenset(Permission))


def told(command: Callable[P, R]) -> Callable[P, R]:
    """Say an expected failure in one line on standard error and exit with 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except AppError as error:
            raise click.ClickException(sentence(error)) from error

    return run


def sentence(error: AppError) -> str:
    """One line: the message, or what is wrong with each value."""
    if isinstance(error, Invalid) and error.errors:
        return "; ".join(f"{item.pointer.strip('/')}: {item.detail}" for item in error.errors)
    return error.message


@contextmanager
def everywhere(reason: str) -> Iterator[Session]:
    """One transaction over all agencies."""
    with platform_scope(reason), transaction(db.session()) as session:
        yield session


@contextmanager
def within(agency_id: UUID) -> Iterator[Session]:
    """One transaction in an agency, as its people have it."""
    with tenant_scope(agency_id), transaction(db.session()) as session:
        yield session


def agency_named(slug: str) -> Agency:
    """Raises NotFound, naming the command that lists them."""
    with everywhere("find an agency by slug") as session:
        agency = session.scalar(select(Agency).where(Agency.slug == slug))
        if agency is None:
            raise NotFound(f"There is no agency {slug}; `flask --app wsgi agencies list` shows them.")
        session.expunge(agency)
        return agency


def site_named(slug: str) -> Site:
    """Raises NotFound, naming the command that lists them."""
    with everywhere("find a site by slug") as session:
        site = session.scalar(select(Site).where(Site.slug == slug))
        if site is None:
            raise NotFound(f"There is no site {slug}; `flask --app wsgi sites list` shows them.")
        session.expunge(site)
        return site
