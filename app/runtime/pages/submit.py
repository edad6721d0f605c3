"""A sent form: judged, then a record with its events in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.access.actors import Actor
from app.errors import AppError, Conflict, Invalid, PayloadTooLarge
from app.modules.manifest.pages import Page
from app.runtime.context import InstallContext
from app.runtime.data import Access, Data, Record, Surface, Transaction
from app.runtime.data.compile_writes import event_statement
from app.runtime.data.model import model_of
from app.runtime.data.writes import stamp_of
from app.runtime.functions import process
from app.runtime.functions.receivers import PAGE_SENT
from app.runtime.pages import spam
from app.runtime.pages.data import open_fields
from app.runtime.pages.forms import posted_inputs, record_values, shown_errors, shown_values
from app.runtime.pages.spam import STAMP, TRAP, Verdict
from app.runtime.pages.uploads import Kept, Sent, discard, keep_files
from app.runtime.pages.view import FormState

log = logging.getLogger(__name__)

CORRECT = "Please correct what is marked below."
CHOOSE_AGAIN = "Please choose your files again, too."
SLOW_DOWN = "That was very quick. Please send it once more."
AGAIN = "This form was open for a long time. Nothing you wrote is lost: please send it again."
TOO_MANY = "That were many messages in a short time. Please wait a minute, then send it again."
BROKEN = "Something went wrong on our side and nothing was sent. Please try again in a moment."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a sent form. status 303: it is done, and `kept` when there is a record. issued: when the visitor first saw
    the form, 0 for now."""

    status: int
    form: FormState
    issued: int = 0
    retry_after_s: int = 0
    kept: bool = False


DONE = Outcome(303, FormState(sent=True))
KEPT = Outcome(303, FormState(sent=True), kept=True)


def submit_form(
    context: InstallContext,
    name: str,
    page: Page,
    given: Iterable[tuple[str, str]],
    *,
    files: Sequence[Sent] = (),
    visitor: Actor,
    now: datetime,
) -> Outcome:
    """Take in what a visitor sent to a page of kind form. given: (input, text) pairs in their order; files: those sent.

    A sent trap and a second click are answered as if all went well, and keep nothing.
    """
    pairs = list(given)
    posted = posted_inputs(page, context, pairs)
    values = shown_values(posted)
    wait_s = spam.wait_s(context.install_id, visitor.ip or "")
    if wait_s:
        return Outcome(429, FormState(values, message=TOO_MANY), retry_after_s=wait_s)
    sent = dict(pairs)
    stamp = spam.read_stamp(
        process.keys(), context.install_id, name, stamp=sent.get(STAMP, ""), trap=sent.get(TRAP, ""), now=now
    )
    if stamp.verdict is Verdict.MACHINE:
        return DONE
    if stamp.verdict is not Verdict.FINE:
        message = SLOW_DOWN if stamp.verdict is Verdict.TOO_FAST else AGAIN
        return Outcome(422, FormState(values, message=message), stamp.issued)
    once = stamp.once([*pairs, *((key, file) for key, file, _ in files)], visitor.ip or "")
    if not spam.use_once(once):
        return DONE
    kept = Kept()
    try:
        keep_files(context, page, files, visitor=visitor, kept=kept)
        _keep(context, name, page, {**record_values(page, context, posted), **kept.values}, visitor=visitor, now=now)
    except AppError as error:
        discard(context, kept, visitor=visitor)
        spam.give_back(once)
        return _failed(error, FormState(values), stamp.issued, files=bool(files))
    except BaseException:
        discard(context, kept, visitor=visitor)
        spam.give_back(once)
        raise
    return KEPT


def _keep(
    context: InstallContext, name: str, page: Page, values: dict[str, object], *, visitor: Actor, now: datetime
) -> Record:
    """The new record. The page itself is the right to make it; only its own fields reach this far."""
    assert page.table is not None
    with Data(context, Access(Surface.SYSTEM, visitor), now=now).transaction() as tx:
        record = tx.insert(page.table, values)
        tell_after(tx, name, page, record)
    return record


def tell_after(tx: Transaction, name: str, page: Page, record: Record) -> None:
    """What the page says follows: an event of the module, and word for the function it names, which runs after commit."""
    assert page.table is not None
    if page.after is None:
        return
    seen = {"id", *open_fields(model_of(tx.context).tables[page.table])}
    told = {"page": name, "record": {key: value for key, value in record.values.items() if key in seen}}
    if page.after.emit and page.after.emit in tx.context.manifest.events:
        tx.emit(page.after.emit, told, subject=str(record.id))
    if page.after.call:
        tx.beside_tables(event_statement(stamp_of(tx), PAGE_SENT, str(record.id), told))


def _failed(error: AppError, form: FormState, issued: int, *, files: bool) -> Outcome:
    if isinstance(error, Invalid):
        errors = shown_errors(error.errors) or {"": error.message}
        return Outcome(422, FormState(form.values, errors, f"{CORRECT} {CHOOSE_AGAIN}" if files else CORRECT), issued)
    if isinstance(error, PayloadTooLarge):
        return Outcome(413, FormState(form.values, message=error.message), issued)
    if isinstance(error, Conflict):
        return Outcome(409, FormState(form.values, message=error.message), issued)
    log.error("a form of install could not be kept: %s", error, exc_info=error)
    return Outcome(500, FormState(form.values, message=BROKEN), issued)
