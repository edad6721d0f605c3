"""Module packages and installs from the command line: check, publish, install, uninstall, upgrade, roll back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from flask.cli import AppGroup
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.cli.common import agency_named, config, everywhere, operator, site_named, told, within
from app.db.base import db
from app.db.scope import tenant_scope
from app.errors import NotFound
from app.installs.actions import install_module, remove_install
from app.installs.models import Install
from app.installs.upgrades import rollback_install, upgrade_install
from app.lib.clock import utcnow
from app.modules.actions import TIERS, upload_package
from app.modules.manifest import Problem
from app.modules.models import Module, Version
from app.modules.package import CheckedPackage, Package, check_folder, check_package
from app.modules.queries import latest_published, module_by_slug, versions_of
from app.modules.signing.checking import verify as verify_log
from app.modules.signing.checking import version_faults
from app.modules.signing.keys import rotate_key
from app.modules.signing.models import ReleaseHead
from app.modules.signing.older import enter_older
from app.queue.worker import perform
from app.rollouts.plan import make_plan
from app.runtime.acceptance.runner import Result
from app.runtime.checks import source_problems
from app.runtime.functions.process import sandbox
from app.studio import jobs as publications
from app.studio.actions import order_publication
from app.studio.models import Publication
from app.studio.publishing.pipeline import STEPS, Watch
from app.studio.publishing.rules import static_problems
from app.studio.publishing.work import Outcome
from app.tenancy.models import Site

modules = AppGroup("modules", help="Module packages, and modules on sites.")
WAITS_S = 120
PACKAGE = click.Path(exists=True, path_type=Path)


@modules.command("check")
@click.argument("path", type=PACKAGE)
def check(path: Path) -> None:
    """Check a package (a folder or a zip); exits with 1 when it has errors."""
    package, problems = read(path)
    say(problems)
    if package is None:
        raise click.ClickException(f"{path} has errors.")
    click.echo(f"{package.manifest.slug} {package.manifest.version} is in order: {package.digest}")


@modules.command("publish")
@click.argument("path", type=PACKAGE)
@click.option("--agency", "slug", required=True, help="The publishing agency's slug.")
@click.option("--tier", type=click.Choice(TIERS), help="Who may see and install it; a new module starts as internal.")
@told
def publish(path: Path, slug: str, tier: str | None) -> None:
    """Upload a package, put it through every check, and release its version."""
    package, problems = read(path)
    say(problems)
    if package is None:
        raise click.ClickException(f"{path} has errors.")
    agency = agency_named(slug)
    by = operator("modules publish", agency_id=agency.id)
    with within(agency.id) as session:
        version = upload_package(session, package=package, agency_id=agency.id, by=by, now=utcnow())
        session.flush()
        ordered = order_publication(session, version=version, tier=tier or "", by=by, now=utcnow(), here=True)
        publication_id = ordered.id
    with tenant_scope(agency.id):
        publications.publish(str(publication_id), told=_says())
        db.session.remove()
    with within(agency.id) as session:
        done = session.get_one(Publication, publication_id)
        if done.status == "held":
            click.echo(
                f"{package.manifest.slug} {package.manifest.version} waits for the platform's staff to look at it:"
            )
            for points, reason in done.risk["reasons"]:
                click.echo(f"  {points:>3} points: it {reason}")
            return
        if done.status != "published":
            say([Problem(**item) for item in done.problems])
            raise click.ClickException(f"{package.manifest.slug} {package.manifest.version} is not published.")
        click.echo(f"{package.manifest.slug} {package.manifest.version} is published: {package.digest}")


@modules.command("verify")
@told
def verify_all() -> None:
    """Go through the release log and every stored release; exits with 1 when anything does not agree."""
    found = verify_log()
    with everywhere("stored releases against the release log") as session:
        found += list(version_faults(session))
        end = session.scalars(select(ReleaseHead)).one()
        number, digest = end.number, end.hash.hex()
    for fault in found:
        click.echo(f"FAULT  {fault}", err=True)
    if found:
        raise click.ClickException(f"{len(found)} faults.")
    click.echo(f"{number} entries in order, and every stored release is what was signed. The chain ends in {digest}.")


@modules.command("enter-old")
@told
def enter_old() -> None:
    """Sign and enter releases that stand in no log; they cannot be installed until this was done.

    What was released before there was a log is entered by `db migrate`, once; this is for what was published meanwhile.
    """
    with everywhere("releases that stand in no log") as session:
        say_entered(session, enter_older(session, now=utcnow()))


@modules.command("rotate-key")
@click.option("--agency", "slug", required=True, help="The publishing agency's slug.")
@told
def rotate(slug: str) -> None:
    """Give an agency another key to sign its releases with; what is signed stays good."""
    agency = agency_named(slug)
    with within(agency.id) as session:
        key = rotate_key(session, agency_id=agency.id, now=utcnow())
        click.echo(f"{slug} signs with {key.hex()} from now on")


@modules.command("install")
@click.argument("slug")
@click.option("--site", "site_slug", required=True, help="The site's slug.")
@click.option("--version", "number", help="A published version; without it, the latest.")
@click.option("--settings", "settings_text", default="{}", help="JSON object of the module's settings.")
@told
def install(slug: str, site_slug: str, number: str | None, settings_text: str) -> None:
    """Put a module on a site, and wait until it serves."""
    settings = _settings(settings_text)
    site = site_named(site_slug)
    with within(site.agency_id) as session:
        version = version_of(session, slug=slug, number=number)
        made = install_module(
            session,
            site=session.get_one(Site, site.id),
            version=version,
            settings=settings,
            by=operator("modules install", agency_id=site.agency_id),
            now=utcnow(),
            keys=config().secret_keys,
        )
        install_id, said = made.id, f"{slug} {version.version} on {site.slug}"
    settle("installs.provision", agency_id=site.agency_id, install_id=install_id, wanted="active", said=said)


@modules.command("uninstall")
@click.argument("slug")
@click.option("--site", "site_slug", required=True, help="The site's slug.")
@told
def uninstall(slug: str, site_slug: str) -> None:
    """Take a module off a site; its rows are exported and kept for 30 days."""
    _change(
        slug, site_slug, "uninstall", job="installs.deprovision", wanted="removed",
        action=lambda session, found, by: remove_install(session, install=found, by=by, now=utcnow()),
    )  # fmt: skip


@modules.command("upgrade")
@click.argument("slug")
@click.option("--site", "site_slug", required=True, help="The site's slug.")
@click.option("--version", "number", help="A published version; without it, the latest.")
@click.option("--consent", is_flag=True, help="Agree to what the version asks for besides.")
@click.option("--park", is_flag=True, help="Agree that what it has no place for is hidden, and deleted after 30 days.")
@click.option("--settings", "settings_text", default="{}", help="JSON object of settings to change with it.")
@click.option("--plan", "only_plan", is_flag=True, help="Say as JSON what it would do, and do nothing.")
@told
def upgrade(
    slug: str, site_slug: str, number: str | None, consent: bool, park: bool, settings_text: str, only_plan: bool
) -> None:
    """Move a site to a higher version of a module."""
    settings = _settings(settings_text)
    if only_plan:
        site = site_named(site_slug)
        with within(site.agency_id) as session:
            found = install_of(session, site=site, slug=slug)
            version = version_of(session, slug=slug, number=number)
            made = make_plan(session, install=found, version=version, now=utcnow(), settings=settings)
            click.echo(json.dumps(made.to_dict(), indent=2, ensure_ascii=False))
        return
    _change(
        slug, site_slug, "upgrade", job="installs.provision", wanted="active",
        action=lambda session, found, by: upgrade_install(
            session, install=found, version=version_of(session, slug=slug, number=number), consent=consent, lose=park,
            settings=settings, keys=config().secret_keys, by=by, now=utcnow(),
        ),
    )  # fmt: skip


@modules.command("rollback")
@click.argument("slug")
@click.option("--site", "site_slug", required=True, help="The site's slug.")
@told
def rollback(slug: str, site_slug: str) -> None:
    """Bring a site back to the version of a module that it had before."""
    _change(
        slug, site_slug, "rollback", job="installs.provision", wanted="active",
        action=lambda session, found, by: rollback_install(session, install=found, by=by, now=utcnow()),
    )  # fmt: skip


def say_entered(session: Session, versions: list[Version]) -> None:
    for version in versions:
        slug = session.get_one(Module, version.module_id).slug
        click.echo(f"{slug} {version.version} is entered: {version.digest}")


def read(path: Path) -> tuple[Package | None, list[Problem]]:
    """The package in a folder or zip, None when it has errors; and all that was found, the code's syntax included."""
    checked: CheckedPackage
    if path.is_dir():
        found = sorted(path.rglob("*"))
        if links := [file for file in found if file.is_symlink()]:
            raise click.ClickException(f"{links[0]} is a link, which no package may have.")
        files = (file for file in found if file.is_file())
        checked = check_folder((file.relative_to(path).as_posix(), file.read_bytes()) for file in files)
    else:
        checked = check_package(path.read_bytes())
    problems = list(checked.problems)
    if checked.package is not None:
        problems += source_problems(checked.package, sandbox())
        problems += static_problems(checked.package)
    failed = any(problem.severity == "error" for problem in problems)
    return (None if failed else checked.package), problems


