"""What is wrong with a manifest or package: where, why, and how to put it right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `line` and `column` count from 1; 0 means the finding is about a whole file.

    remedy: what puts it right, where the message does not say so. index: (table, fields…) of an index that would.
    """

    path: str
    message: str
    line: int = 0
    column: int = 0
    code: str = "invalid"
    severity: Severity = "error"
    file: str = "module.yaml"
    remedy: str = ""
    index: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        subject = f"{self.path}: " if self.path else ""
        return f"{place}: {subject}{self.message}"

    def to_dict(self) -> dict[str, Any]:
        """The problem as JSON, for reports and API answers."""
        further: dict[str, Any] = {"remedy": self.remedy} if self.remedy else {}
        if self.index:
            further["index"] = list(self.index)
        return {
            "file": self.file,
            "path": self.path,
            "message": self.message,
            "line": self.line,
            "column": self.column,
            "code": self.code,
            "severity": self.severity,
            **further,
        }


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?` when something known is near, else an empty text."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.65)
    return f'; did you mean "{near[0]}"?' if near else ""


def errors_of(problems: Sequence[Problem]) -> list[Problem]:
    """The problems that refuse the file."""
    return [problem for problem in problems if problem.severity == "error"]
