"""Going to another version with open eyes: the plan, the rehearsal, the watch afterwards (docs/versions.md)."""
