"""What PostgreSQL's own catalogue says of a module's schema, against the layout it should have."""

from __future__ import annotations

import psycopg

from app.modules.storage.layout import Layout
from app.modules.storage.objects import CONSTRAINTS, INDEXES, TRIGGERS, link_objects, objects_of

_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, NULL), a.attnotnull, a.attgenerated <> ''
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = %(schema)s AND c.relkind = 'r' AND c.relname NOT LIKE '\\_%%'
"""
_OBJECTS = """
SELECT c.relname, k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND k.contype IN ('c', 'f', 'u', 'x', 't') AND k.conparentid = 0
UNION SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %(schema)s AND NOT t.tgisinternal AND t.tgenabled <> 'D'
UNION SELECT c.relname, i.relname FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND x.indisvalid
"""
_SAFETY = """
SELECT c.relname,
  c.relrowsecurity AND c.relforcerowsecurity,
  (SELECT array_agg(pg_get_expr(p.polqual, p.polrelid) = pg_get_expr(p.polwithcheck, p.polrelid)
                    AND pg_get_expr(p.polqual, p.polrelid) LIKE '(site_id = %%current_site_id%%'
                    AND p.polcmd = '*' AND p.polpermissive)
   FROM pg_policy p WHERE p.polrelid = c.oid) = ARRAY[true],
  (SELECT array_agg(a.privilege_type ORDER BY a.privilege_type) FROM aclexplode(c.relacl) a
   WHERE a.grantee = %(role)s::regrole),
  (SELECT count(*) FROM aclexplode(c.relacl) a WHERE a.grantee NOT IN (c.relowner, %(role)s::regrole))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind = 'r'
"""
_RIGHTS = ["DELETE", "INSERT", "SELECT", "UPDATE"]
_ROLE = """
SELECT r.rolcanlogin OR r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb,
       coalesce((SELECT m.set_option AND NOT m.inherit_option FROM pg_auth_members m
                 WHERE m.roleid = r.oid AND m.member = 'dramac_runtime'::regrole), false),
       has_schema_privilege(r.oid, %(schema)s, 'USAGE') AND NOT has_schema_privilege(r.oid, %(schema)s, 'CREATE')
FROM pg_roles r WHERE r.rolname = %(role)s
"""


def verify(connection: psycopg.Connection, layout: Layout, *, schema: str, role: str) -> list[str]:
    """Every difference between the catalogue and the layout, as sentences; [] when they are the same."""
    names = {"schema": schema, "role": role}
    row = connection.execute(_ROLE, names).fetchone() if _exists(connection, schema, role) else None
    if row is None:
        return [f"the schema or the role {schema} is missing"]
    found = []
    if row != (False, True, True):
        found.append(f"the role {role} has other rights than it should")
    return [
        *found,
        *_columns(connection, layout, names),
        *_objects(connection, layout, names),
        *_safety(connection, layout, names),
    ]


def _exists(connection: psycopg.Connection, schema: str, role: str) -> bool:
    return bool(
        connection.execute(
            "SELECT to_regnamespace(%s) IS NOT NULL AND to_regrole(%s) IS NOT NULL", [schema, role]
        ).fetchall()[0][0]
    )


_LINK = {
    ("site_id", "uuid", True, False),
    ("record_id", "uuid", True, False),
    ("target_id", "uuid", True, False),
    ("position", "integer", True, False),
}
_LONG = {"timestamptz": "timestamp with time zone", "time": "time without time zone"}


def _columns(connection: psycopg.Connection, layout: Layout, names: dict[str, str]) -> list[str]:
    wanted = {
        (table.name, column.name, _LONG.get(column.type, column.type), column.required, column.generated)
        for table in layout.tables
        for column in table.columns
    }
    wanted |= {(link.name, *column) for table in layout.tables for link in table.links for column in _LINK}
    there = set(connection.execute(_COLUMNS, names).fetchall())
    found = [f"the column {table}.{column} is missing or another" for table, column, *_ in sorted(wanted - there)]
    known = {(table, column) for table, column, *_ in wanted}
    return found + [
        f"the column {table}.{column} should not be there"
        for table, column, *_ in sorted(there - wanted)
        if (table, column) not in known
    ]


def _objects(connection: psycopg.Connection, layout: Layout, names: dict[str, str]) -> list[str]:
    kinds = CONSTRAINTS | INDEXES | TRIGGERS
    objects = [one for table in layout.tables for one in objects_of(table).values()]
    objects += [one for table in layout.tables for link in table.links for one in link_objects(link.name)]
    wanted = {(one.table, one.name) for one in objects if one.kind in kinds}
    for table in layout.tables:
        wanted |= {(link.name, name) for link in table.links for name in ("fk_record", "fk_target")}
    there = set(connection.execute(_OBJECTS, names).fetchall())
    found = [f"{name} of {table} is missing" for table, name in sorted(wanted - there)]
    loose = ("pkey", "_idx", "_not_null")
    helpers = ("_series", "_history")
    return found + [
        f"{name} of {table} should not be there"
        for table, name in sorted(there - wanted)
        if not name.endswith(loose) and table not in helpers
    ]


def _safety(connection: psycopg.Connection, layout: Layout, names: dict[str, str]) -> list[str]:
    wanted = {"_series", "_history", *layout.physical, *(link.name for table in layout.tables for link in table.links)}
    rows = {row[0]: row[1:] for row in connection.execute(_SAFETY, names).fetchall()}
    found = [f"the table {name} is missing" for name in sorted(wanted - set(rows))]
    for name, (forced, policy, rights, strangers) in sorted(rows.items()):
        if name not in wanted:
            found.append(f"the table {name} should not be there")
        if not forced:
            found.append(f"row-level security of {name} is not forced")
        if not policy:
            found.append(f"{name} does not have exactly the one policy by site")
        if rights != (["INSERT", "SELECT"] if name == "_history" else _RIGHTS) or strangers:
            found.append(f"the rights on {name} are not those of the module's role alone")
    return found
