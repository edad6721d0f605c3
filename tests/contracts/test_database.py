"""The database keeps tenants apart by itself: read from the catalogue of a migrated database, not from our files."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask
from sqlalchemy import inspect

import app.accounts.models
import app.events.models
import app.mail.models
import app.tenancy.models  # noqa: F401  # the factory imports the rest
from app.config import Config
from app.db.base import Base
from app.db.roles import LOGIN_ROLES
from tests.support.schema import describe, expected_file

NOT_A_TENANTS = {"schema_migrations"}


@pytest.fixture(scope="module")
def catalogue(wired: Config) -> Iterator[psycopg.Connection]:
    with psycopg.connect(wired.database_url, autocommit=True) as connection:
        yield connection


def _tables(catalogue: psycopg.Connection, condition: str = "true") -> set[str]:
    rows = catalogue.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND ({condition})"
    )
    return {row[0] for row in rows}


def test_D2_every_table_forces_row_level_security(catalogue: psycopg.Connection) -> None:
    unforced = _tables(catalogue, "NOT (c.relrowsecurity AND c.relforcerowsecurity)")
    assert unforced == NOT_A_TENANTS


def test_D2_every_table_has_a_policy(catalogue: psycopg.Connection) -> None:
    bare = _tables(catalogue, "NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) AND NOT c.relispartition")
    assert bare == NOT_A_TENANTS


def test_D1_the_roles_that_sign_in_own_nothing_and_bypass_nothing(catalogue: psycopg.Connection) -> None:
    rows = catalogue.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY (%s) "
        "AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolinherit)",
        [list(LOGIN_ROLES)],
    ).fetchall()
    owned = catalogue.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = ANY (%s)",
        [list(LOGIN_ROLES)],
    ).fetchall()
    assert (rows, owned) == ([], [])


def test_D7_nobody_may_truncate_or_refer(catalogue: psycopg.Connection) -> None:
    rows = catalogue.execute(
        "SELECT grantee, table_name, privilege_type FROM information_schema.role_table_grants "
        "WHERE grantee LIKE 'dramac\\_%%' AND grantee <> current_user "
        "AND privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER') AND table_schema = 'public'"
    ).fetchall()
    assert rows == []


def test_D7_functions_with_their_owners_rights_pin_the_search_path(catalogue: psycopg.Connection) -> None:
    rows = catalogue.execute(
        "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
        "WHERE n.nspname = 'public' AND p.prosecdef "
        "AND NOT coalesce(p.proconfig, '{}')::text LIKE '%%search_path=public, pg_temp%%'"
    ).fetchall()
    assert rows == []


def test_tenant_tables_can_be_referred_to_only_together_with_their_agency(catalogue: psycopg.Connection) -> None:
    """A reference to a row that has an agency must carry the agency, or it could cross into another's."""
    rows = catalogue.execute(
        """
        SELECT k.conrelid::regclass::text, k.conname
        FROM pg_constraint k
        WHERE k.contype = 'f' AND array_length(k.confkey, 1) = 1
          AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = k.confrelid AND a.attname IN ('agency_id', 'site_id'))
          AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attname IN ('agency_id', 'site_id'))
          AND k.confrelid::regclass::text
            NOT IN ('module_source', 'module_versions', 'events', 'external_oauth_clients', 'module_ratings', 'module_requests')
        """
    ).fetchall()
    # module_source and module_versions are referred to by other agencies on purpose: they install them.
    # An application is let in by people of other agencies than its publisher's.
    # A delivery belongs to its event, of whatever agency.
    # A rating is found helpful or reported, and a request for a module wanted too, by other agencies than its author's.
    assert rows == []


def test_models_and_tables_say_the_same(platform_app: Flask, catalogue: psycopg.Connection) -> None:
    columns = {
        (row[0], row[1], row[2] == "YES")
        for row in catalogue.execute(
            "SELECT table_name, column_name, is_nullable FROM information_schema.columns WHERE table_schema = 'public'"
        )
    }
    mapped = {
        (mapper.local_table.name, column.name, bool(column.nullable))  # type: ignore[attr-defined]
        for mapper in Base.registry.mappers
        for column in inspect(mapper).local_table.columns
    }
    tables = {table for table, _, _ in mapped}
    assert {entry for entry in columns if entry[0] in tables} == mapped


def test_schema_sql_is_what_the_migrations_make(catalogue: psycopg.Connection) -> None:
    """`make fix` does not rewrite it: run `python -m tests.support.schema` after a migration and read the difference."""
    assert describe(catalogue) == expected_file().read_text()
