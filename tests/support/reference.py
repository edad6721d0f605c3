"""docs/reference/: pages made from the code, so that they cannot say something else. A test compares.

`python -m tests.support.reference` writes them anew.
"""

from __future__ import annotations

from pathlib import Path

import click

from app.access.permissions import ROLE_PERMISSIONS, Permission, Role
from app.cli.commands import COMMANDS
from app.events.catalog import CATALOG
from app.queue.registry import JOBS

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
MADE = "<!-- Made by `python -m tests.support.reference`; a test compares. -->\n"


def permissions_page() -> str:
    """The table of roles: one row per permission, one column per role."""
    head = "| permission | what it allows | " + " | ".join(role.label for role in Role) + " |"
    rows = [
        f"| `{p}` | {p.label} | " + " | ".join("yes" if p in ROLE_PERMISSIONS[role] else "" for role in Role) + " |"
        for p in Permission
    ]
    return "\n".join([MADE, "# Roles and permissions", "", head, "|---|---|" + "---|" * len(Role), *rows, ""])


def events_page() -> str:
    """The platform's events; modules declare their own in their manifests."""
    rows = [f"| `{e.name}` | {e.label} | `{e.permission}` | {'yes' if e.audited else ''} |" for e in CATALOG.values()]
    head = ["| type | when | needed to receive it | in the audit trail |", "|---|---|---|---|"]
    return "\n".join([MADE, "# Events of the platform", "", *head, *rows, ""])


def jobs_page() -> str:
    """Every job by name. Times are UTC."""
    rows = [
        f"| `{job.name}` | {job.queue} | {job.timeout_s} s | {job.cron or 'when ordered'} |"
        for job in sorted(JOBS.values(), key=lambda job: job.name)
    ]
    return "\n".join([MADE, "# Jobs", "", "| job | queue | time limit | clock |", "|---|---|---|---|", *rows, ""])


def commands_page() -> str:
    """Every management command with its usage, as `--help` tells it."""
    lines = [
        MADE,
        "# Management commands",
        "",
        "`.venv/bin/flask --app wsgi …`, beside `make run` or with its environment.",
    ]
    for group in COMMANDS:
        children = group.commands.items() if isinstance(group, click.Group) else [("", group)]
        for name, command in sorted(children):
            words = f"{group.name} {name}".strip()
            usage = " ".join(command.collect_usage_pieces(click.Context(command, terminal_width=200)))
            lines += ["", f"## {words}", f"`{words} {usage}`".replace(" [OPTIONS]", ""), "", command.help or ""]
            lines += _options(command)
    return "\n".join([*lines, ""])


def _options(command: click.Command) -> list[str]:
    rows = [
        f"| `{option.opts[0]}` | {'yes' if option.required else ''} | {option.help or _choices(option)} |"
        for option in command.params
        if isinstance(option, click.Option)
    ]
    return ["", "| option | required | |", "|---|---|---|", *rows] if rows else []


def _choices(option: click.Option) -> str:
    return ", ".join(option.type.choices) if isinstance(option.type, click.Choice) else ""


PAGES = {
    "permissions.md": permissions_page,
    "events.md": events_page,
    "jobs.md": jobs_page,
    "commands.md": commands_page,
}


def main() -> None:
    from app.wiring.jobs import wire_jobs

    wire_jobs()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make())


if __name__ == "__main__":
    main()
