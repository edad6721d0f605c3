"""One agency with one of everything that an address can name: for sweeps over all routes."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO

from flask import Flask
from sqlalchemy import select, text
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
from app.fleet.models import Rollout, RolloutSite, RunItem
from app.fleet.models import Run as FleetRun
from app.gateway.actions import create_key
from app.inbound.models import Receipt
from app.inbound.setup import seal_body
from app.installs.models import Install, Move
from app.installs.since import file_name
from app.lib.clock import utcnow
from app.lib.ids import encode, uuid7
from app.lib.storage import storage
from app.marketplace.models import Rating
from app.modules.actions import upload_package
from app.modules.models import Module, Version
from app.modules.package import write_package
from app.oauth.actions import create_application
from app.oauth.models import Grant
from app.pages.actions import create_page, publish_page
from app.pages.content import Content
from app.pages.structure import add_redirect
from app.queue.models import JobRun
from app.rollouts.models import Rehearsal
from app.rollouts.putback.models import PutBack
from app.runtime.context import load_install
from app.runtime.data import Access, Data, Surface
from app.runtime.files.actions import store_file
from app.runtime.files.queries import upload_fields
from app.runtime.functions.breaker import MOST_FAILURES, breakers
from app.runtime.functions.errors import FunctionFailed
from app.runtime.trials.actions import start_trial
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
NOTE = b"export default function (ctx, input) { return null; }"
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
functions:
  note: {{file: note.js}}
inbound:
  told:
    title: Notes from elsewhere
    call: note
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
      above: {{type: ref, to: notes, on_delete: set_null}}
      due: {{type: datetime}}
    states: {{field: state, moves: {{open: [done], done: [open]}}}}
    access: {{public: [], staff: [read, create, update, delete], api: [read]}}
    audit: true
views:
  notes: {{type: list, table: notes, columns: [title, state, folder], filters: [state], search: true, export: csv, import: csv}}
  progress: {{type: board, table: notes, by: state, card: [title, folder]}}
  outline: {{type: tree, table: notes, parent: above}}
  days: {{type: calendar, table: notes, from: due}}
  plan: {{type: timeline, table: notes, from: due}}
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

# Acts of the visual editors name a part of the project, which is the starter "list". Those that add come first, those that delete
# last (member_routes), so what is deleted is what was added, or what nothing before it needs.
OF_THE_PROJECT = {
    "builder.add_field": {"table": "items", "name": "unit", "type": "text"},
    "builder.change_field": {"table": "items", "field": "unit", "label": "Unit"},
    "builder.move_field": {"table": "items", "field": "unit", "to": "0"},
    "builder.try_field": {"table": "items", "field": "unit", "label": "Unit"},
    "builder.delete_field": {"table": "items", "field": "unit"},
    "builder.add_index": {"table": "items", "kind": "indexes", "fields": "kind"},
    "editor.correct_word": {
        "path": "module.yaml",
        "line": "1",
        "column": "1",
        "wrong": "manifest",
        "right": "manifest",
    },
    "builder.remove_index": {"table": "items", "kind": "indexes", "index": "0"},
    "builder.set_host": {"host": "api.example.com", "methods": "GET", "reason": "To look things up."},
    "builder.set_table": {"module": "crm", "table": "contacts", "fields": "name", "access": "read"},
    "builder.remove_permission": {"kind": "network", "index": "0"},
    "builder.add_group": {"label": "More", "name": "note", "type": "text"},
    "builder.change_group": {"group": "0", "label": "Look"},
    "builder.move_group": {"group": "0", "to": "0"},
    "builder.delete_group": {"group": "1"},
    "builder.add_setting": {"group": "0", "name": "motto", "type": "text"},
    "builder.change_setting": {"group": "0", "setting": "heading", "label": "Heading"},
    "builder.move_setting": {"group": "0", "setting": "heading", "to": "0"},
    "builder.delete_setting": {"group": "0", "setting": "heading"},
    "builder.add_table": {"name": "extras"},
    "builder.change_table": {"table": "items", "name": "items"},
    "builder.move_table": {"table": "items", "to": "0"},
    "builder.delete_table": {"table": "extras"},
    "builder.add_view": {"name": "overview", "type": "dashboard", "table": "items"},
    "builder.change_view": {"view": "items", "name": "items"},
    "builder.move_view": {"view": "items", "to": "0"},
    "builder.change_menu": {"view": "items", "menu": "items"},
    "builder.delete_view": {"view": "items"},
    "builder.add_card": {"view": "overview", "kind": "number", "table": "items"},
    "builder.change_card": {"view": "overview", "card": "0", "label": "Items"},
    "builder.move_card": {"view": "overview", "card": "0", "to": "0"},
    "builder.remove_card": {"view": "overview", "card": "0"},
}

ASKED = {"builder.undo_last": "?made=1&to=1"}  # what an address asks for behind its path


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
        return path + ASKED.get(rule.endpoint, "")


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
            "functions/note.js": NOTE,
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
        "version_id": version.public_id, "slug": slug, "module": slug, "table": "notes", "name": "notes", "board": "progress",
        "tree": "outline", "calendar": "days", "timeline": "plan",
        "connection": "calendar", "hook": "told", "event_type": "site.created",
        "field": "folder", "application_id": application.public_id, "grant_id": grant.public_id,
        "record_id": str(record.id), "file_id": str(scan.id), "batch": str(batch),
        "publisher_id": encode("agc", agency.id), "number": "1", "rating_id": _rating(world, module),
    }  # fmt: skip
    names |= {"page_name": "write", "token_id": embed_token.public_id}
    names |= _webhook(config, ada, site)
    names["receipt_id"] = _receipt(config, install)
    names |= _case(config, ada, install)
    names |= _automation(ada, site)
    names["tryout_id"] = _tryout(ada, version)
    names["run_id"] = _failed_job(ada)
    names["failure_id"] = _failure(ada)
    names["function"] = _resting_function(install)
    names |= _fleet(ada, install)
    names["access_id"] = _support_access(ada)
    names |= _page(ada, site)
    names["publication_id"] = _publication(ada, slug)
    names["search_id"] = _saved_search(ada)
    names["domain_id"] = added_domain(site, f"{new_slug('shop')}.com").public_id
    names |= _project(ada)
    names |= _move(ada, install)
    names["rehearsal_id"] = _rehearsal(ada, install)
    names["key"], names["sent"] = "list", _zip_to_import(Browser(app, ada), names["project_id"])
    names["token"] = _file_to_import(Browser(app, ada), install)
    bodies = {
        "workspace.move_card": {"card": str(record.id), "version": "1", "to": "done"},
        "inbound.enter": {"told-secret": "whsec_" + "QUJD" * 11},
        "installs.save_role": {"user": encode("usr", vic.id), "role": "writer"},
        "rollouts.upgrade": {"version": version.public_id},
        "rollouts.rehearse": {"version": version.public_id},
        "tenancy.change_role": {"role": "viewer"},
        "fleet_settings.choose": {"ids": install.public_id, "setting": "accent"},
        "fleet_settings.start": {
            "ids": install.public_id,
            "reviewed": '{"name": "accent", "value": "#102030", "back": false}',
        },
        "fleet_rollouts.skip": {"install": install.public_id},
        **OF_THE_PROJECT,
        "editor.restore": {
            "path": "templates/prices.html",
            "revision": "1",
        },  # without a path all files, of which there were none
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


def _fleet(ada: Person, install: Install) -> dict[str, str]:
    """A run that was called off, and a release that stopped at its site."""
    run = FleetRun(id=uuid7(), agency_id=install.agency_id, kind="pause", status="cancelled", ordered_name="Ada")
    rollout = Rollout(
        id=uuid7(), agency_id=install.agency_id, module_id=install.module_id, version_id=install.version_id,
        status="stopped", reason="Harbour Dental: it failed.", started_at=utcnow(), changed_at=utcnow(),
    )  # fmt: skip
    item = {"agency_id": install.agency_id, "install_id": install.id}
    with tenant_scope(ada.agency_id, user_id=ada.id), transaction(db.session()) as session:
        session.add_all([run, rollout])
        session.flush()
        session.add(RunItem(run_id=run.id, position=0, state="skipped", detail="It is paused.", **item))
        session.add(
            RolloutSite(
                rollout_id=rollout.id, ring="all", state="unhealthy", detail="It failed.", changed_at=utcnow(), **item
            )
        )
        return {"fleet_run_id": run.public_id, "rollout_id": rollout.public_id}


def _rehearsal(ada: Person, install: Install) -> str:
    made = Rehearsal(
        id=uuid7(), agency_id=install.agency_id, site_id=install.site_id, install_id=install.id,
        from_version_id=install.version_id, to_version_id=install.version_id, status="failed", failure="It was stopped.",
        created_at=utcnow(), changed_at=utcnow(),
    )  # fmt: skip
    with tenant_scope(ada.agency_id, user_id=ada.id), transaction(db.session()) as session:
        session.add(made)
    return made.public_id


def _receipt(config: Config, install: Install) -> str:
    """A message that another service has sent."""
    receipt_id = uuid7()
    received = Receipt(
        id=receipt_id, agency_id=install.agency_id, site_id=install.site_id, install_id=install.id, name="told",
        message_id="msg_1", body_sealed=seal_body(config.secret_keys, receipt_id, "{}"), size_bytes=2, status="done",
        due_at=utcnow(), received_at=utcnow(), finished_at=utcnow(),
    )  # fmt: skip
    with tenant_scope(install.agency_id), transaction(db.session()) as session:
        session.add(received)
    return received.public_id


def _move(ada: Person, install: Install) -> dict[str, str]:
    """A rollback that has left a file, and a run over it that stopped."""
    undone, back = (
        Move(
            id=uuid7(), agency_id=install.agency_id, site_id=install.site_id, install_id=install.id, kind=kind,
            from_version_id=install.version_id, to_version_id=install.version_id, state=state, ordered_at=utcnow(),
            keep_until=utcnow() + timedelta(days=30),
        )
        for kind, state in (("upgrade", "undone"), ("rollback", "settled"))
    )  # fmt: skip
    back.undoes_id, back.file_rows = undone.id, {"created": 0, "changed": 0, "deleted": 0, "not_held": 0}
    back.records = "put_back"
    head = b'{"format":1,"gone_back_at":"2026-01-31T12:00:00Z"}\n'
    line = b'{"table":"gone","id":"01990000-0000-7000-8000-000000000000","change":"deleted","stays":false,'
    storage().write(file_name(install.agency_id, back.id), head + line + b'"values":null,"before":{},"not_held":[]}\n')
    stopped = PutBack(
        id=uuid7(), agency_id=install.agency_id, site_id=install.site_id, install_id=install.id, move_id=back.id,
        batch=uuid7(), chosen=[1], status="failed", failure="It was stopped.", created_at=utcnow(), changed_at=utcnow(),
    )  # fmt: skip
    with tenant_scope(ada.agency_id, user_id=ada.id), transaction(db.session()) as session:
        session.add(undone)
        session.flush()
        session.add(back)
        session.flush()
        session.add(stopped)
    return {"move_id": back.public_id, "put_back_id": stopped.public_id}


def _tryout(ada: Person, version: Version) -> str:
    """The module tried out; no job has made its tables."""
    with tenant_scope(ada.agency_id, user_id=ada.id), transaction(db.session()) as session:
        return start_trial(session, version=version, by=ada.actor, now=utcnow()).public_id


def _publication(ada: Person, slug: str) -> str:
    """A second version of the module that somebody has ordered to be published."""
    files = {"module.yaml": MANIFEST.format(slug=slug).replace("1.0.0", "1.0.1").encode(), "icon.svg": ICON}
    with tenant_scope(ada.agency_id, user_id=ada.id), transaction(db.session()) as session:
        read = package({**files, "templates/write.html": PAGE, "functions/note.js": NOTE})
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


def _failure(ada: Person) -> str:
    """A fault of ours on a page of the agency."""
    failure_id = uuid7()
    with platform_scope("test world"), transaction(db.session()) as session:
        session.execute(
            text(
                "INSERT INTO failed_requests (id, at, request_id, agency_id, surface, method, path, status)"
                " VALUES (:id, now(), 'req_x', :agency, 'platform', 'GET', '/x', 500)"
            ),
            {"id": failure_id, "agency": ada.agency_id},
        )
    return encode("flr", failure_id)


def _resting_function(install: Install) -> str:
    """A function of the install that failed so often that it rests."""
    for _ in range(MOST_FAILURES):
        with suppress(FunctionFailed), breakers.guarding(install.id, "remind", waited_for=False):
            raise FunctionFailed()
    return "remind"


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


def _zip_to_import(ada: Browser, project_id: str) -> str:
    """A zip whose differences from a project can be looked at."""
    given = (BytesIO(write_package(starter_files("crud"))), "module.zip")
    answer = ada.post(f"/studio/projects/{project_id}/replace", {"package": given})
    return (answer.where or "").rsplit("/", 1)[1]


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
    if "replace" in rule:
        return 3  # puts other files in the place of a project's: after everything that is in it
    return (
        1 + ("remove" in rule)
        if any(word in rule for word in ("revoke", "delete", "archive", "remove", "end", "pause"))
        else 0
    )
