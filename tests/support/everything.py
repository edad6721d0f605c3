"""One agency with one of everything that an address can name: for sweeps over all routes."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from app.access.permissions import Role
from app.automations.actions import add_step, create_automation
from app.automations.models import Run
from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.embed.actions import create_token
from app.events.catalog import SITE_CREATED
from app.events.outbox import publish
from app.gateway.actions import create_key
from app.installs.models import Install
from app.lib.clock import utcnow
from app.lib.ids import encode, uuid7
from app.marketplace.models import Rating
from app.modules.actions import upload_package
from app.modules.models import Module
from app.oauth.actions import create_application
from app.oauth.models import Grant
from app.pages.actions import create_page, publish_page
from app.pages.content import Content
from app.pages.structure import add_redirect
from app.queue.models import JobRun
from app.runtime.context import load_install
from app.runtime.data import Access, Data, Surface
from app.runtime.files.actions import store_file
from app.runtime.files.queries import upload_fields
from app.studio.actions import order_publication
from app.studio.editor.actions import create_project, order_trial
from app.studio.editor.starters import starter_files
from app.support.access.models import SupportAccess
from app.support.actions import save_search
from app.support.cases.actions import make_case
from app.support.cases.links import link_text
from app.support.models import LogSearch
from app.tenancy.actions.members import invite_member
from app.tenancy.models import Membership, Site
from app.web.guard import Access as RouteAccess
from app.webhooks.actions import create_webhook, send_test
from app.webhooks.addresses import Outside
from app.webhooks.setup import Setup
from tests.support.browser import Browser
from tests.support.domains import added_domain
from tests.support.packages import package
from tests.support.publishing import installed, new_slug, released
from tests.support.world import Person, World

ICON = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="M4 4h16v16H4z"/></svg>'
DOT = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")
PAGE = b"""<h1>Write</h1><form method="post"><label for="t">Title</label><input id="t" name="title"></form>"""
MANIFEST = """
manifest: 1
slug: {slug}
name: Notes
summary: Notes in folders.
version: 1.0.0
type: app
icon: icon.svg
permissions:
  network: [{{host: api.example.com, methods: [GET], reason: "To look things up."}}]
connections:
  calendar:
    label: Calendar
    help: To look things up there.
    authorize_url: https://calendar.example.com/authorize
    token_url: https://calendar.example.com/token
    hosts: [api.example.com]
    client_id: demo
tables:
  folders:
    label: {{one: Folder, many: Folders}}
    fields:
      name: {{type: text, required: true, max: 80, search: true}}
    access: {{public: [], staff: [read, create, update, delete], api: [read]}}
  notes:
    label: {{one: Note, many: Notes}}
    title: title
    fields:
      title: {{type: text, required: true, max: 80, search: true}}
      body: {{type: text, multiline: true}}
      state: {{type: enum, options: [open, done], default: open, required: true}}
      folder: {{type: ref, to: folders, on_delete: set_null}}
      scan: {{type: file}}
    states: {{field: state, moves: {{open: [done], done: [open]}}}}
    access: {{public: [], staff: [read, create, update, delete], api: [read]}}
    audit: true
views:
  notes: {{type: list, table: notes, columns: [title, state, folder], filters: [state], search: true, export: csv, import: csv}}
menu: [notes]
pages:
  write: {{template: write.html, kind: form, title: Write a note, table: notes, fields: [title], modes: [iframe, element, popup]}}
roles:
  writer: {{label: Writer, tables: {{notes: [read, create, update], folders: [read]}}}}
settings:
  - label: Look
    fields:
      accent: {{type: color, default: "#3b46c8", label: "Accent colour"}}
