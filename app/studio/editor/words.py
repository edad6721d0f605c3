"""What a template, a function or a style sheet of this module may name, with a sentence about each: for completion and hover.

A word is {label, kind, text}; label is the whole path, such as settings.heading or ctx.db.deals.find. `list` says that a
word is a list whose items have the words below `label[]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.modules.manifest import Manifest, Table
from app.modules.manifest.pages import EventHook, Page, TableHook

Word = dict[str, str]

_SITE = {
    "name": "The name of the site.",
    "slug": "The short name of the site.",
    "url": "The address of the site.",
    "timezone": "The site's time zone, such as Europe/Lisbon.",
    "locale": "The site's language, such as en.",
    "currency": "The site's currency, such as EUR.",
}
_RECORD = {
    "id": "The record's id.",
    "created_at": "When it was made, in UTC.",
    "updated_at": "When it last changed, in UTC.",
}
_FORM = {
    "values": "What the visitor has entered, by field; empty for what is not there yet.",
    "errors": "What is wrong, by field: show each beside its input.",
    "message": "A sentence about the whole form, when something is wrong.",
    "sent": "Whether it was just sent: show thanks in the place of the form.",
}
_FILTERS = {
    "money": "Minor units as an amount in the site's currency: 1250 is €12.50.",
    "date": 'A day in the site\'s language, or by a pattern: date("d MMMM").',
    "time": "A time of day in the site's zone.",
    "datetime": "Day and time in the site's zone.",
    "number": "A number in the site's language; number(2) with two decimals.",
    "nl2br": "Text with its line breaks, escaped.",
    "truncate": "At most so many characters: truncate(120).",
    "slugify": "Lower-case words joined by hyphens.",
    "default": "Another value where this one is missing.",
    "join": 'The items of a list with something between: join(", ").',
    "length": "How many items or characters.",
    "upper": "In capitals.",
    "lower": "In small letters.",
    "title": "Every Word With A Capital.",
    "replace": "One text in the place of another.",
    "slice": "A part of a text or list: slice(0, 3).",
    "batch": "A list in rows of so many.",
    "tojson": "JSON for a data attribute or JSON-LD.",
    "first": "The first item.",
    "last": "The last item.",
    "sort": 'Sorted, by a field with sort(attribute="name").',
    "split": "A text in parts.",
}
_CTX = {
    "db": "The module's tables, inside the transaction of the call.",
    "settings": "The settings of this install; secrets are opened here and nowhere else.",
    "actor": "Who caused this: kind, id, name, role.",
    "actor.kind": "person, key, visitor, system …",
    "actor.name": "The person's name.",
    "now": "The moment of the call, ISO 8601 in UTC. The same for the whole call.",
    "site": "The site: name, slug, url, timezone, locale, currency.",
    "install": "This install: id, module, version.",
    "invalid": "invalid(field, message): refuses, and shows the message beside the field.",
    "emit": "emit(event, data): sends one of the module's declared events after the commit.",
    "mail": "mail({to, subject, text | template, data, reply_to}): posts a letter after the commit. Needs permissions.email.",
    "http": "Calls to the hosts of permissions.network: get, post, put, patch, delete, request.",
    "http.get": "get(url, {headers, connection}): {status, headers, body, json()}.",
    "http.post": "post(url, {json | body, headers, connection}): {status, headers, body, json()}.",
    "http.request": "request(url, {method, …}): any method that is declared.",
    "files": "Files of the module: get, read, put.",
    "files.get": "get(id): {id, name, type, size}.",
    "files.read": "read(id): its text, or base64.",
    "files.put": "put({name, text | base64}): a new file, up to 256 kB.",
    "seq": "seq(name): the next number of a series without gaps.",
    "money": "Arithmetic in whole minor units: add, subtract, multiply, percent, split, format.",
    "money.format": "format(amount): as people read it, in the site's currency.",
    "money.percent": "percent(amount, percent): rounded half up.",
    "money.split": "split(amount, parts): parts that add up to the amount.",
    "money.multiply": "multiply(amount, factor): rounded half up.",
    "time": "Moments: parse, add, diff, inZone, format.",
    "time.add": "add(moment, {days: 1, hours: -2}): another moment, ISO 8601 in UTC.",
    "time.diff": "diff(from, to, \"days\"): whole units between two moments.",
    "time.format": "format(moment, \"datetime\" | \"date\" | \"time\"): in the site's language and zone.",
    "time.parse": "parse(text, zone): a moment from a local date and time.",
    "time.inZone": "inZone(moment, zone): its parts where the site is.",
    "log": "Lines for the log: debug, info, warn, error (message, data).",
    "log.info": "info(message, data).",
    "log.warn": "warn(message, data).",
    "log.error": "error(message, data).",
    "call": "call(function, input): another function of this module, in the same transaction.",
    "connections": "Connections to other services: {connected, scopes}.",
}  # fmt: skip
_TABLE = {
    "find": "find({where, sort, limit, fields}) or find(where): records that match, at most 200.",
    "get": "get(id): one record, or null.",
    "insert": "insert(values): makes a record and returns it.",
    "update": "update(id, values): changes some fields and returns the record.",
    "remove": "remove(id): deletes a record.",
    "count": "count(where): how many match.",
    "sum": "sum(field, where): of a number field.",
    "lock": "lock(id): the record, which nobody else can change until this transaction ends.",
}
_CLASSES = {
    "w-page": "The page itself.",
    "w-card": "A framed part of the page.",
    "w-lead": "An introduction, larger and softer.",
    "w-muted": "What matters less.",
    "w-row": "Fields side by side where there is room.",
    "w-field": "A label, its input, its help and its error.",
    "w-help": "A sentence under an input.",
    "w-error": "What is wrong with an input.",
    "w-note": 'A framed sentence; data-tone="ok" or "bad".',
    "w-button": "A link that looks like a button.",
    "w-button-quiet": "A button that stands back.",
    "w-choice": "A checkbox or radio with its label.",
    "w-table": "A plain table.",
    "w-done": "Thanks after a form.",
}
_VARIABLES = {
    "--accent": "The accent colour: of the site, the setting or the embedding page.",
    "--on-accent": "Text on the accent colour.",
    "--page": "The background of the page.",
    "--surface": "The background of cards and inputs.",
    "--text": "Text.",
    "--text-soft": "Text that matters less.",
    "--line": "Thin lines.",
    "--edge": "Edges of inputs.",
    "--bad": "What is wrong.",
    "--bad-soft": "Its background.",
    "--ok": "What is well.",
    "--ok-soft": "Its background.",
    "--radius": "How round corners are.",
    "--font": "The page's typeface.",
}  # fmt: skip


def words_of(manifest: Manifest, path: str) -> list[Word]:
    """The words of one file; [] for a kind of file that has none."""
    folder, _, name = path.partition("/")
    if folder == "templates":
        pages = [page for page in manifest.pages.values() if page.template == name]
        return [*_template(manifest, pages), *_all("|", _FILTERS, "filter"), *_all("", _CLASSES, "class")]
    if folder == "functions":
        return list(_function(manifest, name))
    if path.endswith(".css"):
        return [*_all(".", _CLASSES, "class"), *_all("", _VARIABLES, "variable")]
    return []


def _word(label: str, kind: str, text: str) -> Word:
    return {"label": label, "kind": kind, "text": text}


def _all(before: str, words: dict[str, str], kind: str) -> Iterator[Word]:
    for name, text in words.items():
        yield _word(f"{before}{name}", kind, text)


def _template(manifest: Manifest, pages: list[Page]) -> Iterator[Word]:
    yield _word("settings", "object", "The settings of this install, without secrets.")
    yield from _settings(manifest, "settings", secrets=False)
    yield _word("site", "object", "The site this is shown on.")
    yield from _all("site.", _SITE, "text")
    yield _word("visitor", "object", "Who looks at it: locale and theme.")
    yield from _all("visitor.", {"locale": "The visitor's language.", "theme": "light, dark or auto."}, "text")
    if any(page.kind in ("email", "document") for page in pages) or not pages:
        yield _word("data", "object", "What the function that sends this letter gives it.")
    for page in pages:
        if page.data:
            yield _word("data", "object", "The records this page declares in module.yaml.")
        for source, spec in page.data.items():
            yield _word(f"data.{source}", "list", f"Records of {spec.table}, at most {spec.limit}.")
            names = spec.fields or [
                one for one, field in manifest.tables[spec.table].fields.items() if not field.private
            ]
            yield from _fields(manifest.tables[spec.table], f"data.{source}[]", names)
        if page.params:
            yield _word("params", "object", "The parameters of the page's address.")
        for param, about in page.params.items():
            yield _word(f"params.{param}", about.type, about.label or "A parameter of the address.")
        if page.kind == "form" and page.table:
            yield _word("form", "object", "The form: what was entered, what is wrong, whether it was sent.")
            yield from _all("form.", _FORM, "object")
            for part in ("values", "errors"):
                yield from _fields(manifest.tables[page.table], f"form.{part}", page.fields or (), own=False)


def _function(manifest: Manifest, name: str) -> Iterator[Word]:
    yield _word("ctx", "object", "Everything the function may use of the platform.")
    yield from _all("ctx.", _CTX, "function")
    yield from _all("ctx.site.", _SITE, "text")
    yield from _settings(manifest, "ctx.settings", secrets=True)
    for table in manifest.tables:
        yield _word(f"ctx.db.{table}", "table", f"The records of {table}.")
        yield from _all(f"ctx.db.{table}.", _TABLE, "function")
    yield _word("input", "object", "What the function is called with.")
    for function in manifest.functions.values():
        if function.file != name:
            continue
        if isinstance(function.on, TableHook):
            spec = manifest.tables[function.on.table]
            for part, text in (("old", "The record before the change."), ("new", "The record as it would be kept.")):
                yield _word(f"input.{part}", "object", text)
                yield from _fields(spec, f"input.{part}", spec.fields)
        elif isinstance(function.on, EventHook):
            yield _word("input.event", "object", "The event: id, type, at, actor. The id tells a repeat.")
            yield from _all("input.event.", {"id": "The event's id.", "type": "Its name."}, "text")
            yield _word("input.record", "object", "The record the event is about.")
            yield from _all("input.record.", {"id": _RECORD["id"]}, "text")
        elif function.route is not None:
            yield _word("input.body", "object", "The JSON that was sent.")
            yield _word("input.query", "object", "The parameters of the address.")


def _settings(manifest: Manifest, before: str, *, secrets: bool) -> Iterator[Word]:
    for name, spec in manifest.setting_fields.items():
        if secrets or spec.type != "secret":
            yield _word(f"{before}.{name}", spec.type, spec.label or spec.help or "A setting.")


def _fields(table: Table, before: str, names: Any, *, own: bool = True) -> Iterator[Word]:
    for name in names:
        field = table.fields.get(name)
        if field is not None:
            yield _word(
                f"{before}.{name}", field.type, field.label or field.help or (field.__doc__ or "").split("\n")[0]
            )
    if own:
        yield from _all(f"{before}.", _RECORD, "text")
