"""Trying a module out: a live sandbox that has no effect outside and leaves nothing behind."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.access.actors import SYSTEM
from app.access.permissions import Role
from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.errors import NotFound
from app.lib.clock import utcnow
from app.lib.ids import decode, uuid7
from app.lib.storage import storage
from app.modules.models import Version
from app.runtime.context import forget_install, load_install
from app.runtime.data import Access, Data, Surface
from app.runtime.functions.run import run_function
from app.runtime.pages import spam
from app.runtime.trials import jobs
from app.runtime.trials.actions import HUES, LASTS, MOST
from app.runtime.trials.models import Trial, schema_of
from app.runtime.trials.queries import wait_until_made
from tests.support.packages import first_party, notes
from tests.support.publishing import new_slug, released
from tests.support.world import Person, World
from tests.web.conftest import Browse


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.agency(hue=7))


@pytest.fixture(scope="module")
def workshop(config: Config, platform_app: Flask) -> Version:
    """A module that uses everything a manifest can say, open to everybody."""
    with platform_app.app_context():
        publisher = World(config).person(World(config).agency("Publisher"))
        files = first_party("_example")
        manifest = re.sub(rb"(?m)^slug: .*$", f"slug: {new_slug()}".encode(), files["module.yaml"])
        asks = re.sub(rb"(?m)^.*Enter the key first.*$", b"", files["functions/holidays.js"])
        return released(publisher, {**files, "module.yaml": manifest, "functions/holidays.js": asks}, tier="public")


def slug_of(version: Version) -> str:
    return str(version.manifest["slug"])


def begin(browse: Browse, person: Person, version: Version) -> Trial:
    """Click "Try it" and let the job run."""
    page = browse(person).post(f"/marketplace/{slug_of(version)}/try", {})
    assert page.where is not None
    assert page.where.startswith("/trials/"), page.where
    trial_id = decode("try", page.where.rpartition("/")[2])
    make(person, trial_id)
    return kept(trial_id)


def make(person: Person, trial_id: UUID) -> None:
    with tenant_scope(person.agency_id):
        jobs.make(str(trial_id))
        db.session.remove()


def kept(trial_id: UUID) -> Any:
    with platform_scope("test"), transaction(db.session()) as session:
        found = session.get(Trial, trial_id)
        if found is not None:
            session.expunge(found)
        return found


def end_at_once(trial: Trial) -> None:
    """As if its hour were over."""
    with platform_scope("test"), transaction(db.session()) as session:
        session.get_one(Trial, trial.id).ends_at = utcnow() - timedelta(seconds=7)
    forget_install()


def traces(config: Config, *ids: UUID) -> list[str]:
    """Every table of the platform in which a text of one of the ids stands, schemas and roles of the name, stored files."""
    found = []
    texts = [text for one in ids for text in (str(one), one.hex)]
    with psycopg.connect(config.database_url, autocommit=True) as owner:
        tables = owner.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
        for (table,) in tables.fetchall():
            for text in texts:
                owner.execute("BEGIN")
                owner.execute("SELECT set_config('role', 'dramac_staff', true)")
                try:
                    query = f'SELECT count(*) FROM public."{table}" t WHERE t::text LIKE %s'  # of the catalogue
                    if owner.execute(query, [f"%{text}%"]).fetchall()[0][0]:  # type: ignore[call-overload]
                        found.append(table)
                except psycopg.errors.InsufficientPrivilege:
                    pass
                owner.execute("ROLLBACK")
        for text in texts:
            named = owner.execute(
                "SELECT nspname FROM pg_namespace WHERE nspname LIKE %(t)s"
                " UNION ALL SELECT rolname FROM pg_roles WHERE rolname LIKE %(t)s"
                " UNION ALL SELECT relname FROM pg_class WHERE relname LIKE %(t)s",
                {"t": f"%{text}%"},
            ).fetchall()
            found += [row[0] for row in named]
    found += [str(path) for path in storage().root.rglob("*") if any(text in str(path) for text in texts)]
    return found


def test_try_it_gives_the_public_pages_with_sample_records_in_the_agencys_colour(
    browse: Browse, ada: Person, workshop: Version, runtime_app: Flask
) -> None:
    trial = begin(browse, ada, workshop)
    page = browse(ada).get(f"/trials/{trial.public_id}")
    assert page.status == 200
    frame = page.one("iframe")
    assert frame["src"] == f"http://127.0.0.1:8001/embed/{trial.install_id}/courses?theme=auto"
    assert frame["sandbox"] == ["allow-scripts", "allow-forms"]
    assert page.texts(".tab-links a") == ["Courses", "Next", "Book a place", "Staff screens"]
    shown = visit(runtime_app, trial, "courses")
    assert "Pots and bowls" in shown.text
    assert HUES[7] in shown.text
    assert "frame-ancestors http://localhost:8000;" in shown.headers["Content-Security-Policy"] + ";"
    assert shown.headers["X-Robots-Tag"] == "noindex"


def test_a_waiting_trial_asks_again_by_itself_and_then_shows_the_page(
    browse: Browse, ada: Person, workshop: Version
) -> None:
    where = browse(ada).post(f"/marketplace/{slug_of(workshop)}/try", {}).where
    assert where is not None
    waiting = browse(ada).get(where)
    assert "every 150ms" in str(waiting.one("#trial"))
    assert not waiting.html.select("iframe")
    make(ada, decode("try", where.rpartition("/")[2]))
    assert browse(ada).get(where, htmx=True).html.select("iframe")


def test_whoever_waits_for_a_trial_hears_when_it_is_made(browse: Browse, ada: Person, workshop: Version) -> None:
    trial, began = begin(browse, ada, workshop), time.monotonic()
    for _ in range(2):  # each of several who wait
        wait_until_made(trial.id, at_most_s=20)
    assert time.monotonic() - began < 20
    wait_until_made(uuid7(), at_most_s=0.1)  # of one that is never made only for so long


def test_what_is_tried_has_no_effect_outside(
    browse: Browse, ada: Person, workshop: Version, config: Config, runtime_app: Flask
) -> None:
    trial = begin(browse, ada, workshop)
    before = traces(config, trial.id, trial.site_id)
    assert sorted(set(before)) == ["module_trials", schema_of(trial.id)]
    # a visitor books: the function before it runs and may refuse, the events and letters after it go nowhere
    course = id_of(trial, "courses", "Pots and bowls")
    sent = book(runtime_app, trial, course=course)
    assert sent.status_code == 303, sent.text[:2000]
    # a colleague works: a new record, a change, a delete with what goes with it, and the way back
    staff = browse(ada)
    base = f"/installs/{trial.install_id}/records"
    listed = staff.get(f"{base}/bookings")
    assert "Bo Visitor" in listed.text
    assert "Gone in" in listed.one(".trial-bar").get_text()
    assert staff.post(f"{base}/topics/new", {"v-name": "Glass"}).status == 303
    deleted = staff.post(f"{base}/topics/{id_of(trial, 'topics', 'Glass')}/delete", {})
    assert deleted.status == 303
    # and code asks for what would leave
    context = load_install(trial.id)
    booking = Data(context, Access(Surface.SYSTEM, SYSTEM)).list("bookings").records[0]
    run_function(context, "confirm", {"record": booking}, trigger="call", actor=SYSTEM)  # a letter
    assert (
        run_function(context, "pay", {"booking": booking["id"], "amount": 100}, trigger="call", actor=SYSTEM)["lot"]
        == "P-1"
    )
    assert sorted(set(traces(config, trial.id, trial.site_id))) == ["module_trials", schema_of(trial.id)]


def test_calls_of_other_servers_are_refused(browse: Browse, ada: Person, workshop: Version) -> None:
    trial = begin(browse, ada, workshop)
    said = run_function(load_install(trial.id), "holidays", {}, trigger="call", actor=SYSTEM)
    assert said == {"works": False, "why": "What is tried out calls no other servers. Install the module for that."}


def test_within_the_hour_nothing_is_left_of_it(
    browse: Browse, ada: Person, workshop: Version, config: Config, runtime_app: Flask
) -> None:
    trial = begin(browse, ada, workshop)
    book(runtime_app, trial, course=id_of(trial, "courses", "Pots and bowls"))
    assert trial.ends_at - trial.created_at == LASTS
    assert LASTS + jobs.SETTLE + timedelta(seconds=20) < timedelta(minutes=60)
    end_at_once(trial)
    assert browse(ada).get(f"/trials/{trial.public_id}").status == 404
    assert browse(ada).get(f"/installs/{trial.install_id}/records").status == 404
    assert visit(runtime_app, trial, "courses").status_code == 404
    jobs.sweep()
    assert traces(config, trial.id, trial.site_id) == []


@pytest.mark.parametrize("place", ["drop_apart", "storage", "delete"])
def test_a_worker_killed_while_cleaning_leaves_what_the_next_one_finds(
    browse: Browse, ada: Person, workshop: Version, config: Config, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    trial = begin(browse, ada, workshop)
    storage().write(f"files/{trial.agency_id}/{trial.id}/left", b"x")
    end_at_once(trial)

    class Killed(BaseException):
        pass

    def killed(*args: Any, **named: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(jobs, place, killed)
        with pytest.raises(Killed):
            jobs.sweep()
    db.session.remove()
    assert kept(trial.id) is not None  # the row goes last
    jobs.sweep()
    assert traces(config, trial.id, trial.site_id) == []


def test_a_worker_killed_while_making_is_cleaned_up_after(
    browse: Browse, ada: Person, workshop: Version, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = browse(ada).post(f"/marketplace/{slug_of(workshop)}/try", {}).where
    assert where is not None
    trial_id = decode("try", where.rpartition("/")[2])

    class Killed(BaseException):
        pass

    def killed(trial_id: UUID) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "load_trial", killed)
        with pytest.raises(Killed):
            make(ada, trial_id)
    db.session.remove()
    assert schema_of(trial_id) in traces(config, trial_id)
    jobs.sweep()
    assert kept(trial_id) is not None  # it may yet be under way
    with platform_scope("test"), transaction(db.session()) as session:
        session.get_one(Trial, trial_id).created_at = utcnow() - jobs.STALLED
    jobs.sweep()
    assert traces(config, trial_id) == []


def test_a_schema_without_a_trial_is_dropped(config: Config, world: World) -> None:
    stray = UUID("12345678-1234-4234-8234-123456789abc")
    with psycopg.connect(config.database_url, autocommit=True) as owner:
        owner.execute(f"CREATE SCHEMA {schema_of(stray)}")  # type: ignore[call-overload]
    jobs.sweep()
    assert traces(config, stray) == []


def test_a_trial_that_cannot_be_made_says_so_and_leaves_no_tables(
    browse: Browse, ada: Person, workshop: Version, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = browse(ada).post(f"/marketplace/{slug_of(workshop)}/try", {}).where
    assert where is not None

    def broken(trial_id: UUID) -> None:
        raise NotFound("The sample is broken.")

    monkeypatch.setattr(jobs, "load_trial", broken)
    trial_id = decode("try", where.rpartition("/")[2])
    make(ada, trial_id)
    page = browse(ada).get(where)
    assert "It could not be made ready" in page.text
    assert "The sample is broken." in page.text
    assert traces(config, trial_id) == ["module_trials"]


def test_end_now_ends_it_for_everybody_at_once(
    browse: Browse, ada: Person, workshop: Version, runtime_app: Flask, config: Config
) -> None:
    trial = begin(browse, ada, workshop)
    assert visit(runtime_app, trial, "courses").status_code == 200
    ended = browse(ada).post(f"/trials/{trial.public_id}/end", {})
    assert ended.where == f"/marketplace/{slug_of(workshop)}"
    forget_install(trial.id)  # what the announcement makes every process do
    assert visit(runtime_app, trial, "courses").status_code == 404
    with platform_scope("test"), transaction(db.session()) as session:
        session.get_one(Trial, trial.id).ends_at -= jobs.SETTLE
    jobs.sweep()
    assert traces(config, trial.id) == []


def test_a_second_click_gives_the_same_trial_and_an_agency_has_only_so_many(
    browse: Browse, world: World, workshop: Version
) -> None:
    agency = world.agency()
    people = [world.person(agency, name=f"Person {number}") for number in range(MOST + 1)]
    first = begin(browse, people[0], workshop)
    assert browse(people[0]).post(f"/marketplace/{slug_of(workshop)}/try", {}).where == f"/trials/{first.public_id}"
    for person in people[1:MOST]:
        begin(browse, person, workshop)
    refused = browse(people[MOST]).post(f"/marketplace/{slug_of(workshop)}/try", {})
    assert refused.where == f"/marketplace/{slug_of(workshop)}"
    told = browse(people[MOST]).get(refused.where)
    assert told.status == 200
    browse(people[0]).post(f"/trials/{first.public_id}/end", {})
    begin(browse, people[MOST], workshop)


def test_only_what_the_agency_may_have_by_whom_may_install(browse: Browse, world: World, ada: Person) -> None:
    inside = released(world.person(world.agency("Elsewhere")), notes(new_slug()))
    assert browse(ada).post(f"/marketplace/{slug_of(inside)}/try", {}).status == 404
    own = released(ada, notes(new_slug()))
    viewer = world.person(world.agency(), Role.VIEWER)
    assert browse(viewer).post(f"/marketplace/{slug_of(own)}/try", {}).status in (403, 404)
    trial = begin(browse, ada, own)
    stranger = world.person(world.agency("Strangers"))
    assert browse(stranger).get(f"/trials/{trial.public_id}").status == 404
    assert browse(stranger).post(f"/trials/{trial.public_id}/end", {}).status == 404
    assert browse(stranger).get(f"/installs/{trial.install_id}/records").status == 404
    assert browse(ada).get(f"/installs/{trial.install_id}/records/notes").status == 200


def test_screens_of_installs_do_not_know_trials(browse: Browse, ada: Person, workshop: Version) -> None:
    trial = begin(browse, ada, workshop)
    for path in (
        "",
        "/settings",
        "/api",
        "/embed",
        "/health",
        "/logs",
        "/records/courses/export.csv",
        "/records/courses/import",
    ):
        assert browse(ada).get(f"/installs/{trial.install_id}{path}").status == 404, path
    assert "Workshop" not in browse(ada).get("/installs").text
    assert browse(ada).get("/sites").status == 200


def test_a_module_that_needs_another_is_not_tried_alone(browse: Browse, ada: Person) -> None:
    files = notes(new_slug())
    files["module.yaml"] += b'requires: [{module: enquiries, version: ">=1.0"}]\n'
    version = released(ada, files)
    page = browse(ada).get(f"/marketplace/{slug_of(version)}")
    assert "so it cannot be tried out by itself" in page.text
    assert browse(ada).post(f"/marketplace/{slug_of(version)}/try", {}).where == f"/marketplace/{slug_of(version)}"


# -- how


def visit(app: Flask, trial: Trial, page: str) -> Any:
    client: FlaskClient = app.test_client()
    return client.get(f"/embed/{trial.install_id}/{page}")


def book(app: Flask, trial: Trial, *, course: str) -> Any:
    keys = app.config["DRAMAC"].secret_keys
    issued = int((utcnow() - timedelta(seconds=30)).timestamp())
    stamp = spam.make_stamp(keys, trial.id, "book", now=utcnow(), issued=issued)
    words = {"course": course, "name": "Bo Visitor", "email": "bo@example.test", "terms": "on"}
    return app.test_client().post(f"/embed/{trial.install_id}/book", data={**words, spam.STAMP: stamp, spam.TRAP: ""})


def id_of(trial: Trial, table: str, name: str) -> str:
    data = Data(load_install(trial.id), Access(Surface.SYSTEM, SYSTEM))
    return next(str(row["id"]) for row in data.list(table).records if name in (row.get("title"), row.get("name")))
