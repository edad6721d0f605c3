"""The embedded default: starts PostgreSQL, Valkey, web, worker and scheduler for `make run`, and the lints of `make check`.

Owns the folder DATA_DIR on disk and no tables. Nothing imports it except the tests, whose servers come from the same code.
"""
