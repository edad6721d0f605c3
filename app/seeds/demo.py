"""Makes the demo world in an empty database, step by step; each step looks whether it was done, so a cut-off seed goes on.

Nothing here writes rows by itself but for one thing: enquiries of past weeks are dated back, which no action can do.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from psycopg import sql
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.actors import SYSTEM, Actor, member
from app.access.permissions import Role
from app.accounts.actions import create_user
from app.accounts.models import User
from app.accounts.passwords import hash_password, matches
from app.accounts.queries import user_with_email
from app.config import Config
from app.db.base import db
from app.db.pools import owner_connection
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.errors import Invalid
from app.gateway.actions import create_key
from app.installs.actions import pause_install
from app.installs.models import Install
from app.lib.clock import utcnow
from app.modules.models import Module
from app.modules.storage.export import enter_site
from app.runtime.context import load_install
from app.runtime.data import Access, Data, Surface, Transaction
from app.runtime.functions.process import sandbox
from app.seeds import world
from app.seeds.earlier import earlier
from app.seeds.harbour import make_site
from app.seeds.inbox import Inbox, Said, Values
from app.seeds.lumen import HARBOUR, PORTO, QUINTA
from app.seeds.northbeam import ALDERGATE
from app.seeds.publishing import installed, owner_of, publish
from app.seeds.shelves import fill_shelves
from app.seeds.sites import VERSIONS, put_on_sites, versions_of
from app.seeds.visits import make_visits
from app.tenancy.actions.agencies import create_agency
from app.tenancy.actions.clients import create_client
from app.tenancy.actions.members import add_member, invite_member
from app.tenancy.actions.sites import archive_site, create_site
from app.tenancy.models import Agency, Invitation, Membership, Site

FIRST_PARTY = Path(__file__).parents[2] / "modules"
INBOXES = (HARBOUR, QUINTA, ALDERGATE, PORTO)
INVITED = "lucia.marques@studiolumen.example"  # made last: with her the demo world is complete


@dataclass(frozen=True, slots=True)
class SignIn:
    """One demo person. role: in the agency; of somebody in two agencies the first of them."""

    email: str
    role: str
    agency: str


def seed_demo(config: Config) -> list[SignIn]:
    """Fill an empty database, or finish a seed that was cut off; any other database stays as it is.

    Returns who can sign in with config.demo_password. Raises Invalid without that password.
    """
    if not config.demo_password:
        raise Invalid("DEMO_PASSWORD is needed: what the demo people sign in with.")
    if _to_do():
        sandbox()  # its first start may take longer, on a busy machine, than a transaction may wait for it
        _people_and_sites(config, now=utcnow())
        _first_party_modules(now=utcnow())
        for inbox in INBOXES:
            _inbox(inbox, config)
        make_site(*owner_of("studio-lumen"))
        make_visits(now=utcnow())
        put_on_sites(*owner_of("studio-lumen"), config, now=utcnow())
        fill_shelves(config, now=utcnow())
        _finish(config, now=utcnow())
    return _sign_ins(config.demo_password)


def _to_do() -> bool:
    """Whether the database is empty, or holds a demo world that was not finished."""
    with platform_scope("is there a demo world to make"), transaction(db.session()) as session:
        there = set(session.scalars(select(Agency.slug)))
        finished = session.scalar(select(Invitation.id).where(Invitation.email == INVITED))
    return not there or (there == {one.slug for one in world.AGENCIES} and finished is None)


def _sign_ins(password: str) -> list[SignIn]:
    """The demo people whom this password lets in, in the order of the demo world."""
    names = {agency.slug: agency.name for agency in world.AGENCIES}
    found = []
    with platform_scope("who can sign in to the demo world"), transaction(db.session()) as session:
        checked: dict[str, bool] = {}  # they share one hash: checking it once is enough
        for person in world.PEOPLE:
            user = user_with_email(session, person.email)
            if user is None or user.password_hash is None:
                continue
            if user.password_hash not in checked:
                checked[user.password_hash] = matches(user.password_hash, password)
            if checked[user.password_hash]:
                slug, role = person.roles[0]
                also = f" and {names[person.roles[1][0]]}" if len(person.roles) > 1 else ""
                staff = f", platform {person.staff_role}" if person.staff_role else ""
                found.append(SignIn(person.email, role.value, f"{names[slug]}{also}{staff}"))
    return found


# -- people, agencies, clients and sites: one transaction


def _people_and_sites(config: Config, *, now: datetime) -> None:
    with platform_scope("make the demo world"), transaction(db.session()) as session:
        if session.scalar(select(func.count()).select_from(Agency)):
            return
        users = _people(session, config, now=now)
        for number, agency in enumerate(world.AGENCIES):
            _agency(session, agency, users, now=now - timedelta(days=200 - 40 * number))


def _people(session: Session, config: Config, *, now: datetime) -> dict[str, User]:
    users = {}
    password_hash = hash_password(config.demo_password)
    for person in world.PEOPLE:
        users[person.email] = user = create_user(
            session, email=person.email, name=person.name, password=None, now=now, staff_role=person.staff_role,
            time_zone=person.time_zone,
        )  # fmt: skip
        user.password_hash, user.password_changed_at = password_hash, now  # however weak: it is the developer's own
    return users


def _agency(session: Session, wanted: world.Agency, users: dict[str, User], *, now: datetime) -> None:
    owner = users[wanted.owner]
    agency = create_agency(
        session, name=wanted.name, slug=wanted.slug, owner=owner, hue=wanted.hue, time_zone=wanted.time_zone,
        currency=wanted.currency, by=SYSTEM, now=now,
    )  # fmt: skip
    by = member(user_id=owner.id, name=owner.name, agency_id=agency.id, role=Role.OWNER)
    for person in world.PEOPLE:
        for slug, role in person.roles:
            if slug == wanted.slug and person.email != wanted.owner:
                add_member(session, agency_id=agency.id, user=users[person.email], role=role, by=by, now=now)
    for number, client in enumerate(wanted.clients):
        _client(session, client, agency, by=by, now=now + timedelta(days=28 * number + 2))


def _client(session: Session, wanted: world.Client, agency: Agency, *, by: Actor, now: datetime) -> None:
    client = create_client(
        session, agency_id=agency.id, name=wanted.name, contact_name=wanted.contact_name,
        contact_email=wanted.contact_email, notes=wanted.notes, by=by, now=now,
    )  # fmt: skip
    for number, one in enumerate(wanted.sites):
        site = create_site(
            session, client=client, name=one.name, slug=one.slug, url=f"https://{one.slug.replace('-', '')}.example",
            time_zone=one.time_zone, locale=one.locale, currency=one.currency, by=by, now=now + timedelta(days=16 * number + 1),
        )  # fmt: skip
        if one.archived:
            archive_site(session, site=site, by=by, now=now + timedelta(days=60))


# -- modules and what is installed


def _first_party_modules(*, now: datetime) -> None:
    """Publish what releases() has, for everybody."""
    for files, days_ago in releases():
        publish(files, slug=world.PUBLISHER, now=now - timedelta(days=days_ago))


def releases() -> Iterator[tuple[list[tuple[str, bytes]], int]]:
    """(files, days ago) of what is published, the lower version of a module first.

    Every package of modules/; those with an underscore are examples for authors.
    """
    for folder in sorted(path for path in FIRST_PARTY.iterdir() if (path / "module.yaml").exists()):
        if folder.name.startswith("_"):
            continue
        files = [
            (path.relative_to(folder).as_posix(), path.read_bytes()) for path in folder.rglob("*") if path.is_file()
        ]
        if folder.name == "enquiries":
            yield list(earlier(dict(files)).items()), 60
        yield files, 0
    for slug in VERSIONS:
        for place, (_, files) in enumerate(versions_of(slug)):
            yield files, 90 - 20 * place


def _inbox(inbox: Inbox, config: Config) -> None:
    """The enquiries module on one site, with its forms and what came in."""
    agency_id, by = owner_of(world.AGENCY_OF[inbox.site])
    then = utcnow() - timedelta(days=45)
    install = installed("enquiries", inbox.site, config, number=inbox.version, settings=inbox.settings, now=then)
    if install.status == "paused":
        return
    with tenant_scope(agency_id):
        _fill(inbox, install.id, by)
        if inbox.paused:
            with transaction(db.session()) as session:
                pause_install(session, install=session.get_one(Install, install.id), by=by, now=utcnow())


def _fill(inbox: Inbox, install_id: UUID, by: Actor) -> None:
    """Forms, questions and enquiries in one transaction; then the enquiries are dated back to when they were said."""
    context = load_install(install_id)
    people = _people_ids(context.agency_id)
    staff = Data(context, Access(Surface.STAFF, by))
    if not staff.list("forms").texts:
        with staff.transaction() as tx:
            forms = {form["key"]: _form(tx, form, questions) for form, questions in inbox.forms}
            visitors = tx.beside(context, Access(Surface.SYSTEM, Actor(kind="visitor")))
            for said in inbox.said:
                _enquiry(tx, visitors, said, forms, people)
    _date_back(inbox, context.schema, context.site_id, now=utcnow())


def _people_ids(agency_id: UUID) -> dict[str, str]:
    with transaction(db.session()) as session:
        rows = session.execute(
            select(User.email, User.id).join(Membership, Membership.user_id == User.id).where(Membership.agency_id == agency_id)
        )  # fmt: skip
        return {email: str(user_id) for email, user_id in rows}


def _form(tx: Transaction, values: Values, questions: tuple[Values, ...]) -> str:
    form_id = str(tx.insert("forms", values).id)
    for question in questions:
        tx.insert("questions", {**question, "form": form_id})
    return form_id


def _enquiry(tx: Transaction, visitors: Transaction, said: Said, forms: dict[str, str], people: dict[str, str]) -> None:
    form = said.form if said.form in forms else next(iter(forms))
    values: Values = {"name": said.name, "email": said.email, "message": said.message, "form": forms[form]}
    values |= {**said.more, "answers": {key: _answer(value) for key, value in said.answers.items()}}
    if said.phone:
        values["phone"] = said.phone
    record = visitors.insert("enquiries", values)
    if said.change:
        change = dict(said.change)
        if "assignee" in change:
            change["assignee"] = people[change["assignee"]]
        tx.update("enquiries", record.id, change)


def _answer(value: object) -> object:
    """A day such as "+12" as a date; anything else as it is."""
    if isinstance(value, str) and value[:1] in "+-" and value[1:].isdigit():
        return (utcnow() + timedelta(days=int(value))).date().isoformat()
    return value


def _date_back(inbox: Inbox, schema: str, site_id: UUID, *, now: datetime) -> None:
    """Set when each enquiry came in and was last changed. As the owner: times of records are not for anybody to choose."""
    minutes = random.Random(inbox.site)  # noqa: S311  # the same on every machine, and no secret
    enquiries, history = sql.Identifier(schema, "enquiries"), sql.Identifier(schema, "_history")
    with owner_connection() as owner, owner.transaction():
        enter_site(owner, site_id)
        for said in inbox.said:
            came = now.replace(hour=said.hour, minute=minutes.randrange(60), second=minutes.randrange(60))
            came = min(came - timedelta(days=said.days), now - timedelta(minutes=minutes.randrange(5, 50)))
            changed = min(came + timedelta(hours=minutes.randrange(2, 40)), now) if said.change else came
            moved = {"answered_at": changed} if said.change.get("status") in ("open", "waiting", "closed") else {}
            if said.change.get("status") == "closed":
                moved["closed_at"] = changed
            sets = {"created_at": came, "updated_at": changed, **moved}
            names = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in sets)
            for (record_id,) in owner.execute(
                sql.SQL("UPDATE {} SET {} WHERE site_id = %s AND email = %s RETURNING id").format(enquiries, names),
                [*sets.values(), site_id, said.email],
            ).fetchall():
                owner.execute(
                    sql.SQL(
                        "UPDATE {} SET at = CASE op WHEN 'insert' THEN %s ELSE %s END WHERE site_id = %s AND record_id = %s"
                    ).format(history),
                    [came, changed, site_id, record_id],
                )


# -- what is left


def _finish(config: Config, *, now: datetime) -> None:
    """A key for the site with the most to read; then the invitation that says the demo world is complete."""
    agency_id, by = owner_of("studio-lumen")
    with tenant_scope(agency_id), transaction(db.session()) as session:
        site = session.scalars(select(Site).where(Site.slug == "harbour-dental")).one()
        module = session.scalars(select(Module).where(Module.slug == "enquiries")).one()
        install = session.scalars(
            select(Install).where(Install.site_id == site.id, Install.module_id == module.id)
        ).one()
        create_key(
            session, site=site, install_id=install.id, name="Practice software", kind="secret",
            scopes=["read", "write"], by=by, now=now,
        )  # fmt: skip
        invite_member(
            session, agency_id=agency_id, email=INVITED, role=Role.MEMBER, by=by, keys=config.secret_keys, now=now,
            link=lambda token: f"{config.platform_url}/join/{token}",
        )  # fmt: skip
