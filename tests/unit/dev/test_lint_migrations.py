"""A migration that would open a tenant's rows, lose data unannounced or rewrite history is refused."""

import pytest

from app.dev.lint_migrations import lint_migration, lint_migrations, release

GUARDED = """
CREATE TABLE deals (
  id uuid PRIMARY KEY,
  amount numeric(10, 2) CHECK (amount > 0), -- agency_id is further down
  site_id uuid NOT NULL
);
ALTER TABLE deals ENABLE ROW LEVEL SECURITY;
ALTER TABLE deals FORCE ROW LEVEL SECURITY;
CREATE POLICY deals_of_site ON deals USING (site_id = current_site_id());
"""
ENABLE = "deals holds tenant rows: ALTER TABLE deals ENABLE ROW LEVEL SECURITY in this file"
FORCE = "deals holds tenant rows: ALTER TABLE deals FORCE ROW LEVEL SECURITY in this file"
POLICY = "deals holds tenant rows: CREATE POLICY … ON deals in this file"


def test_a_guarded_table_passes():
    assert lint_migration(GUARDED) == []


def test_a_table_without_a_tenant_needs_no_policy():
    assert lint_migration("CREATE TABLE plans (name text, note text DEFAULT 'agency_id uuid');") == []


@pytest.mark.parametrize(
    ("without", "wrong"),
    [
        ("ALTER TABLE deals ENABLE ROW LEVEL SECURITY;", ENABLE),
        ("ALTER TABLE deals FORCE ROW LEVEL SECURITY;", FORCE),
        ("CREATE POLICY deals_of_site ON deals USING (site_id = current_site_id());", POLICY),
    ],
)
def test_each_guard_of_a_tenant_table_is_needed(without, wrong):
    assert lint_migration(GUARDED.replace(without, f"-- {without}")) == [(2, wrong)]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE deals (agency_id uuid);",
        'CREATE TABLE IF NOT EXISTS public."deals" ("site_id" uuid);',
        "ALTER TABLE deals ADD COLUMN site_id uuid;",
        "ALTER TABLE public.deals ADD agency_id uuid;",
    ],
)
def test_every_way_to_make_a_tenant_table_is_seen(statement):
    assert lint_migration(f"\n\n{statement}\n") == [(3, ENABLE), (3, FORCE), (3, POLICY)]


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("DROP TABLE deals;", "DROP TABLE"),
        ("ALTER TABLE deals DROP  COLUMN amount;", "DROP COLUMN"),
        ("DROP SCHEMA old CASCADE;", "DROP SCHEMA"),
        ("TRUNCATE deals;", "TRUNCATE"),
    ],
)
def test_a_loss_of_data_needs_a_reason_beside_it(statement, what):
    assert lint_migration(f"SELECT 1;\n{statement}") == [
        (2, f"{what} loses data: say why in a comment on the line above, -- loses data: <reason>")
    ]
    assert lint_migration(f"-- loses data: moved to offers in 0007\n{statement}") == []


def test_a_word_in_a_text_loses_nothing():
    assert lint_migration("INSERT INTO notes VALUES ('TRUNCATE it; DROP TABLE x', $$ TRUNCATE $$);") == []


@pytest.mark.parametrize("name", ["0003_gap.sql", "0001_double.sql", "2_short.sql", "0002-dash.sql", "0002_Upper.sql"])
def test_names_are_numbered_without_gaps(tmp_path, name):
    (tmp_path / "0001_base.sql").write_text("SELECT 1;")
    (tmp_path / name).write_text("SELECT 1;")
    second = sorted(path.name for path in tmp_path.iterdir())[1]
    assert list(lint_migrations(tmp_path)) == [
        f"{tmp_path}/{second}:1: name it 0002_<subject in small letters>.sql: numbers have no gaps and no doubles"
    ]


def test_a_released_migration_may_neither_change_nor_go(tmp_path):
    for name in ("0001_base.sql", "0002_more.sql"):
        (tmp_path / name).write_text("SELECT 1;")
    assert release(tmp_path) == ["0001_base.sql", "0002_more.sql"]
    (tmp_path / "0003_new.sql").write_text("SELECT 3;")
    assert list(lint_migrations(tmp_path)) == []
    (tmp_path / "0001_base.sql").write_text("SELECT 2;")
    assert release(tmp_path) == ["0003_new.sql"]
    (tmp_path / "0003_new.sql").unlink()
    assert list(lint_migrations(tmp_path)) == [
        f"{tmp_path}/0001_base.sql:1: was released and may not change: put the change into a new migration",
        f"{tmp_path}/0003_new.sql:1: was released and may not be removed",
    ]
