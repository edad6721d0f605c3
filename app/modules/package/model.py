"""A package that was read, and what came of reading one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from app.errors import FieldError, Invalid
from app.modules.manifest import Manifest, Problem
from app.modules.manifest.problems import errors_of
from app.modules.package.listing import Listing

CheckSource = Callable[[str, str], Iterable[Problem]]
"""(path, text) of a template or function to the problems of its syntax; the sandbox provides one."""


class PackageInvalid(Invalid):
    """The module package has errors."""

    code = "package_invalid"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        errors = errors_of(self.problems)
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(
            f"{errors[0]}{more}" if errors else "",
            errors=[
                FieldError(f"/{problem.file}/{problem.path}".rstrip("/"), problem.code, problem.message)
                for problem in errors
            ],
        )


@dataclass(frozen=True, slots=True)
class AcceptanceTest:
    """One test of tests/*.yaml: given records, when something happens, then so it is."""

    file: str
    name: str
    given: Mapping[str, Sequence[Mapping[str, Any]]]
    """Records by table; `ref` names one for the rest of the test."""
    settings: Mapping[str, Any]
    """Values of the install's settings; the others have their default."""
    when: Mapping[str, Any]
    """One of create, update, delete: table or table/ref; call: function; submit: page; emit: event; with set or input."""
    then: Mapping[str, Any]
    """`table/ref` to values; record (the one made), answer, invalid (the field refused), events, mails."""


@dataclass(frozen=True, slots=True)
class Package:
    """A whole package whose every file passed. `files` holds the contents by path, the manifest included."""

    manifest: Manifest
    manifest_text: str
    listing: Listing
    files: Mapping[str, bytes]
    digest: str
    sample: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """Sample records by table, in order; values of refs are the `ref` of another sample record."""
    tests: Sequence[AcceptanceTest] = ()
    warnings: Sequence[Problem] = ()

    @property
    def size_bytes(self) -> int:
        """The size of all files, unpacked."""
        return sum(map(len, self.files.values()))

    def _folder(self, name: str) -> dict[str, bytes]:
        start = f"{name}/"
        return {path.removeprefix(start): content for path, content in self.files.items() if path.startswith(start)}

    @property
    def templates(self) -> dict[str, str]:
        """Templates by file name."""
        return {name: content.decode() for name, content in self._folder("templates").items()}

    @property
    def functions(self) -> dict[str, str]:
        """Sources of functions by file name."""
        return {name: content.decode() for name, content in self._folder("functions").items()}

    @property
    def assets(self) -> dict[str, bytes]:
        """Assets by path below assets/."""
        return self._folder("assets")

    @property
    def locales(self) -> dict[str, bytes]:
        """JSON texts by language."""
        return {name.removesuffix(".json"): content for name, content in self._folder("locales").items()}

    def _text(self, path: str) -> str:
        return self.files.get(path, b"").decode()

    @property
    def readme(self) -> str:
        """README.md, or an empty text."""
        return self._text("README.md")

    @property
    def changelog(self) -> str:
        """CHANGELOG.md, or an empty text."""
        return self._text("CHANGELOG.md")


@dataclass(frozen=True, slots=True)
class CheckedPackage:
    """What came of reading a package: the package unless it has errors, and all findings."""

    package: Package | None
    problems: list[Problem]


def digest_of(files: Mapping[str, bytes]) -> str:
    """sha256, in hex, over the lines "sha256-of-content  path" in the order of paths."""
    lines = (f"{hashlib.sha256(files[path]).hexdigest()}  {path}\n" for path in sorted(files))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def frozen(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """A read-only copy, in the order of paths."""
    return MappingProxyType({path: files[path] for path in sorted(files)})
