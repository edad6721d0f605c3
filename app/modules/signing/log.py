"""Entering a release into the log, and holding a stored version against its entry, byte by byte."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from app.errors import Conflict
from app.lib.clock import rfc3339
from app.lib.ids import encode
from app.modules.models import Blob, Module, Version, VersionFile
from app.modules.signing.keys import is_signed, key_of, platform_key, public_bytes, trusted_keys
from app.modules.signing.models import ReleaseEntry

Kind = Literal["release", "yank"]


class NotGenuine(Conflict):
    """The stored version is not the one that was released; it is not put on any site."""

    code = "not_genuine"


@dataclass(frozen=True, slots=True)
class Statement:
    """What both signatures say of a version. manifest: sha256 of its stored form; digest: over its files."""

    kind: Kind
    module: str
    module_id: str
    version: str
    version_id: str
    publisher: str
    digest: str
    manifest: str
    at: str

    @property
    def text(self) -> str:
        """Canonical JSON: keys in order, no blanks."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps({"log": 1, **values}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def enter(db: Session, *, version: Version, module: Module, kind: Kind, now: datetime) -> None:
    """Sign a version as its publisher, countersign it, and add it to the log. In the caller's transaction."""
    db.flush()
    statement = Statement(
        kind=kind,
        module=module.slug,
        module_id=module.public_id,
        version=version.version,
        version_id=version.public_id,
        publisher=encode("agc", module.agency_id),
        digest=version.digest,
        manifest=manifest_hash(db, version),
        at=rfc3339(now),
    ).text
    key, ours = key_of(db, module.agency_id), platform_key()
    signature = key.sign(statement.encode())
    db.execute(
        insert(ReleaseEntry).values(
            number=0,  # the trigger counts
            agency_id=module.agency_id,
            module_id=module.id,
            version_id=version.id,
            kind=kind,
            statement=statement,
            publisher_key=public_bytes(key),
            publisher_signature=signature,
            platform_key=public_bytes(ours),
            platform_signature=ours.sign(countersigned(statement, signature)),
            at=now,
        )
    )


def countersigned(statement: str, publisher_signature: bytes) -> bytes:
    """What the platform signs: the statement with the publisher's signature under it."""
    return statement.encode() + b"\n" + publisher_signature.hex().encode()


def must_be_genuine(db: Session, version: Version) -> None:
    """Hold a version that is about to be put on a site against the log. Raises NotGenuine with what does not agree."""
    if faults := list(faults_of(db, version)):
        raise NotGenuine(f"{version.version} cannot be used: {faults[0]}. Tell the platform's support.")


def faults_of(db: Session, version: Version) -> Iterator[str]:
    """What does not agree between a stored version and its entry, in words; nothing for a genuine one."""
    entry = db.scalar(select(ReleaseEntry).where(ReleaseEntry.version_id == version.id, ReleaseEntry.kind == "release"))
    if entry is None:
        yield "it does not stand in the release log"
        return
    yield from entry_faults(db, entry)
    said = _read(entry.statement)
    if said.get("version_id") != version.public_id or said.get("version") != version.version:
        yield "its entry in the release log is about another version"
    if said.get("manifest") != manifest_hash(db, version):
        yield "its manifest is not the one that was signed"
    if said.get("digest") != version.digest or said.get("digest") != _digest(db, version):
        yield "its files are not those that were signed"


def entry_faults(db: Session, entry: ReleaseEntry) -> Iterator[str]:
    """What is wrong with an entry by itself: its hash, its two signatures."""
    if entry_hash(entry) != entry.hash:
        yield "its entry in the release log was changed"
    if not is_signed(entry.publisher_key, entry.publisher_signature, entry.statement.encode()):
        yield "the publisher's signature does not fit"
    elif not db.scalar(select(func.publisher_key_known(entry.agency_id, entry.publisher_key))):
        yield "it was signed with a key that is not the publisher's"
    message = countersigned(entry.statement, entry.publisher_signature)
    if entry.platform_key not in trusted_keys():
        yield "it was countersigned with a key that is not the platform's"
    elif not is_signed(entry.platform_key, entry.platform_signature, message):
        yield "the platform's signature does not fit"


def entry_hash(entry: ReleaseEntry) -> bytes:
    """The hash of an entry as release_log_hash() makes it, from what the public page shows."""
    lines = [
        "dramac release log 1", str(entry.number), entry.kind, hashlib.sha256(entry.statement.encode()).hexdigest(),
        entry.publisher_key.hex(), entry.publisher_signature.hex(), entry.platform_key.hex(),
        entry.platform_signature.hex(), entry.previous_hash.hex(),
    ]  # fmt: skip
    return hashlib.sha256("\n".join(lines).encode()).digest()


def manifest_hash(db: Session, version: Version) -> str:
    """sha256 of the manifest as the database holds it: numbers come back from jsonb other than they were given."""
    kept = db.scalar(select(Version.manifest).where(Version.id == version.id))
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _digest(db: Session, version: Version) -> str:
    """The digest over the stored files, each read and hashed."""
    query = select(VersionFile.path, Blob.content).join(Blob, Blob.sha256 == VersionFile.sha256)
    rows = db.execute(query.where(VersionFile.version_id == version.id)).all()
    lines = (
        f"{hashlib.sha256(row.content).hexdigest()}  {row.path}\n" for row in sorted(rows, key=lambda row: row.path)
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _read(statement: str) -> dict[str, Any]:
    try:
        found = json.loads(statement)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