"""


@dataclass(frozen=True)
class Everything:
    """People of one agency, and a value for each variable that a route may have."""

    ada: Person
    vic: Person
    names: dict[str, str]
    bodies: dict[str, dict[str, str]]  # by endpoint, where a form names an object of the agency
    install: Install
    site: Site

    def path(self, rule: Rule) -> str:
        """The address of a route with the agency's own objects in it."""
        path = rule.rule
        for name in rule.arguments:
            assert name in self.names, f"{rule.rule}: tests/support/everything.py has no {name}"
            converter = rule._converters[name]
            kind = next(part for part in path.split("<") if part.partition(">")[0].rpartition(":")[2] == name)
            path = path.replace(f"<{kind.partition('>')[0]}>", converter.to_url(self.names[name]))
        return path


def make_everything(world: World, config: Config, app: Flask) -> Everything:
    """A new agency with a client, a site, an installed module with a record, a key, an invitation, members."""
    agency = world.agency("Studio Lumen")
    ada = world.person(agency, Role.OWNER, name="Ada Bright")
    vic = world.person(agency, Role.VIEWER, name="Vic Watcher")
    client = world.client(agency, "Harbour Group")
    site = world.site(agency, client=client)
    slug = new_slug()
    version = released(
        ada,
        {
            "module.yaml": MANIFEST.format(slug=slug).encode(),
            "icon.svg": ICON,
            "templates/write.html": PAGE,
            "listing.yaml": b"screenshots: [one.png]",
            "screenshots/one.png": DOT,
        },
    )
    install = installed(config, ada, site, version)
    data = Data(load_install(install.id), Access(Surface.STAFF, ada.actor))
    scan = store_file(
        data.context,
        data.access,
        BytesIO(b"%PDF-1.4 a scan"),
        name="scan.pdf",
        fields=upload_fields(data.context, data.access),
    )
    record = data.insert("notes", {"title": "First", "scan": str(scan.id)})
    batch = data.delete("notes", data.insert("notes", {"title": "Gone"}).id)
    with tenant_scope(agency.id, user_id=ada.id), transaction(db.session()) as session:
        key = create_key(
            session, site=session.get_one(Site, site.id), install_id=install.id, name="Till", kind="secret",
            scopes=["read"], by=ada.actor, now=utcnow(),
        ).key  # fmt: skip
        invitation = invite_member(
            session, agency_id=agency.id, email=f"{new_slug('guest')}@example.test", role=Role.MEMBER, by=ada.actor,
            link=lambda token: f"http://localhost:8000/join/{token}", keys=config.secret_keys, now=utcnow(),
        )  # fmt: skip
        application = create_application(
            session, name="Ledger", kind="confidential", redirect_uris=["https://ledger.example/back"], scopes=["read"],
            refresh=True, by=ada.actor, now=utcnow(),
        ).application  # fmt: skip
        session.add(
            grant := Grant(
                id=uuid7(), agency_id=agency.id, site_id=site.id, client_id=application.id, user_id=ada.id, scopes=["read"],
                created_at=utcnow(), expires_at=utcnow() + timedelta(days=1),
            )
        )  # fmt: skip
        module = session.get_one(Module, version.module_id)
        membership = _membership(session, vic)
        embed_token = create_token(
            session, install=session.get_one(Install, install.id), name="Members", origins=[], verified=[],
            expires_at=utcnow() + timedelta(days=30), keys=config.secret_keys, by=ada.actor, now=utcnow(),
        ).row  # fmt: skip
    names = {
        "client_id": client.public_id, "site_id": site.public_id, "install_id": install.public_id, "key_id": key.public_id,
        "invitation_id": invitation.public_id, "membership_id": membership, "module_id": module.public_id,
        "version_id": version.public_id, "slug": slug, "module": slug, "table": "notes", "name": "notes",
        "connection": "calendar",
        "field": "folder", "application_id": application.public_id, "grant_id": grant.public_id,
        "record_id": str(record.id), "file_id": str(scan.id), "batch": str(batch),
        "publisher_id": encode("agc", agency.id), "number": "1", "rating_id": _rating(world, module),
    }  # fmt: skip
    names |= {"page_name": "write", "token_id": embed_token.public_id}
    names |= _webhook(config, ada, site)
    names |= _case(config, ada, install)
    names |= _automation(ada, site)
    names["run_id"] = _failed_job(ada)
    names["access_id"] = _support_access(ada)
    names |= _page(ada, site)
    names["publication_id"] = _publication(ada, slug)
    names["search_id"] = _saved_search(ada)
    names["domain_id"] = added_domain(site, f"{new_slug('shop')}.com").public_id
    names |= _project(ada)
    names["token"] = _file_to_import(Browser(app, ada), install)
    bodies = {
        "installs.save_role": {"user": encode("usr", vic.id), "role": "writer"},
        "installs.upgrade": {"version": version.public_id},
        "tenancy.change_role": {"role": "viewer"},
        "oauth.change": {"name": "Ledger", "redirect_uris": "https://ledger.example/back", "scopes": "read"},
    }
    return Everything(ada, vic, names, bodies, install, site)


