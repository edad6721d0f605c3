"""What a module is: its manifest, package, names, formulas, conditions and the difference between two versions.

Owns the tables of modules, their versions and the registry of schemas. The files manifest/, package, naming, kinds,
expressions, conditions, cron and diff are pure: text or bytes in, values or problems out, no database and no Flask.
Called by installs, runtime, studio, ai, marketplace and the command line.
"""
