"""Small packages for tests, made in memory."""

from __future__ import annotations

from pathlib import Path

from app.modules.package import Package, read_folder, write_package

FIRST_PARTY = Path(__file__).parents[2] / "modules"

NOTES = """
manifest: 1
slug: {slug}
name: Notes
summary: Short notes with a state.
version: {version}
type: app
tables:
  notes:
    label: {{one: Note, many: Notes}}
    title: title
    fields:
      title: {{type: text, required: true, max: 80, search: true}}
      body: {{type: text, multiline: true}}
      state: {{type: enum, options: [open, done], default: open}}
{extra}
"""


def notes(
    slug: str, *, version: str = "1.0.0", extra: str = "", files: dict[str, str] | None = None
) -> dict[str, bytes]:
    """The files of a module with one table; extra: more lines of the manifest, at the depth of a field."""
    manifest = NOTES.format(slug=slug, version=version, extra=extra)
    return {"module.yaml": manifest.encode(), **{path: text.encode() for path, text in (files or {}).items()}}


def package(files: dict[str, bytes]) -> Package:
    return read_folder(files.items())


def zipped(files: dict[str, bytes]) -> bytes:
    return write_package(files)


def first_party(name: str) -> dict[str, bytes]:
    """The files of modules/<name>."""
    root = FIRST_PARTY / name
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