def _rating(world: World, module: Module) -> str:
    """What another agency says of the module."""
    said = Rating(
        id=uuid7(), agency_id=world.agency("Tidewater").id, module_id=module.id, major=1, author="Tidewater", stars=4, text="",
        created_at=utcnow(), changed_at=utcnow(),
    )  # fmt: skip
    with platform_scope("test world"), transaction(db.session()) as session:
        session.add(said)
    return said.public_id


def _publication(ada: Person, slug: str) -> str:
    """A second version of the module that somebody has ordered to be published."""
    files = {"module.yaml": MANIFEST.format(slug=slug).replace("1.0.0", "1.0.1").encode(), "icon.svg": ICON}
    with tenant_scope(ada.agency_id, user_id=ada.id), transaction(db.session()) as session:
        read = package({**files, "templates/write.html": PAGE})
        version = upload_package(session, package=read, agency_id=ada.agency_id, by=ada.actor, now=utcnow())
        session.flush()
        return order_publication(session, version=version, tier="", by=ada.actor, now=utcnow()).public_id


def _file_to_import(ada: Browser, install: Install) -> str:
    """What stands in the address of an import's preview."""
    file = (BytesIO(b"Title\r\nFrom a file\r\n"), "notes.csv")
    where = ada.post(f"/installs/{install.public_id}/records/notes/import", {"file": file}).where
    assert where is not None
    return where.rpartition("/")[2]


def _case(config: Config, ada: Person, install: Install) -> dict[str, str]:
    """A case bundle that Ada made for herself."""
    with tenant_scope(ada.agency_id, user_id=ada.id), transaction(db.session()) as session:
        case = make_case(
            session, install=session.get_one(Install, install.id), note="It fails", for_user_id=ada.id, days=1, by=ada.actor,
            now=utcnow(),
        )  # fmt: skip
        return {"case_id": case.public_id, "link": link_text(config.secret_keys, case.id)}


def _failed_job(ada: Person) -> str:
    """A run of a job of the agency that failed."""
    with platform_scope("test world"), transaction(db.session()) as session:
        run = JobRun(
            id=uuid7(), agency_id=ada.agency_id, name="mail.deliver", status="failed", scoped=False, started_at=utcnow(),
            gives_up_at=utcnow(),
        )  # fmt: skip
        session.add(run)
        return run.public_id


def _support_access(ada: Person) -> str:
    """Somebody of the platform's staff who asks to look."""
    with platform_scope("test world"), transaction(db.session()) as session:
        access = SupportAccess(
            id=uuid7(), agency_id=ada.agency_id, staff_id=ada.id, staff_name="Sam Reyes", hours=1, status="asked",
            reason="Bookings fail since Monday",
        )  # fmt: skip
        session.add(access)
        return access.public_id


def _project(person: Person) -> dict[str, str]:
    with tenant_scope(person.agency_id, user_id=person.id), transaction(db.session()) as session:
        project = create_project(
            session, name="Price list", contents=starter_files("list"), starter="list", agency_id=person.agency_id,
            by=person.actor, now=utcnow(),
        )  # fmt: skip
        trial = order_trial(session, project=project, kind="tests", asked={}, now=utcnow())
        return {"project_id": project.public_id, "trial_id": trial.public_id}


