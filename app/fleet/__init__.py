"""Many installs at once: what runs where, runs over a selection, releases that roll out by themselves (docs/fleet.md)."""
