"""What a manifest may say of inbound webhooks, what an agency is told of them, and which changes senders would notice."""

from __future__ import annotations

import pytest

from app.inbound.signatures import NotProven, proven
from app.lib.clock import utcnow
from app.modules.consent import asks_of
from app.modules.diff import diff_manifests
from app.modules.manifest import Manifest, ManifestInvalid, json_schema, load_manifest
from app.modules.manifest.inbound import Inbound

MANIFEST = """
manifest: 1
slug: till-link
name: Till link
summary: Takes orders.
version: 1.0.0
type: {type}
functions:
  take: {{file: take.js}}
inbound: {inbound}
"""
HMAC = "{header: X-Signature}"


def manifest(inbound: str, **more: str) -> Manifest:
    return load_manifest(MANIFEST.format(**{"type": "integration", "inbound": inbound, **more}))


def faults(inbound: str, **more: str) -> list[tuple[str, str]]:
    with pytest.raises(ManifestInvalid) as caught:
        manifest(inbound, **more)
    return [(problem.path, problem.message) for problem in caught.value.problems]


def hook(text: str = "", hmac: str = "") -> str:
    signed = f", scheme: hmac, hmac: {hmac}" if hmac else ""
    return f"{{orders: {{title: Orders, call: take{signed}{text}}}}}"


@pytest.mark.parametrize(
    ("inbound", "path", "message"),
    [
        ("{orders: {title: Orders, call: tak}}", "inbound.orders.call", 'no function "tak"; did you mean "take"?'),
        (hook(", scheme: hmac"), "inbound.orders.scheme", "say under hmac how the sender signs"),
        (
            hook(f", hmac: {HMAC}"), "inbound.orders.hmac",
            "goes with scheme: hmac; Standard Webhooks say everything themselves",
        ),
        (hook(hmac="{header: X Signature}"), "inbound.orders.hmac.header",
         '"X Signature" is not allowed: write the name of a header, such as X-GitHub-Event'),
        (hook(hmac="{header: X-S, algorithm: md5}"), "inbound.orders.hmac.algorithm",
         '"md5" is not allowed; choose sha256 or sha512'),
        (hook(hmac='{header: X-S, content: "{timestamp}.{body}"}'), "inbound.orders.hmac.content",
         "say in timestamp_header or timestamp_part where the time stands"),
        (hook(hmac="{header: X-S, timestamp_header: X-T}"), "inbound.orders.hmac.content",
         "sign the timestamp too, or anybody could give an old message a new one"),
        (hook(hmac='{header: X-S, content: "{id}.{body}"}'), "inbound.orders.hmac.content",
         "say in id_header where the id stands"),
        (hook(hmac='{header: X-S, content: "{name}{body}"}'), "inbound.orders.hmac.content",
         "{name} is not known; there are {body}, {timestamp} and {id}"),
        (hook(hmac='{header: X-S, content: "fixed"}'), "inbound.orders.hmac.content",
         "{body} stands in it once: what is not signed proves nothing"),
        (hook(hmac='{header: X-S, content: "{body}{"}'), "inbound.orders.hmac.content",
         "write printable characters and {body}, {timestamp}, {id}"),
        (hook(hmac='{header: X-S, timestamp_part: t, content: "{timestamp}{body}"}'), "inbound.orders.hmac.timestamp_part",
         "say in part which entries of the list are signatures"),
        (hook(hmac="{header: X-S, id_header: X-I, id_field: id}"), "inbound.orders.hmac.id_field",
         "the id stands in one place; leave one of the two out"),
        (hook(", headers: [Authorization]"), "inbound.orders.headers.0", "Authorization is not shown to functions"),
        (hook(", headers: [x-s]", hmac="{header: X-S}"), "inbound.orders.headers.0", "x-s is not shown to functions"),
        (hook(", headers: [X-A, x-a]"), "inbound.orders.headers.1", 'header "x-a" is here twice'),
        (hook(", secrets: 1"), "inbound.orders.secrets", 'unknown key "secrets"; did you mean "secret"?'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_it_stands(inbound: str, path: str, message: str) -> None:
    assert (path, message) in faults(inbound)


def test_a_widget_takes_no_messages() -> None:
    assert ["inbound" in path for path, _ in faults(hook(), type="widget")] == [True]


def test_editors_complete_it_from_the_schema() -> None:
    schema = json_schema()
    inbound = schema["$defs"]["Inbound"]
    assert set(inbound["required"]) == {"title", "call"}
    assert inbound["properties"]["scheme"]["enum"] == ["standard", "hmac"]
    assert "description" in schema["$defs"]["Hmac"]["properties"]["content"]


def test_whoever_installs_it_is_told() -> None:
    ask = next(ask for ask in asks_of(manifest(hook())) if ask.key == "inbound")
    assert ask.text == "Orders. Each only once somebody has set up its secret, and only what is signed with it."


@pytest.mark.parametrize(
    ("after", "kind", "bump"),
    [
        ("{}", "inbound_removed", "major"),
        (hook(hmac=HMAC), "inbound_narrowed", "major"),
        (hook(", headers: [X-A]"), "inbound_changed", "patch"),
        ("{orders: {title: Orders, call: take}, more: {title: More, call: take}}", "inbound_added", "minor"),
    ],
)
def test_what_senders_would_notice_needs_a_major_version(after: str, kind: str, bump: str) -> None:
    [change] = diff_manifests(manifest(hook()), manifest(after)).changes
    assert (change.kind, change.least_bump) == (kind, bump)


# -- a way of signing that others describe in their documentation, with their own figures


def test_W13_slack_as_its_documentation_has_it() -> None:
    """https://docs.slack.dev/authentication/verifying-requests-from-slack: secret, time, body and signature of its example."""
    declared = Inbound.model_validate(
        {
            "title": "Commands", "call": "take", "scheme": "hmac",
            "hmac": {
                "header": "X-Slack-Signature", "prefix": "v0=", "timestamp_header": "X-Slack-Request-Timestamp",
                "content": "v0:{timestamp}:{body}",
            },
        }
    )  # fmt: skip
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
        b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
        b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d"
        b"10d2c447fce8b6703c"
    )
    headers = {
        "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        "X-Slack-Request-Timestamp": "1531420618",
    }
    at = utcnow().fromtimestamp(1531420618, tz=utcnow().tzinfo)
    known = ["8f742231b10e8888abcd99yyyzzz85a5"]
    assert proven(declared, headers=headers, body=body, known=known, now=at).id == ""
    with pytest.raises(NotProven, match="signature"):
        proven(declared, headers=headers, body=body + b"&", known=known, now=at)
    with pytest.raises(NotProven, match="timestamp"):
        proven(declared, headers=headers, body=body, known=known, now=utcnow())


def test_W13_github_as_its_documentation_has_it() -> None:
    """https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries: its values for trying one's own code."""
    declared = Inbound.model_validate(
        {
            "title": "Pushes", "call": "take", "scheme": "hmac",
            "hmac": {"header": "X-Hub-Signature-256", "prefix": "sha256=", "id_header": "X-GitHub-Delivery"},
        }
    )  # fmt: skip
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = {"X-Hub-Signature-256": signature, "X-GitHub-Delivery": "d1"}
    known = ["It's a Secret to Everybody"]
    assert proven(declared, headers=headers, body=b"Hello, World!", known=known, now=utcnow()).id == "d1"