def _saved_search(ada: Person) -> str:
    """A search of the logs that only Ada sees."""
    with tenant_scope(ada.agency_id, user_id=ada.id), transaction(db.session()) as session:
        save_search(session, agency_id=ada.agency_id, name="Failing", query="level=error", shared=False, by=ada.actor)
        return session.scalars(select(LogSearch).where(LogSearch.user_id == ada.id)).one().public_id


def _page(ada: Person, site: Site) -> dict[str, str]:
    """A live page with a version, and a redirect."""
    with tenant_scope(site.agency_id, user_id=ada.id), transaction(db.session()) as session:
        of_agency = session.get_one(Site, site.id)
        page = create_page(
            session, site=of_agency, content=Content(title="Hours"), path="/hours", by=ada.actor, now=utcnow()
        )
        version = publish_page(session, page=page, by=ada.actor, now=utcnow())
        redirect = add_redirect(session, site=of_agency, source="/old", target="/hours", by=ada.actor)
        return {
            "page_id": page.public_id,
            "page_version_id": version.public_id,
            "redirect_id": redirect.public_id,
        }


def _webhook(config: Config, ada: Person, site: Site) -> dict[str, str]:
    """An endpoint that nothing listens at, with one delivery."""
    setup = Setup(config.secret_keys, config.platform_url, Outside(development=True))
    with tenant_scope(site.agency_id, user_id=ada.id), transaction(db.session()) as session:
        webhook = create_webhook(
            session, site=session.get_one(Site, site.id), url="https://hooks.example.com/in", description="Ledger",
            patterns=["note.*"], headers={}, by=ada.actor, setup=setup, now=utcnow(),
        )  # fmt: skip
        delivery = send_test(session, webhook=webhook, by=ada.actor, now=utcnow())
        return {"webhook_id": webhook.public_id, "delivery_id": delivery.public_id}


def _automation(ada: Person, site: Site) -> dict[str, str]:
    """An automation with a step and a failed run."""
    step = {"kind": "mail", "to": "owners", "path": "", "subject": "New", "text": "{name}"}
    with tenant_scope(site.agency_id, user_id=ada.id), transaction(db.session()) as session:
        automation = create_automation(
            session, site=None, name="Tell us", event_type="site.created", conditions="", retries=0, off_after=1,
            by=ada.actor, now=utcnow(),
        )  # fmt: skip
        add_step(session, automation=automation, step=step, by=ada.actor)
        event = publish(session, SITE_CREATED, by=ada.actor, agency_id=site.agency_id, site_id=site.id)
        session.flush()
        run = Run(
            id=uuid7(), agency_id=site.agency_id, automation_id=automation.id, event_id=event.id, event_type=event.type,
            status="failed", attempts=1, due_at=utcnow(), steps=[{**step, "outcome": "failed", "detail": "No."}],
        )  # fmt: skip
        session.add(run)
        return {"automation_id": automation.public_id, "automation_run_id": run.public_id}


def _membership(session: Session, person: Person) -> str:
    query = select(Membership).where(Membership.user_id == person.id, Membership.agency_id == person.agency_id)
    return str(session.scalars(query).one().public_id)


def member_routes(app: Flask) -> Iterator[tuple[Rule, str, RouteAccess]]:
    """(rule, method, access) of every route for members of an agency; what destroys comes last, so that it is there before."""
    access: dict[str, RouteAccess] = app.extensions["access"]
    found = [
        (rule, method, access[rule.endpoint])
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if rule.endpoint in access and access[rule.endpoint].label.startswith("member: ")
    ]
    yield from sorted(found, key=lambda one: (one[1] != "GET", _destroys(one[0].rule), one[0].rule))


def _destroys(rule: str) -> int:
    return (
        1 + ("remove" in rule)
        if any(word in rule for word in ("revoke", "delete", "archive", "remove", "end", "pause"))
        else 0
    )
