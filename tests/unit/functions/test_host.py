"""What a function may ask of the platform, and what happens when it was not granted: a HostError, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.access.actors import SYSTEM
from app.config import Config
from app.errors import Invalid
from app.lib import judged
from app.lib.http_out import Answer, Egress
from app.lib.ids import encode, uuid7
from app.lib.judged import OutgoingFailed
from app.mail.actions import open_body
from app.mail.models import Mail
from app.runtime.functions import process
from app.runtime.functions.errors import FunctionFailed
from app.runtime.functions.run import run_function
from tests.support.modules import Installed, Released, put_on
from tests.support.world import World

Do = Callable[..., Any]


class FakeServer(Egress):
    """Somebody else's server; only the connection to it is not real."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, str, dict[str, str], float]] = []

    def request(self, method: str, url: str, **how: Any) -> Answer:  # type: ignore[override]  # keywords as given
        self.calls.append((method, url, how["headers"], how["timeout_s"]))
        if url.endswith("/down"):
            raise OutgoingFailed("timeout", "No answer within 4 s.")
        return Answer(200, {"content-type": "application/json"}, b'{"ok":true}', 1.0)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tools: Installed) -> FakeServer:
    found = FakeServer()
    monkeypatch.setattr(process._process, "egress", found)
    return found


def test_records_are_written_and_read_in_one_transaction(tools: Installed, do: Do) -> None:
    made, found, number, total, gone = do(
        ["db:items/insert", {"name": "a", "amount": 3}],
        ["db:items/find", {"where": {"amount": {"gte": 1}}, "sort": "-name", "limit": 5, "fields": ["name"]}],
        ["db:items/count", {"name": "a"}],
        ["db:items/sum", "amount"],
        ["db:items/get", str(uuid7())],
    )
    assert found == [{"id": made["id"], "name": "a"}]
    assert (number, total, gone) == (1, 3, None)
    assert [item["name"] for item in tools.records("items")] == ["a"]
    assert tools.events() == ["item.created"]


def test_a_throw_undoes_everything_and_leaves_its_account(tools: Installed, do: Do) -> None:
    with pytest.raises(FunctionFailed):
        do(["db:items/insert", {"name": "a"}], ["emit", "item.sold", {}], ["mail", _letter()], ["throw", "No more."])
    assert (tools.records("items"), tools.events(), tools.mails()) == ([], [], [])
    hook, run = sorted(tools.runs(), key=lambda row: row["function"])
    assert (hook["function"], hook["trigger"], hook["outcome"]) == ("before", "hook", "ok")
    assert (run["function"], run["trigger"], run["outcome"], run["host_calls"]) == ("do", "test", "error", 3)
    assert run["error"].startswith("functions/do.js:7: No more.")


