"""sql/schema.sql: the whole schema as the catalogue tells it, one fact per line, so that a change shows in a review.

`python -m tests.support.schema` writes it anew from a database that was migrated just now.
"""

from __future__ import annotations

from pathlib import Path

import psycopg

_COLUMNS = """
  SELECT c.relname, string_agg(
    '  ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
    || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
    || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
    || CASE a.attidentity WHEN 'a' THEN ' GENERATED ALWAYS AS IDENTITY' ELSE '' END, E',\n' ORDER BY a.attnum)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  GROUP BY c.relname ORDER BY c.relname
"""
_LINES = {
    "constraints": """
      SELECT format('ALTER TABLE %s ADD CONSTRAINT %s %s;', conrelid::regclass, conname, pg_get_constraintdef(oid))
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND contype <> 'n'
        AND NOT (SELECT relispartition FROM pg_class WHERE oid = conrelid) ORDER BY 1""",
    "indexes": """
      SELECT indexdef || ';' FROM pg_indexes i JOIN pg_class c ON c.relname = i.tablename AND NOT c.relispartition
      WHERE schemaname = 'public' ORDER BY 1""",
    "policies": """
      SELECT format('CREATE POLICY %s ON %s FOR %s TO %s%s%s;', policyname, tablename, cmd, array_to_string(roles, ', '),
                    coalesce(' USING (' || qual || ')', ''), coalesce(' WITH CHECK (' || with_check || ')', ''))
      FROM pg_policies WHERE schemaname = 'public' ORDER BY 1""",
    "triggers": """
      SELECT pg_get_triggerdef(t.oid) || ';' FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
      WHERE NOT tgisinternal AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition ORDER BY 1""",
    "grants": """
      SELECT format('GRANT %s ON %s TO %s;', string_agg(privilege_type, ', ' ORDER BY privilege_type), table_name, grantee)
      FROM information_schema.role_table_grants
      WHERE table_schema = 'public' AND grantee LIKE 'dramac\\_%%' AND grantee <> current_user
        AND table_name IN (SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition)
      GROUP BY table_name, grantee ORDER BY 1""",
    "functions": """
      SELECT pg_get_functiondef(p.oid) || ';' FROM pg_proc p
      WHERE p.pronamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') ORDER BY p.proname""",
    "who may call functions that work with their owner's rights": """
      SELECT format('GRANT EXECUTE ON FUNCTION %s TO %s;', p.proname, string_agg(r.rolname, ', ' ORDER BY r.rolname))
      FROM pg_proc p JOIN (SELECT rolname FROM pg_roles WHERE rolname LIKE 'dramac\\_%%' AND rolname <> current_user
                           UNION ALL SELECT 'public') r ON has_function_privilege(r.rolname, p.oid, 'EXECUTE')
      WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef AND r.rolname <> 'dramac_lookup'
      GROUP BY p.proname ORDER BY 1""",
}


def describe(connection: psycopg.Connection) -> str:
    """The schema `public` as text, the same for the same schema on every machine."""
    parts = ["-- Generated from a migrated database by `python -m tests.support.schema`; a test compares. Do not edit."]
    parts += [f"CREATE TABLE {table} (\n{columns}\n);" for table, columns in connection.execute(_COLUMNS)]
    for title, query in _LINES.items():
        parts.append(f"-- {title}")
        parts += [row[0] for row in connection.execute(query.encode())]
    return "\n".join(parts) + "\n"


def expected_file() -> Path:
    return Path(__file__).parents[2] / "sql" / "schema.sql"


def main() -> None:
    from app.db.migrate import migrate
    from tests.support.servers import TestServers

    servers = TestServers.start()
    try:
        servers.make_template(lambda url: migrate(url, "k" * 40))
        with psycopg.connect(servers.clone("schema"), autocommit=True) as connection:
            expected_file().write_text(describe(connection))
    finally:
        servers.stop()


if __name__ == "__main__":
    main()