def say(problems: list[Problem]) -> None:
    """One line per finding, on standard error."""
    for problem in sorted(problems, key=lambda item: (item.severity != "error", item.file, item.line)):
        click.echo(f"{problem.severity}: {problem}", err=True)
        if problem.remedy:
            click.echo(f"  {problem.remedy}", err=True)


def _says() -> Watch:
    """Each step, what it found and how long it took, on standard error as it goes."""

    def end(key: str, outcome: Outcome, took_ms: int) -> None:
        click.echo(
            f"{'FAILED' if outcome.errors else 'ok':7}{STEPS[key]}: {outcome.detail} ({took_ms / 1000:.1f} s)", err=True
        )
        for note in outcome.notes:
            click.echo(f"       {note}", err=True)
        say([problem for problem in outcome.problems if problem.severity == "warning"])

    def tested(result: Result) -> None:
        click.echo(f"       {'ok' if result.passed else 'FAILED'}  {result.name}", err=True)
        for failure in result.failures:
            click.echo(f"           {failure}", err=True)

    return Watch(end=end, tested=tested)


def version_of(session: Session, *, slug: str, number: str | None) -> Version:
    """A module's published version, the latest without a number. Raises NotFound for one the agency may not see."""
    module = module_by_slug(session, slug)
    if module is None:
        raise NotFound(f"There is no module {slug} that this agency may install.")
    if number is None:
        found = latest_published(session, module_id=module.id)
    else:
        found = next((one for one in versions_of(session, module_id=module.id) if one.version == number), None)
    if found is None:
        raise NotFound(f"{slug} has no published version{f' {number}' if number else ''}.")
    return found