def test_ctx_invalid_is_an_error_of_that_field(tools: Installed, do: Do) -> None:
    with pytest.raises(Invalid) as caught:
        do(["db:items/insert", {"name": "a"}], ["invalid", "answers.topic", "Please answer."])
    assert [(error.pointer, error.detail) for error in caught.value.errors] == [("/answers/topic", "Please answer.")]
    assert tools.records("items") == []
    assert [run["outcome"] for run in tools.runs() if run["function"] == "do"] == ["refused"]


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (["try:nothing/find", {}], "unknown_table"),
        (["try:items/find", {"where": {"nothing": 1}}], "invalid"),
        (["try:items/find", {"sort": "nothing"}], "invalid_argument"),
        (["try:items/find", {"limit": 5000}], "invalid_argument"),
        (["try:items/insert", {"name": "x" * 30}], "invalid"),
        (["try:items/insert", {"name": "a", "nothing": 1}], "invalid"),
        (["try:items/insert", {"name": "a", "site_id": "b"}], "invalid"),
        (["try:items/insert", "a"], "invalid_argument"),
        (["try:items/update", "no id", {}], "not_found"),
        (["try:items/remove", "01a2087d-0000-7000-8000-000000000000"], "not_found"),
        (["try", "emit", "item.created", {}], "unknown_event"),
        (["try", "emit", "deal.won", {}], "unknown_event"),
        (["try", "call", "nothing", {}], "unknown_function"),
        (["try", "seq", ""], "invalid"),
        (["try", "files.get", "a"], "invalid_argument"),
        (["try", "mail", {"to": "a@example.com"}], "invalid_argument"),
        (["try", "mail", {"to": "nobody", "subject": "a", "text": "b"}], "invalid_argument"),
        (["try", "mail", {"to": "user:usr_0", "subject": "a", "text": "b"}], "not_found"),
        (
            ["try", "mail", {"to": "a@example.com", "subject": "a", "text": "b", "bcc": "c@example.com"}],
            "invalid_argument",
        ),
        (["try", "mail", {"to": "a@example.com", "subject": "a", "template": "do"}], "invalid_argument"),
        (["try", "http.get", "https://other.example.com/"], "not_granted"),
        (["try", "http.post", "https://api.example.com/"], "not_granted"),
        (["try", "http.get", "not an address"], "not_granted"),
        (["try", "http.get", "https://api.example.com/", {"headers": {"host": "a"}}], "invalid_argument"),
        (["try", "http.get", "https://api.example.com/", {"headers": {"a": "b\r\nc: d"}}], "invalid_argument"),
    ],
)
def test_what_is_not_possible_is_a_host_error_that_may_be_caught(
    tools: Installed, do: Do, server: FakeServer, step: list[Any], code: str
) -> None:
    [caught, after] = do(step, ["db:items/count"])
    assert (caught["code"], after) == (code, 0)
    assert (tools.records("items"), tools.events(), tools.mails(), server.calls) == ([], [], [], [])


@pytest.mark.parametrize(
    "step",
    [
        ["try", "mail", {"to": "a@example.com", "subject": "a", "text": "b"}],
        ["try", "http.get", "https://api.example.com/"],
        ["try:notes/find", {}],
    ],
)
def test_what_the_manifest_asks_for_still_needs_consent(
    tools: Installed, other: Installed, do: Do, server: FakeServer, step: list[Any]
) -> None:
    other.data().insert("notes", {"title": "theirs"})
    tools.change(granted={})
    assert [one["code"] for one in do(step)] == ["not_granted"]
    assert (tools.mails(), server.calls) == ([], [])


def test_S1_the_platform_itself_is_not_called_even_when_it_was_granted(
    tools: Installed, do: Do, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judged, "_own", {("api.example.com", 443)})
    [caught, other_port] = do(
        ["try", "http.get", "https://API.example.com/api/health"], ["try", "http.get", "https://api.example.com:8443/"]
    )
    assert (caught["code"], other_port["code"], server.calls) == ("http_blocked", "http_blocked", [])


def test_a_refused_write_that_is_caught_leaves_the_rest_standing(tools: Installed, do: Do) -> None:
    first, caught, after = do(
        ["db:items/insert", {"name": "a", "code": "one"}],
        ["try:items/insert", {"name": "b", "code": "one"}],
        ["db:items/insert", {"name": "c", "code": "two"}],
    )
    assert (caught["code"], caught["field"]) == ("invalid", "code")
    assert sorted(item["name"] for item in tools.records("items")) == ["a", "c"]
    assert {first["name"], after["name"]} == {"a", "c"}


def test_granted_tables_show_granted_fields_and_cannot_be_written(tools: Installed, other: Installed, do: Do) -> None:
    note = other.data().insert("notes", {"title": "theirs", "hidden": "not yours"})
    slug = other.context.module_slug
    found, named, write, peek = do(
        ["db:notes/find", {}],
        [f"db:{slug}.notes/get", str(note.id)],
        ["try:notes/insert", {"title": "mine"}],
        ["try:notes/find", {"where": {"hidden": "not yours"}}],
    )
    assert [one["title"] for one in found] == ["theirs"]
    assert "hidden" not in found[0]
    assert named["title"] == "theirs"
    assert (write["code"], peek["code"]) == ("forbidden", "invalid")
    assert [one["title"] for one in other.records("notes")] == ["theirs"]


