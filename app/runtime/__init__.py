"""Runs installed modules: sandboxed templates and functions, their records, their requests. Called by the runtime app."""
