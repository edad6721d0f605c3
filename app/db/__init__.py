"""The way to PostgreSQL: scopes, sessions and pools bound to a scope, migrations. Knows no table of its own."""