def test_no_other_sites_rows_by_where_id_or_lock(
    tools: Installed, releases: tuple[Released, Released], world: World, config: Config, do: Do
) -> None:
    theirs = put_on(releases[0], world.site(world.agency()), config=config)
    item = theirs.data().insert("items", {"name": "theirs"})
    answers = do(
        ["db:items/find", {}],
        ["db:items/find", {"where": {"id": str(item.id)}}],
        ["db:items/get", str(item.id)],
        ["db:items/count", {}],
        ["try:items/update", str(item.id), {"name": "mine"}],
        ["try:items/remove", str(item.id)],
        ["try:items/lock", str(item.id)],
    )
    assert answers[:4] == [[], [], None, 0]
    assert [one["code"] for one in answers[4:]] == ["not_found"] * 3
    assert [one["name"] for one in theirs.records("items")] == ["theirs"]


def test_a_letter_is_rendered_sealed_and_posted_with_the_transaction(tools: Installed, do: Do, config: Config) -> None:
    do(["mail", _letter(template="letter", data={"name": "Ann"}, reply_to="desk@example.com")])
    [mail] = tools.mails()
    assert (mail["recipient"], mail["subject"], mail["reply_to"]) == (
        "ann@example.com",
        "Hello you",
        "desk@example.com",
    )
    assert mail["kind"] == f"module.{tools.context.module_slug}"
    assert "Dear" not in mail["body_sealed"]
    body = open_body(Mail(id=mail["id"], body_sealed=mail["body_sealed"]), config.secret_keys)
    assert body == {"text": f"Dear Ann, {tools.site.name}", "html": ""}


def test_a_letter_to_a_member_finds_the_address_and_never_tells_it(tools: Installed, do: Do, world: World) -> None:
    agency = type("A", (), {"id": tools.site.agency_id})
    ada, stranger = world.person(agency), world.person(world.agency())
    caught = do(
        ["mail", _letter(to=f"user:{ada.id}", text="x")],
        ["mail", _letter(to=f"user:{encode('usr', ada.id)}", text="x")],
        ["try", "mail", _letter(to=f"user:{stranger.id}", text="x")],
    )
    assert caught[:2] == [None, None]
    assert caught[2]["code"] == "not_found"
    assert [mail["recipient"] for mail in tools.mails()] == [ada.email, ada.email]


