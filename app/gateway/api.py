"""/api/modules/…: records, events and the description of installed modules, for credentials of a site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

import psycopg
from flask import Blueprint, current_app, jsonify, redirect
from flask.typing import ResponseReturnValue

from app.access.actors import Actor
from app.errors import AppError, BadRequest, FieldError, Invalid, NotFound
from app.gateway.bodies import read_json
from app.gateway.eventstream import must_cover_site, pull_events, types_of_install, types_of_site
from app.gateway.files import MAX_UPLOAD_BYTES, send_file, take_file
from app.gateway.gateway import Gateway
from app.gateway.guard import GATEWAY, any_credential, requires_scope
from app.gateway.http import Answer, Call, json_answer, problem
from app.gateway.openapi import openapi_document, site_events_document
from app.gateway.routes import RouteCall
from app.lib.ids import uuid7
from app.runtime.context import InstallContext, find_install, load_install
from app.runtime.data import Access, Data, Record, Transaction
from app.runtime.data.faults import refusal
from app.runtime.data.scoped import Scope
from app.web.errors import STATUS, TITLES
from app.web.guard import public

bp = Blueprint("api", __name__, url_prefix="/api/modules")
functions_bp = Blueprint("api_functions", __name__, url_prefix="/api/modules")
events_bp = Blueprint("api_events", __name__, url_prefix="/api/events")
errors_bp = Blueprint("api_errors", __name__)

FUNCTION_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ALL_METHODS = (*FUNCTION_METHODS, "HEAD", "OPTIONS")
_TAG = re.compile(r'\s*(?:W/)?"([^"]*)"\s*')


# -- what is there


@bp.get("/<module>")
@any_credential
def describe(call: Call, module: str) -> Answer:
    """The install: version, tables and what the credential may do with each."""
    context, access = _install(call, module)
    tables = {
        name: {
            "label": table.label.many if table.label else name,
            "may": sorted(access.allowed(context.manifest, name)),
        }
        for name, table in context.manifest.tables.items()
        if access.allowed(context.manifest, name)
    }
    return json_answer(
        {
            "data": {
                "id": str(context.module_id),
                "short_id": context.short_id,
                "slug": context.module_slug,
                "name": context.module_name,
                "version": context.version,
                "site": context.site.slug,
                "tables": tables,
            }
        }
    )


@bp.get("/<module>/openapi.json")
@any_credential
def openapi(call: Call, module: str) -> Answer:
    context, access = _install(call, module)
    scopes = call.credential.scopes
    document = openapi_document(
        context,
        access,
        base_url=current_platform_url(call),
        events="events" in scopes,
        functions="functions" in scopes and _gateway(call).run_route is not None,
    )
    return json_answer(document)


@bp.get("/<module>/docs")
@public
def docs(module: str) -> ResponseReturnValue:
    """The readable form is a screen of the platform, for people who are signed in there."""
    return redirect(f"{current_app.config['DRAMAC'].platform_url}/api-docs/{module}", code=302)


@bp.get("/<module>/events")
@requires_scope("events")
def events(call: Call, module: str) -> Answer:
    context, _ = _install(call, module)
    return Answer(200, pull_events(call.credential, context.install_id, call.query()))


@bp.get("/<module>/events/types")
@requires_scope("events")
def event_types(call: Call, module: str) -> Answer:
    """What the stream may hold: each type with the JSON Schema of its data and an example."""
    context, _ = _install(call, module)
    return json_answer({"data": types_of_install(context.manifest, _gateway(call).describe_event)})


@events_bp.get("")
@requires_scope("events")
def site_events(call: Call) -> Answer:
    """The stream of the whole site: what happens to it, and what the modules on it tell."""
    must_cover_site(call.credential)
    return Answer(200, pull_events(call.credential, None, call.query()))


@events_bp.get("/openapi.json")
@any_credential
def site_events_openapi(call: Call) -> Answer:
    return json_answer(site_events_document(base_url=current_platform_url(call)))


@events_bp.get("/types")
@requires_scope("events")
def site_event_types(call: Call) -> Answer:
    must_cover_site(call.credential)
    return json_answer({"data": types_of_site(call.credential, _gateway(call).describe_event)})


# -- records


@bp.get("/<module>/<table>")
@requires_scope("read")
def list_records(call: Call, module: str, table: str) -> Answer:
    data = _data(call, module)
    return Answer(200, data.list(table, data.parse_list(table, call.query())).body)


@bp.get("/<module>/files/<file_id>")
@requires_scope("read")
def get_file(call: Call, module: str, file_id: str) -> Answer:
    """A file of a record that the credential may read; ?size=small or medium for a smaller picture, ?download=1 to save it."""
    return send_file(call, _data(call, module), _uuid(file_id))


@bp.post("/<module>/files")
@requires_scope("write", max_body_bytes=MAX_UPLOAD_BYTES)
def upload_file(call: Call, module: str) -> Answer:
    """A file for a field of a record: multipart with a part `file`, or the bytes themselves with ?name=plan.pdf."""
    return take_file(call, *_install(call, module))


@bp.get("/<module>/<table>/aggregate")
@requires_scope("read")
def aggregate(call: Call, module: str, table: str) -> Answer:
    data = _data(call, module)
    return Answer(200, b'{"data":%b}' % data.aggregate(table, data.parse_aggregation(table, call.query())))


@bp.get("/<module>/<table>/<record_id>")
@requires_scope("read")
def get_record(call: Call, module: str, table: str, record_id: str) -> Answer:
    data = _data(call, module)
    wanted = _uuid(record_id)
    record = (
        data.get(table, wanted, data.parse_get(table, call.query())) if call.query_string else data.get(table, wanted)
    )
    asked = call.header("If-None-Match")
    if asked and (asked.strip() == "*" or str(record.version) in _tags(asked)):
        return Answer(304, headers=[("ETag", _etag(record))])
    return _one(record)


@bp.post("/<module>/<table>")
@requires_scope("write")
def create_records(call: Call, module: str, table: str) -> Answer:
    """One object, or an array of up to 500 that are all made or none."""
    data = _data(call, module)
    data.table(table, "create")
    body = read_json(call)
    if isinstance(body, dict):
        with _writing(call, data) as writer:
            record = writer.insert(table, body)
        return _one(record, 201, location=f"/api/modules/{module}/{table}/{record.id}")
    if not isinstance(body, list) or not body or not all(isinstance(row, dict) for row in body):
        raise _wrong("Send one object, or an array of 1 to 500 objects.")
    with _writing(call, data) as writer:
        records = writer.insert_many(table, body)
    return Answer(201, f'{{"data":[{",".join(record.text for record in records)}]}}'.encode())


@bp.patch("/<module>/<table>/<record_id>")
@requires_scope("write")
def change_record(call: Call, module: str, table: str, record_id: str) -> Answer:
    data = _data(call, module)
    body = read_json(call)
    if not isinstance(body, dict):
        raise _wrong("Send one object with the fields to change.")
    with _writing(call, data) as writer:
        record = writer.update(table, _uuid(record_id), body, if_version=_if_version(call))
    return _one(record)


@bp.delete("/<module>/<table>/<record_id>")
@requires_scope("delete")
def delete_record(call: Call, module: str, table: str, record_id: str) -> Answer:
    with _writing(call, _data(call, module)) as writer:
        writer.delete(table, _uuid(record_id), if_version=_if_version(call))
    return Answer(204)


# -- the module's own routes; registered only where something runs them


@functions_bp.route("/<module>/fn/<path:path>", methods=list(FUNCTION_METHODS), provide_automatic_options=False)
@requires_scope("functions", route_class="functions")
def call_function(call: Call, module: str, path: str) -> Answer:
    context, access = _install(call, module)
    run_route = _gateway(call).run_route
    if run_route is None:
        raise NotFound()
    answer = run_route(
        RouteCall(
            context=context,
            access=access,
            actor=access.actor,
            method=call.method,
            path=f"/{path}",
            query=call.query(),
            body=call.body,
            content_type=call.environ.get("CONTENT_TYPE", ""),
            publishable=call.credential.kind == "publishable",
            request_id=call.request_id,
            connection=call.connection,
        )
    )
    return Answer(answer.status, answer.body, content_type=answer.content_type)


# -- what is not there


@bp.route("/<path:path>", methods=list(ALL_METHODS), provide_automatic_options=False)
@any_credential
def nothing(call: Call, path: str = "", methods: list[str] | None = None) -> Answer:
    """An address that is none (404), or one that is there for other methods (405, which names them)."""
    if not methods:
        raise NotFound()
    detail = f"{call.method} is not possible here; {', '.join(methods)} are."
    return problem(call, 405, "method_not_allowed", detail, headers=[("Allow", ", ".join(methods))])


@errors_bp.get("/errors/<code>")
@public
def explain_error(code: str) -> ResponseReturnValue:
    """What the `type` of a problem leads to: the code in words."""
    found = _error_codes().get(code)
    if found is None:
        raise NotFound()
    status, text = found
    return jsonify(code=code, status=status, title=TITLES.get(status, "Error"), detail=text)


# -- how


def _install(call: Call, module: str) -> tuple[InstallContext, Access]:
    """The install that the credential may reach, and how. Raises NotFound for every other alike."""
    credential = call.credential
    if credential.install_id is None:
        context = find_install(credential.site_id, module)
    else:  # whether another module is there is not told, not even by its being paused
        context = load_install(credential.install_id)
        if module not in (context.module_slug, context.short_id, str(context.module_id)):
            raise NotFound()
    call.install_id, call.recording_until = context.install_id, context.recording_until
    actor = Actor(
        kind="grant" if credential.kind == "oauth" else "key",
        id=credential.id,
        agency_id=credential.agency_id,
        ip=call.address or None,
        request_id=call.request_id,
    )
    return context, Access.for_key(actor, scopes=credential.scopes, publishable=credential.kind == "publishable")


def _data(call: Call, module: str) -> Data:
    return Data(*_install(call, module))


@contextmanager
def _writing(call: Call, data: Data) -> Iterator[Data | Transaction]:
    """Writes of their own; for a call with an Idempotency-Key a part of the transaction that keeps its answer."""
    if call.connection is None:
        yield data
        return
    settings = replace(data.settings, batch=uuid7())
    yield Transaction(data.context, data.access, call.connection, settings)
    try:  # what is otherwise checked at commit has to be part of the answer that is kept
        scope = Scope.of(data.context, data.access.actor, settings.batch)
        call.connection.run(scope, ("SET CONSTRAINTS ALL IMMEDIATE", []))
    except psycopg.Error as error:
        raise refusal(error, data.context, data.model) or error


def _gateway(call: Call) -> Gateway:
    gateway: Gateway = call.environ[GATEWAY]
    return gateway


def current_platform_url(call: Call) -> str:
    return _gateway(call).platform_url


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound() from None


def _etag(record: Record) -> str:
    return f'"{record.version}"'


def _one(record: Record, status: int = 200, *, location: str | None = None) -> Answer:
    headers = [("ETag", _etag(record))]
    if location is not None:
        headers.append(("Location", location))
    return Answer(status, b'{"data":%b}' % record.data, headers)


def _tags(header: str) -> list[str]:
    return [match[1] for part in header.split(",") if (match := _TAG.fullmatch(part))]


def _if_version(call: Call) -> int | None:
    """The version that If-Match asks for; None when it asks for none. Raises BadRequest for what cannot be one."""
    header = call.header("If-Match").strip()
    if not header or header == "*":
        return None
    tags = _tags(header)
    if len(tags) != 1 or not tags[0].isascii() or not tags[0].isdigit() or len(tags[0]) > 9:
        raise BadRequest('If-Match takes one ETag as you read it, such as "3".')
    return int(tags[0])


def _wrong(detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError("", "type", detail)])


def _error_codes() -> dict[str, tuple[int, str]]:
    """{code: (status, what it means and what to do)} of every failure of the product."""
    found = {
        "method_not_allowed": (
            405,
            "This address exists, but not for this method. The Allow header lists those it has.",
        )
    }
    found["internal"] = (500, "Something broke on our side and was logged. Give support the request id.")
    waiting: list[type[AppError]] = [AppError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind is not AppError and kind.__doc__:
            found.setdefault(
                kind.code,
                (next((STATUS[cls] for cls in kind.__mro__ if cls in STATUS), 500), " ".join(kind.__doc__.split())),
            )
    return found
