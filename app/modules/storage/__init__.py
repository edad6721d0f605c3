"""The tables of modules: what a manifest needs, the plan to get there, applying and checking it, rows out and in.

Owns the schemas `mod_<short id>`, their roles and module_database_registry. Called by installs; runtime reads layouts.
"""
