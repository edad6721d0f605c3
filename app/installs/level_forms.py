"""Settings forms where a value may come from above: where each stands, and what a person changed about it.

A field that is not the level's own shows what is in force. Changing it makes it the level's own; so does ticking "own",
which pins a value as it is. Ticking "back" leaves it to the level above again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from app.installs.forms import read_settings
from app.installs.level_actions import LevelChange
from app.installs.setting_values import ANYTHING, WrongValue, read_value
from app.installs.standing import Standing
from app.modules.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Sent:
    """What a form asks for. given: {name: plain value} to be the level's own; back: names to leave to the level above."""

    given: dict[str, Any]
    back: frozenset[str]
    shown: dict[str, Any] = field(default_factory=dict)  # all that was sent, to show the form again


def read_own(manifest: Manifest, form: MultiDict[str, str], known: Mapping[str, Standing]) -> Sent:
    """What the form changes. A locked setting is taken only when it was sent, to be refused by the rules."""
    sent = read_settings(manifest, form)
    seen = set(form.getlist("seen"))
    given: dict[str, Any] = {}
    back = set()
    for name, spec in manifest.setting_fields.items():
        stands = known[name]
        there = any(key == name or key.startswith(f"{name}.") for key in form)
        if stands.lock is not None or not stands.givable:
            if there and name in sent:
                given[name] = sent[name]
        elif stands.own and f"back.{name}" in form:
            back.add(name)
        # a switch that is off and hours without times send nothing: `seen` says that they were there to be seen
        elif (name in sent and (there or not seen or name in seen)) and (
            stands.own or f"own.{name}" in form or _differs(spec, sent[name], stands.value)
        ):
            given[name] = sent[name]
    return Sent(given, frozenset(back), sent)


def read_level(
    manifest: Manifest, form: MultiDict[str, str], known: Mapping[str, Standing]
) -> tuple[LevelChange, Sent]:
    """The same for the agency's or a client's form, with its locks. An emptied field gives nothing any more."""
    sent = read_own(manifest, form, known)
    give = {
        name: value
        for name, value in sent.given.items()
        if known[name].lock
        or (not _empty(value) and (not known[name].own or _differs_from_own(manifest, name, value, known)))
    }
    emptied = {name for name, value in sent.given.items() if known[name].own and _empty(value) and not known[name].set}
    lock, unlock = {}, set()
    for name, stands in known.items():
        wanted, reason = f"lock.{name}" in form, " ".join(form.get(f"reason.{name}", "").replace("\x00", "").split())
        if wanted and (stands.own_lock is None or stands.own_lock.get("reason", "") != reason):
            lock[name] = reason
        elif stands.own_lock is not None and not wanted and (not form.getlist("seen") or name in form.getlist("seen")):
            unlock.add(name)
    return LevelChange(give, sent.back | emptied, lock, frozenset(unlock)), sent


def _differs(spec: Any, sent: Any, kept: Any) -> bool:
    if spec.type == "secret":
        return True  # only a new text is sent
    try:
        read = read_value(spec, sent, ANYTHING)
    except WrongValue:
        return True  # the rules say what is wrong with it
    return not (read == kept or (_empty(read) and _empty(kept)) or (spec.type == "boolean" and not read and not kept))


def _differs_from_own(manifest: Manifest, name: str, value: Any, known: Mapping[str, Standing]) -> bool:
    return _differs(manifest.setting_fields[name], value, known[name].value)


def _empty(value: Any) -> bool:
    return value in (None, "", [], {})
