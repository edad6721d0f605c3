"""`python -m app.dev.lint`: the template and migration lints of `make check`.

`python -m app.dev.lint release` records the migrations of a release: from then on their text may not change.
"""

from __future__ import annotations

import sys
from pathlib import Path

from app.dev.lint_migrations import lint_migrations, release
from app.dev.lint_templates import lint_templates

ROOT = Path(__file__).parents[2]


def findings(root: Path) -> list[str]:
    """All findings of both lints, with paths relative to `root`."""
    found = [*lint_templates(root / "templates"), *lint_migrations(root / "sql" / "migrations")]
    return [finding.removeprefix(f"{root}/") for finding in found]


def main(arguments: list[str]) -> int:
    if arguments == ["release"]:
        print("\n".join(release(ROOT / "sql" / "migrations")) or "no new migrations")
        return 0
    found = findings(ROOT)
    print(
        "\n".join([*found, f"{len(found)} findings in templates and migrations"])
        if found
        else "Templates and migrations: fine"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
