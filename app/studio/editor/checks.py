"""What is wrong with a project as it stands, and what one click can do about it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.modules.manifest import Problem
from app.modules.package import CheckedPackage, Package, check_folder
from app.runtime.checks import source_problems
from app.runtime.functions.process import sandbox

_MISSING = re.compile(r'no file "((?:templates|functions)/[A-Za-z0-9_.-]+)" in the package')
_MEANT = re.compile(r'"([^"]+)"[^"]*; did you mean "([^"]+)"\?$')
_NEW_TEMPLATE = (
    '<section class="w-card">\n  <h1>{{ site.name }}</h1>\n  <p class="w-lead">Write the page here.</p>\n</section>\n'
)
_NEW_FUNCTION = "export default function (ctx, input) {\n  return null;\n}\n"


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that puts a problem right. do: create or delete (the file `path`), index (over `fields` of `table`), word (of
    the file, `wrong` into `right`, in a line at or behind a column).
    """

    do: str
    path: str
    label: str
    table: str = ""
    fields: tuple[str, ...] = ()
    wrong: str = ""
    right: str = ""
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """One problem as the checks pane shows it."""

    problem: Problem
    fix: Fix | None


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome. package: None while anything is wrong enough to refuse it."""

    package: Package | None
    found: tuple[Found, ...]

    @property
    def errors(self) -> int:
        return sum(1 for one in self.found if one.problem.severity == "error")


def check_project(contents: Mapping[str, bytes]) -> Checked:
    """Every check an upload goes through, with the syntax of templates and functions."""
    checked: CheckedPackage = check_folder(contents.items())
    problems = list(checked.problems)
    package = checked.package
    if package is not None:
        problems += source_problems(package, sandbox())
    else:
        problems = [
            problem for problem in problems if problem.code != "unused"
        ]  # the manifest decides that, once it reads
    if any(problem.severity == "error" for problem in problems):
        package = None
    problems.sort(key=lambda one: (one.severity != "error", one.file, one.line, one.column))
    return Checked(package, tuple(Found(problem, fix_of(problem, contents)) for problem in problems))


def with_findings(checked: Checked, findings: Sequence[Problem]) -> Checked:
    """With what the checks of publishing found in the last release that was tried, each with the index that mends it."""
    if checked.package is None:
        return checked
    more = [Found(one, _index(one)) for one in findings]
    return replace(checked, found=(*checked.found, *more))


def _index(problem: Problem) -> Fix:
    table, *fields = problem.index
    return Fix("index", problem.file, f"Add an index over {', '.join(fields)}", table, tuple(fields))


def fix_of(problem: Problem, contents: Mapping[str, bytes]) -> Fix | None:
    """The change that would put it right, where that is certain."""
    missing = _MISSING.search(problem.message)
    if missing and missing[1] not in contents:
        return Fix("create", missing[1], f"Create {missing[1]}")
    if problem.code == "unused" and problem.file in contents:
        return Fix("delete", problem.file, f"Delete {problem.file}")
    meant = _MEANT.search(problem.message)
    if meant and problem.line and problem.file in contents:
        wrong, right = meant[1], meant[2]
        try:
            text = contents[problem.file].decode()
        except UnicodeDecodeError:
            return None
        if corrected(text, line=problem.line, column=problem.column, wrong=wrong, right=right) is not None:
            label = f"Change to {right}"
            return Fix("word", problem.file, label, wrong=wrong, right=right, line=problem.line, column=problem.column)
    return None


def corrected(text: str, *, line: int, column: int, wrong: str, right: str) -> str | None:
    """The text with one word of a line changed: the first such word at or behind the column. None where it does not stand.

    Lines and columns count from 1.
    """
    lines = text.splitlines(keepends=True)
    if not 1 <= line <= len(lines) or not wrong:
        return None
    word = re.compile(rf"(?<![\w.-]){re.escape(wrong)}(?![\w-])")
    found = word.search(lines[line - 1], max(column - 1, 0))
    if found is None:
        return None
    lines[line - 1] = lines[line - 1][: found.start()] + right + lines[line - 1][found.end() :]
    return "".join(lines)


def new_content(path: str) -> bytes:
    """What a new file of this kind begins with."""
    if path.startswith("templates/") and path.endswith(".html"):
        return _NEW_TEMPLATE.encode()
    if path.startswith("functions/"):
        return _NEW_FUNCTION.encode()
    return b""