def install_of(session: Session, *, site: Site, slug: str) -> Install:
    """The install of a module on a site. Raises NotFound."""
    query = select(Install).join(Module, Module.id == Install.module_id)
    found = session.scalar(query.where(Install.site_id == site.id, Module.slug == slug, Install.status != "removed"))
    if found is None:
        raise NotFound(f"{site.slug} has no module {slug}.")
    return found


def settle(job: str, *, agency_id: UUID, install_id: UUID, wanted: str, said: str) -> None:
    """Run an install's job here and now, and say what became of it; one that a worker has taken is waited for."""
    perform(job, str(agency_id), {"install_id": str(install_id)})
    deadline = time.monotonic() + WAITS_S
    while True:
        with within(agency_id) as session:
            found = session.get_one(Install, install_id)
            status, failure = found.status, found.failure
        if status not in ("provisioning", "removing") or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    if status != wanted:
        raise click.ClickException(f"{said} is {status}: {failure or 'its page says more'}")
    click.echo(f"{said} is {status}")


def _change(
    slug: str,
    site_slug: str,
    command: str,
    *,
    job: str,
    wanted: str,
    action: Callable[[Session, Install, Actor], None],
) -> None:
    site = site_named(site_slug)
    with within(site.agency_id) as session:
        found = install_of(session, site=site, slug=slug)
        action(session, found, operator(f"modules {command}", agency_id=site.agency_id))
        install_id, version = found.id, session.get_one(Version, found.version_id).version
    said = f"{slug} {version} on {site.slug}"
    settle(job, agency_id=site.agency_id, install_id=install_id, wanted=wanted, said=said)


def _settings(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise click.ClickException(f"--settings is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise click.ClickException('--settings must be a JSON object, such as {"accent": "#3b46c8"}')
    return found
