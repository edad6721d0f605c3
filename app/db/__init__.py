"""The way to PostgreSQL: scopes, sessions and pools bound to a scope, writing behind, migrations. Knows no table of its own."""