def test_the_letters_of_a_day_have_an_end(tools: Installed, do: Do, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.runtime.functions.letters.DAILY_CAP", 2)
    answers = do(*[["try", "mail", _letter(text="x")]] * 3)
    assert [answer and answer["code"] for answer in answers] == [None, None, "too_many"]
    assert len(tools.mails()) == 2


def test_declared_hosts_are_called_through_the_guarded_client(do: Do, server: FakeServer) -> None:
    answer, failed = do(
        ["http.get", "https://api.example.com/a", {"headers": {"authorization": "Bearer x"}}],
        ["try", "http.get", "https://api.example.com/down"],
    )
    assert answer == {"status": 200, "headers": {"content-type": "application/json"}, "body": '{"ok":true}'}
    assert failed["code"] == "http_timeout"
    assert server.calls[0] == ("GET", "https://api.example.com/a", {"authorization": "Bearer x"}, 4.0)


def test_a_call_outside_gets_less_time_while_locks_are_held(do: Do, server: FakeServer) -> None:
    do(["db:items/insert", {"name": "a"}], ["http.get", "https://api.example.com/a"])
    assert server.calls[0][3] == 2.0


def test_ctx_tells_settings_with_secrets_actor_site_and_install(tools: Installed, do: Do) -> None:
    settings, actor, site, install = do(["ctx", "settings"], ["ctx", "actor"], ["ctx", "site"], ["ctx", "install"])
    assert settings == {"greeting": "Hello", "token": "s3cret"}
    assert actor == {"kind": "system", "id": None, "name": "Dramac", "role": None}
    assert (site["timezone"], site["name"]) == ("Europe/Berlin", tools.site.name)
    assert install == {"id": tools.public_id, "module": tools.context.module_slug, "version": "1.0.0"}


def test_a_series_has_no_gaps(tools: Installed, do: Do) -> None:
    assert do(["seq", "a"], ["seq", "a"], ["seq", "b"]) == [1, 2, 1]
    with pytest.raises(FunctionFailed):
        do(["seq", "a"], ["throw", "no"])
    assert do(["seq", "a"]) == [3]


def test_functions_call_each_other_in_one_transaction_four_deep(tools: Installed, do: Do) -> None:
    inner = {"steps": [["db:items/insert", {"name": "inner"}], ["throw", "no"]]}
    [caught] = do(["try", "call", "do", inner])
    assert caught["code"] == "function_failed"
    assert tools.records("items") == []
    assert do(["call", "do", {"steps": [["db:items/insert", {"name": "in"}]]}])[0][0]["name"] == "in"
    deep: list[Any] = ["ctx", "now"]
    for _ in range(4):
        deep = ["call", "do", {"steps": [deep]}]
    with pytest.raises(FunctionFailed):
        do(deep)
    assert [run["trigger"] for run in tools.runs() if run["function"] == "do"].count("call") >= 5


@pytest.mark.parametrize(
    ("steps", "outcome"), [([["spin"]], "timeout"), ([["db:items/count"]] * 21, "budget"), ([["throw", "x"]], "error")]
)
def test_budgets_hold_and_are_told(tools: Installed, do: Do, steps: list[Any], outcome: str) -> None:
    with pytest.raises(FunctionFailed):
        do(*steps)
    assert [run["outcome"] for run in tools.runs()] == [outcome]
    assert do(["db:items/count"]) == [0]


def test_a_run_under_a_key_happens_once(tools: Installed) -> None:
    from app.runtime.functions.run import AlreadyDone

    given = {"steps": [["db:items/insert", {"name": "once"}]]}
    how: dict[str, Any] = {"trigger": "test", "actor": SYSTEM, "once": "test:1"}
    run_function(tools.context, "do", given, **how)
    with pytest.raises(AlreadyDone):
        run_function(tools.context, "do", given, **how)
    assert len(tools.records("items")) == 1


def _letter(**values: Any) -> dict[str, Any]:
    letter = {"to": "ann@example.com", "subject": "Hello\n you", **values}
    return letter if "template" in letter or "text" in letter else {**letter, "text": "x"}


def test_files_are_made_read_and_given_to_records(tools: Installed, do: Do) -> None:
    made, again, wrong, huge, unknown = do(
        ["files.put", {"name": "list.csv", "text": "one;two\n"}],
        ["try", "files.put", {"name": "a.png", "base64": "aGVsbG8="}],
        ["try", "files.put", {"name": "a.txt"}],
        ["try", "files.put", {"name": "a.txt", "text": "x" * 256_001}],
        ["try", "files.get", str(uuid7())],
    )
    assert (made["name"], made["type"], made["size"]) == ("list.csv", "text/csv", 8)
    assert [one["code"] for one in (again, wrong, huge, unknown)] == [
        "invalid", "invalid_argument", "too_large", "not_found",
    ]  # fmt: skip
    made = do(["files.put", {"name": "list.csv", "text": "one;two\n"}], trigger="route")[0]
    item, read = do(["db:items/insert", {"name": "a", "paper": made}], ["files.read", made["id"]])
    assert (item["paper"], read) == (made, {**made, "text": "one;two\n"})
    assert tools.rows("SELECT state FROM module_files WHERE install_id = :install ORDER BY id") == [
        {"state": "pending"},
        {"state": "attached"},
    ]
