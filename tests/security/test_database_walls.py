"""The walls of PostgreSQL by themselves: what a statement could do if the application forgot to ask."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import errors

from app.config import Config
from app.lib.ids import uuid7
from tests.security.conftest import NOTES, Enter, House
from tests.support.installed import put_on_site
from tests.support.world import World

# Every function that works with its owner's rights, and who may call it. A new one has to be written down here.
CALLERS = {
    "api_key_by_hash": {"dramac_runtime"},
    "analytics_agencies": {"dramac_runtime"},
    "analytics_partitions": {"dramac_staff"},
    "api_keys_used": {"dramac_runtime"},
    "api_origin_known": {"dramac_runtime"},
    "blob_known": {"dramac_app", "dramac_staff"},
    "domain_at": {"dramac_runtime"},
    "domain_callers": {"dramac_runtime"},
    "domain_calls": {"dramac_runtime"},
    "domain_embedders": {"dramac_runtime"},
    "domain_platforms": {"dramac_runtime"},
    "audit_let_go": {"dramac_staff"},
    "entitlement_of": {"dramac_app", "dramac_runtime", "dramac_staff"},
    "entitlement_try": {"dramac_app"},
    "publisher_analytics": {"dramac_app"},
    "publisher_here_now": {"dramac_app"},
    "publisher_retention": {"dramac_app"},
    "publisher_key_known": {"dramac_app", "dramac_staff"},
    "release_figures": {"dramac_app"},
    "release_held_back": {"dramac_app"},
    "release_log_end": {"dramac_app", "dramac_staff"},
    "release_log_page": {"dramac_app", "dramac_staff"},
    "runtime_setting_levels": {"dramac_runtime", "dramac_staff"},
    "runtime_trial": {"dramac_runtime", "dramac_staff"},
    "version_use": {"dramac_app", "dramac_staff"},
    "enrolled_listings": {"dramac_app"},
    "embed_closed_pages": {"dramac_runtime"},
    "embed_token_alive": {"dramac_runtime"},
    "embed_token_used": {"dramac_runtime"},
    "marketplace_index": {"dramac_staff"},
    "marketplace_search": {"dramac_app"},
    "module_enrol": {"dramac_app"},
    "module_enrolled": {"dramac_app"},
    "module_rating_answer": {"dramac_app"},
    "module_slug_taken": {"dramac_app", "dramac_staff"},
    "oauth_access_by_hash": {"dramac_runtime"},
    "oauth_agency_of": {"dramac_runtime"},
    "oauth_client": {"dramac_runtime"},
    "oauth_client_name": {"dramac_app"},
    "oauth_introspect": {"dramac_runtime"},
    "oauth_origin_known": {"dramac_runtime"},
    "publisher_names": {"dramac_app", "dramac_staff"},
    "request_log_partitions": {"dramac_staff"},
    "runtime_connections": {"dramac_runtime"},
    "inbound_hook_at": {"dramac_runtime"},
    "recording_until": {"dramac_runtime"},
    "runtime_files": {"dramac_runtime", "dramac_staff"},
    "runtime_install": {"dramac_runtime", "dramac_staff"},
    "runtime_install_id": {"dramac_runtime", "dramac_staff"},
    "runtime_is_member": {"dramac_runtime"},
    "runtime_site_installs": {"dramac_runtime"},
    "runtime_member_email": {"dramac_runtime"},
    "runtime_speaks_for": {"dramac_runtime", "dramac_module"},
    "short_id_taken": {"dramac_app", "dramac_staff"},
    "support_agency": {"dramac_app"},
    "site_map_of": {"dramac_runtime"},
    "site_page_at": {"dramac_runtime"},
    "site_page_preview": {"dramac_runtime"},
    "version_open_to": {"dramac_app"},
}


@pytest.fixture
def owner(wired: Config) -> Any:
    with psycopg.connect(wired.database_url, autocommit=True) as connection:
        yield connection


# -- D7: functions with their owner's rights


def test_D7_functions_with_owner_rights_have_exactly_their_callers(owner: psycopg.Connection) -> None:
    rows = owner.execute(
        """
        SELECT p.proname, r.rolname FROM pg_proc p
        CROSS JOIN (VALUES ('public'), ('dramac_app'), ('dramac_runtime'), ('dramac_staff'), ('dramac_module')) r (rolname)
        WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef AND has_function_privilege(r.rolname, p.oid, 'EXECUTE')
        """
    ).fetchall()
    found: dict[str, set[str]] = {}
    for function, role in rows:
        found.setdefault(function, set()).add(role)
    assert {name: found.get(name) for name in CALLERS} == {name: set(roles) for name, roles in CALLERS.items()}
    assert sorted(name for name, roles in found.items() if "public" in roles) == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT runtime_install(%(id)s)",
        "SELECT runtime_files(%(id)s)",
        "SELECT runtime_install_id(%(id)s, 'notes')",
        "SELECT api_key_by_hash('\\x00')",
        "SELECT api_keys_used(ARRAY[%(id)s]::uuid[], ARRAY[now()], ARRAY['192.0.2.1'::inet])",
        "SELECT runtime_member_email(%(id)s, %(id)s)",
        "SELECT publisher_names(ARRAY[%(id)s]::uuid[])",
        "SELECT blob_known(ARRAY['x'])",
    ],
)
def test_D7_a_modules_role_looks_nothing_up(ours: House, theirs: House, enter: Enter, statement: str) -> None:
    role = ours.notes.data.context.role
    with (
        enter("dramac_runtime", role=role, **ours.site_scope) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        connection.execute(statement, {"id": theirs.notes.install.id})


@pytest.mark.parametrize("function", ["runtime_install", "runtime_files"])
def test_D7_requests_of_an_agency_do_not_read_installs_by_guessing_ids(
    ours: House, theirs: House, enter: Enter, function: str
) -> None:
    with enter("dramac_app", **ours.scope) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(f"SELECT * FROM {function}(%s)", [theirs.notes.install.id])


# -- D5: every table, every scope


def _tables(connection: psycopg.Connection, privilege: str) -> list[str]:
    rows = connection.execute(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') "
        "AND has_table_privilege(c.oid, %s) ORDER BY 1",
        [privilege],
    )
    return [row[0] for row in rows]


@pytest.mark.parametrize("login", ["dramac_app", "dramac_runtime"])
def test_D3_without_a_scope_no_table_shows_a_row(ours: House, enter: Enter, login: str) -> None:
    with enter(login) as connection:
        found = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # from the catalogue
            for table in _tables(connection, "SELECT")
        }
    assert {table: row for table, row in found.items() if row != (0,)} == {}
    assert len(found) >= 4


def test_D5_with_one_agencys_scope_no_table_shows_a_row_of_another(ours: House, theirs: House, enter: Enter) -> None:
    with enter("dramac_app", **ours.scope) as connection:
        tables = [
            row[0]
            for row in connection.execute(
                "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'agency_id'"
            )
            if row[0] in _tables(connection, "SELECT")
        ]
        found = {
            table: connection.execute(
                f"SELECT count(*) FROM {table} WHERE agency_id = %s",  # from the catalogue
                [theirs.agency.id],
            ).fetchone()
            for table in tables
        }
    assert {table: row for table, row in found.items() if row != (0,)} == {}
    assert len(found) >= 15


@pytest.mark.parametrize("privilege", ["UPDATE", "DELETE"])
def test_D5_with_one_agencys_scope_no_row_of_another_is_touched(
    ours: House, theirs: House, enter: Enter, privilege: str
) -> None:
    with enter("dramac_app", **ours.scope) as connection:
        tables = set(_tables(connection, privilege)) & {
            "api_keys", "clients", "invitations", "memberships", "module_source", "module_versions", "modules_v2", "sites",
            "module_schedules", "module_member_roles",
        }  # fmt: skip
        verb = "UPDATE {} SET agency_id = agency_id" if privilege == "UPDATE" else "DELETE FROM {}"
        touched = {
            table: connection.execute(f"{verb.format(table)} WHERE agency_id = %s", [theirs.agency.id]).rowcount
            for table in tables
        }
    assert {table: count for table, count in touched.items() if count} == {}
    assert len(touched) >= 5


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sites SET agency_id = %(theirs)s WHERE agency_id = %(ours)s",
        "UPDATE clients SET agency_id = %(theirs)s WHERE agency_id = %(ours)s",
        "UPDATE memberships SET agency_id = %(theirs)s WHERE agency_id = %(ours)s",
        "UPDATE modules_v2 SET agency_id = %(theirs)s WHERE agency_id = %(ours)s",
        "UPDATE module_source SET agency_id = %(theirs)s WHERE agency_id = %(ours)s",
        "INSERT INTO clients (agency_id, name) VALUES (%(theirs)s, 'x')",
        "INSERT INTO memberships (agency_id, user_id, role) VALUES (%(theirs)s, %(person)s, 'owner')",
        "INSERT INTO audit_log (agency_id, actor, action) VALUES (%(theirs)s, 'x', 'x')",
        "INSERT INTO events (agency_id, type) VALUES (%(theirs)s, 'a.b')",
    ],
)
def test_D2_no_row_is_moved_or_made_in_another_agency(ours: House, theirs: House, enter: Enter, statement: str) -> None:
    values = {"ours": ours.agency.id, "theirs": theirs.agency.id, "person": ours.owner.id}
    with (
        enter("dramac_app", **ours.scope) as connection,
        pytest.raises((errors.InsufficientPrivilege, errors.ForeignKeyViolation)),
    ):
        connection.execute(statement, values)


# -- people in several agencies


def test_D5_a_membership_elsewhere_is_seen_but_not_moved_or_ended(world: World, ours: House, enter: Enter) -> None:
    elsewhere = world.agency("Elsewhere")
    with enter("dramac_staff") as staff:
        staff.execute(
            "INSERT INTO memberships (agency_id, user_id, role) VALUES (%s, %s, 'owner')", [elsewhere.id, ours.owner.id]
        )
        staff.commit()
    with enter("dramac_app", **ours.scope) as connection:
        seen = connection.execute("SELECT count(*) FROM memberships WHERE agency_id = %s", [elsewhere.id]).fetchone()
        moved = connection.execute(
            "UPDATE memberships SET agency_id = %s, role = 'viewer' WHERE agency_id = %s",
            [ours.agency.id, elsewhere.id],
        ).rowcount
        ended = connection.execute("DELETE FROM memberships WHERE agency_id = %s", [elsewhere.id]).rowcount
    assert (seen, moved, ended) == ((1,), 0, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE users SET staff_role = 'administrator' WHERE id = %(me)s",
        "UPDATE users SET disabled_at = NULL WHERE id = %(me)s",
        "UPDATE agencies SET suspended_at = NULL WHERE id = %(agency)s",
    ],
)
def test_A1_requests_raise_nobodys_own_standing(ours: House, enter: Enter, statement: str) -> None:
    with enter("dramac_app", **ours.scope) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement, {"me": ours.owner.id, "agency": ours.agency.id})


def test_A1_nobody_signs_up_as_staff(enter: Enter) -> None:
    with enter("dramac_app", identifying="on") as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(
            "INSERT INTO users (email, name, staff_role) VALUES ('eve@example.test', 'Eve', 'administrator')"
        )


def test_A1_finding_out_who_somebody_is_changes_no_invitation(ours: House, enter: Enter) -> None:
    with enter("dramac_staff") as staff:
        staff.execute(
            "INSERT INTO invitations (agency_id, email, role, token_hash, expires_at) "
            "VALUES (%s, %s, 'viewer', %s, now() + interval '1 day')",
            [ours.agency.id, f"{uuid7()}@example.test", uuid7().bytes],
        )
        staff.commit()
    with enter("dramac_app", identifying="on") as connection:
        changed = connection.execute("UPDATE invitations SET role = 'owner' WHERE agency_id = %s", [ours.agency.id])
        assert changed.rowcount == 0


# -- modules of others


def test_D8_an_unpublished_module_is_not_opened_by_installing_a_guessed_id(
    ours: House, theirs: House, enter: Enter
) -> None:
    install = theirs.notes.install
    with enter("dramac_app", **ours.scope) as connection:
        before = connection.execute("SELECT count(*) FROM module_source WHERE id = %s", [install.module_id]).fetchone()
        assert before == (0,)
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(
                "INSERT INTO modules_v2 (agency_id, site_id, module_id, version_id, status) VALUES (%s, %s, %s, %s, 'active')",
                [ours.agency.id, ours.site.id, install.module_id, install.version_id],
            )


def test_D8_an_install_is_of_a_version_of_its_own_module(ours: House, theirs: House, enter: Enter) -> None:
    with enter("dramac_app", **ours.scope) as connection, pytest.raises(errors.ForeignKeyViolation):
        connection.execute(
            "UPDATE modules_v2 SET version_id = %s WHERE id = %s",
            [theirs.notes.install.version_id, ours.notes.install.id],
        )


@pytest.mark.parametrize("whose", ["ours", "theirs"])
def test_U4_no_file_is_added_to_a_published_version(
    request: pytest.FixtureRequest, ours: House, theirs: House, enter: Enter, whose: str
) -> None:
    version_id = request.getfixturevalue(whose).notes.install.version_id
    with enter("dramac_app", **ours.scope) as connection:
        connection.execute("INSERT INTO module_blobs (sha256, content) VALUES (repeat('a', 64), 'evil')")
        with pytest.raises((errors.CheckViolation, errors.ForeignKeyViolation)):
            connection.execute(
                "INSERT INTO module_version_files (version_id, agency_id, path, sha256, size_bytes) "
                "VALUES (%s, %s, 'functions/evil.js', repeat('a', 64), 4)",
                [version_id, ours.agency.id],
            )


# -- module roles


def _event(install_id: object, *, site_id: object, agency_id: object) -> tuple[str, list[object]]:
    text = "INSERT INTO events (agency_id, site_id, install_id, type) VALUES (%s, %s, %s, 'note.created')"
    return text, [agency_id, site_id, install_id]


def test_D5_a_module_tells_events_of_its_own_install_only(
    world: World, ours: House, theirs: House, enter: Enter
) -> None:
    beside = put_on_site(ours.agency, ours.site, NOTES)
    role, here = ours.notes.data.context.role, {"site_id": ours.site.id, "agency_id": ours.agency.id}
    lies = {
        "another module of the site": _event(beside.install.id, **here),
        "another agency's install": _event(theirs.notes.install.id, **here),
        "no install": _event(None, **here),
        "another agency": _event(theirs.notes.install.id, site_id=theirs.site.id, agency_id=theirs.agency.id),
        "a site that is not the agency's": _event(
            ours.notes.install.id, site_id=ours.site.id, agency_id=theirs.agency.id
        ),
    }
    refused = []
    for name, (text, values) in lies.items():
        with enter("dramac_runtime", role=role, **ours.site_scope) as connection:
            try:
                connection.execute(text, values)
            except errors.InsufficientPrivilege:
                refused.append(name)
    with enter("dramac_runtime", role=role, **ours.site_scope) as connection:
        connection.execute(*_event(ours.notes.install.id, **here))
    assert refused == list(lies)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO mails (agency_id, site_id, install_id, kind, recipient, subject) "
        "VALUES (%(agency)s, %(site)s, %(install)s, 'x', 'x', 'x')",
        "INSERT INTO module_function_runs (agency_id, site_id, install_id, version, function, trigger, outcome) "
        "VALUES (%(agency)s, %(site)s, %(install)s, '1', 'f', 'route', 'ok')",
        "INSERT INTO module_done (agency_id, site_id, install_id, key) VALUES (%(agency)s, %(site)s, %(install)s, 'x')",
        "INSERT INTO events (agency_id, site_id, install_id, type) VALUES (%(agency)s, %(site)s, %(install)s, 'a.b')",
    ],
)
def test_D5_the_runtime_writes_nothing_in_the_name_of_an_install_elsewhere(
    ours: House, theirs: House, enter: Enter, statement: str
) -> None:
    foreign = {"agency": ours.agency.id, "site": ours.site.id, "install": theirs.notes.install.id}
    with enter("dramac_runtime", **ours.site_scope) as connection:
        with connection.transaction():
            connection.execute(statement, {**foreign, "install": ours.notes.install.id})
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement, foreign)


@pytest.mark.parametrize("schema_of", ["ours", "theirs"])
def test_D5_a_modules_role_reaches_no_other_schema_and_no_other_site(
    request: pytest.FixtureRequest, ours: House, theirs: House, enter: Enter, schema_of: str
) -> None:
    there: House = request.getfixturevalue(schema_of)
    there.notes.add("notes", title="theirs alone")
    schema, role = there.notes.data.context.schema, ours.notes.data.context.role
    with enter("dramac_runtime", role=role, site_id=uuid7(), agency_id=ours.agency.id) as connection:
        for table in ("notes", "_history", "_series"):
            try:
                with connection.transaction():
                    seen = connection.execute(f'SELECT count(*) FROM "{schema}"."{table}"').fetchone()
                assert (seen, schema_of) == ((0,), "ours")
            except errors.InsufficientPrivilege:
                assert schema_of == "theirs"


def test_D1_a_modules_role_sees_no_table_of_the_platform(ours: House, enter: Enter) -> None:
    with enter("dramac_runtime", role=ours.notes.data.context.role, **ours.site_scope) as connection:
        reachable = {
            privilege: _tables(connection, privilege)
            for privilege in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
        }
    assert reachable == {"SELECT": [], "INSERT": ["events"], "UPDATE": [], "DELETE": [], "TRUNCATE": []}


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE public.x (a int)", "CREATE SCHEMA x", "CREATE TABLE notes2 (a int)"]
)
@pytest.mark.parametrize("login", ["dramac_app", "dramac_runtime", "dramac_staff"])
def test_D1_nobody_who_signs_in_makes_tables(enter: Enter, login: str, statement: str) -> None:
    with enter(login) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement)


def test_D9_maintenance_mode_is_for_the_owner_alone(ours: House, enter: Enter) -> None:
    """Setting the owner's switch as a module's role must not silence the history."""
    record = ours.notes.add("notes", title="before")
    context = ours.notes.data.context
    with enter("dramac_runtime", role=context.role, maintenance="on", **ours.site_scope) as connection:
        connection.execute(f'DELETE FROM "{context.schema}".notes WHERE id = %s', [record["id"]])
        kept = connection.execute(
            f"SELECT count(*) FROM \"{context.schema}\"._history WHERE record_id = %s AND op = 'delete'", [record["id"]]
        ).fetchone()
    assert kept == (1,)
