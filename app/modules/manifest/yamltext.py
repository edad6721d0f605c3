"""Reads YAML 1.2 text into plain values and remembers where each stood. Data only: no anchors, tags or directives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from app.modules.manifest.problems import Problem

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_NODES = 30_000
KEPT, KEPT_BYTES = 32, 64 * 1024  # texts whose reading is kept: an editor asks for the same files again at every step
Path = tuple[str | int, ...]
Position = tuple[int, int]

# The core schema of YAML 1.2.2, section 10.3.2, without .inf and .nan, which no value here can be.
_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")


@dataclass
class Document:
    """The values of a YAML text, where they stand and what was wrong with the text itself."""

    value: Any = None
    problems: list[Problem] = field(default_factory=list)
    positions: dict[Path, Position] = field(default_factory=dict)
    key_positions: dict[Path, Position] = field(default_factory=dict)

    def where(self, path: Path, *, key: bool = False) -> Position:
        """Line and column of the value at `path` (or of its key), of the nearest parent when there is none."""
        while True:
            first, second = (self.key_positions, self.positions) if key else (self.positions, self.key_positions)
            found = first.get(path) or second.get(path)
            if found or not path:
                return found or (1, 1)
            path, key = path[:-1], True


def join(path: Path) -> str:
    """A path as people read it: tables.deals.indexes.0."""
    return ".".join(str(part) for part in path)


def read_yaml(text: str | bytes, *, file: str = "module.yaml") -> Document:
    """The one document of a YAML text. Never raises for outside text: what is wrong is in `.problems`."""
    data = text.encode() if isinstance(text, str) else text
    if len(data) > KEPT_BYTES:
        return _read(data, file)
    kept = _kept(data, file)
    return Document(deepcopy(kept.value), list(kept.problems), dict(kept.positions), dict(kept.key_positions))


@lru_cache(maxsize=KEPT)
def _kept(data: bytes, file: str) -> Document:
    return _read(data, file)


def _read(data: bytes, file: str) -> Document:
    reader = _Reader(file)
    if len(data) > MAX_BYTES:
        reader.problem((), f"the file has {len(data)} bytes; at most {MAX_BYTES} (256 KB) are allowed", (0, 0), "size")
        return reader.document
    try:
        reader.read(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        reader.problem((), f"the file is not UTF-8 (byte {error.start}); save it as UTF-8", (0, 0), "encoding")
    except _Stop:
        reader.document.value = None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        said = " ".join(str(part) for part in (error.context, error.problem) if part)
        reader.problem((), f"not valid YAML: {said}", place, "yaml")
    except YAMLError as error:  # a character that YAML forbids; its message holds the whole text after line one
        reader.problem((), f"not valid YAML: {str(error).splitlines()[0]}", (0, 0), "yaml")
    return reader.document


class _Stop(Exception):
    """The text is refused as a whole; its problem is noted."""


class _Reader:
    """Walks the events of the parser, so that nothing of the text is ever built that was not checked first."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.document = Document()
        self.nodes = 0

    def problem(self, path: Path, message: str, place: Position, code: str) -> None:
        self.document.problems.append(Problem(join(path), message, *place, code, file=self.file))

    def read(self, text: str) -> None:
        events = iter(YAML(typ="safe", pure=True).parse(text))
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                self._check_document(event, documents)
            elif isinstance(event, (ScalarEvent, MappingStartEvent, SequenceStartEvent, AliasEvent)):
                self.document.value = self._value(event, events, ())
        if not documents:
            self.problem((), "the file is empty", (1, 1), "empty")

    def _check_document(self, event: DocumentStartEvent, documents: int) -> None:
        place = _place(event)
        if documents > 1:
            self.problem((), "a second document starts here; keep one document and remove the ---", place, "documents")
            raise _Stop
        if event.version not in (None, (1, 2)) or event.tags:
            self.problem((), "directives (%YAML, %TAG) are not allowed; remove the line", place, "directive")

    def _value(self, event: Any, events: Iterator[Any], path: Path) -> Any:
        place = _place(event)
        self.nodes += 1
        if len(path) > MAX_DEPTH:
            self.problem((), f"nested deeper than {MAX_DEPTH} levels", place, "depth")
            raise _Stop
        if self.nodes > MAX_NODES:
            self.problem((), f"more than {MAX_NODES} values in one file", place, "size")
            raise _Stop
        self.document.positions.setdefault(path, place)
        if isinstance(event, AliasEvent):
            self.problem(
                path, f'aliases are not allowed; write the value out instead of "*{event.anchor}"', place, "alias"
            )
            return None
        if event.anchor is not None:
            self.problem(path, f'anchors are not allowed; remove "&{event.anchor}"', place, "anchor")
        if event.ctag is not None:
            self.problem(path, f'tags are not allowed; remove "{event.ctag}"', place, "tag")
        if isinstance(event, MappingStartEvent):
            return self._mapping(events, path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(events, path)
        return self._scalar(event, path)

    def _mapping(self, events: Iterator[Any], path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for event in events:
            if isinstance(event, MappingEndEvent):
                break
            place = _place(event)
            key = self._value(event, events, (*path, "?"))
            value_event = next(events)
            if not isinstance(key, str):
                self._bad_key(path, key, place)
                self._value(value_event, events, (*path, "?"))
                continue
            child = (*path, key)
            if key in result:
                first = self.document.key_positions[child][0]
                self.problem(
                    child, f'the key "{key}" is here twice; the first is on line {first}', place, "duplicate_key"
                )
                self._value(value_event, events, (*path, "?"))
                continue
            self.document.key_positions[child] = place
            result[key] = self._value(value_event, events, child)
        return result

    def _bad_key(self, path: Path, key: Any, place: Position) -> None:
        if isinstance(key, (dict, list)):
            message = "a key must be a text, not a mapping or list"
        else:
            written = str(key).lower() if isinstance(key, bool) else "null" if key is None else key
            message = f'the key {written} is not a text; write it in quotes: "{written}"'
        self.problem(path, message, place, "key")

    def _sequence(self, events: Iterator[Any], path: Path) -> list[Any]:
        result: list[Any] = []
        for event in events:
            if isinstance(event, SequenceEndEvent):
                break
            result.append(self._value(event, events, (*path, len(result))))
        return result

    def _scalar(self, event: ScalarEvent, path: Path) -> Any:
        text: str = event.value
        if event.style is None and event.ctag is None:
            return self._plain(text, event, path)
        self._check_text(text, event, path)
        return text

    def _plain(self, text: str, event: ScalarEvent, path: Path) -> Any:
        if text in _NULL:
            return None
        if text in _BOOL:
            return _BOOL[text]
        if len(text) > 30 and (_INT.fullmatch(text) or _FLOAT.fullmatch(text)):
            self.problem(
                path, "a number of more than 30 characters; write it in quotes if it is a text", _place(event), "number"
            )
            return None
        if _INT.fullmatch(text):
            return int(text)
        if _BASED.fullmatch(text):
            return int(text, 0)
        if _FLOAT.fullmatch(text):
            return self._float(text, event, path)
        self._check_text(text, event, path)
        return text

    def _float(self, text: str, event: ScalarEvent, path: Path) -> float | None:
        value = float(text)
        if value in (float("inf"), float("-inf")):
            self.problem(path, f"{text} is too large a number", _place(event), "number")
            return None
        return value

    def _check_text(self, text: str, event: ScalarEvent, path: Path) -> None:
        if _CONTROL.search(text):
            self.problem(path, "the text holds a control character; remove it", _place(event), "control_character")


def _place(event: Any) -> Position:
    return event.start_mark.line + 1, event.start_mark.column + 1
