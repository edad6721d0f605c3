"""Inbound webhooks: messages that other services send to an install, and how they prove that they come from there."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.modules.manifest.base import Help, Label, Name, Part

HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,59}$")]
"""The name of a header, such as X-GitHub-Event."""
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,20}$")]
BodyField = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,60}(\.[A-Za-z0-9_-]{1,60}){0,4}$")]
"""A value in a JSON body, such as id or data.id."""


class Hmac(Part):
    """How a sender signs that does not follow Standard Webhooks: an HMAC in a header."""

    header: HeaderName
    """The header with the signature."""
    algorithm: Literal["sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: Annotated[str, StringConstraints(pattern=r"^[!-~]{0,20}$")] = ""
    """What stands before the signature, such as sha256=."""
    part: Word | None = None
    """The header is a list such as t=1700000000,v1=…, and the signatures in it have this name."""
    timestamp_header: HeaderName | None = None
    """The header with the seconds since 1970 at which the message was sent."""
    timestamp_part: Word | None = None
    """The same inside the list of `header`, such as t."""
    content: Annotated[str, StringConstraints(min_length=1, max_length=100)] = "{body}"
    """What is signed, made of {body}, {timestamp} and {id}: v0:{timestamp}:{body}."""
    id_header: HeaderName | None = None
    """The header with the id of the message, by which repeats are known."""
    id_field: BodyField | None = None
    """The same inside a JSON body. Without either, the same body is the same message."""

    @property
    def timed(self) -> bool:
        """Whether messages say when they were sent."""
        return bool(self.timestamp_header or self.timestamp_part)


class Inbound(Part):
    """A kind of message that another service sends to this module on a site."""

    title: Label
    """What it is called where the agency sets it up."""
    help: Help | None = None
    """Where in the other service the address and the secret are entered."""
    call: Name
    """The function that gets each message, once, after it is kept; tried again when it throws."""
    scheme: Literal["standard", "hmac"] = "standard"
    """How the sender signs: `standard` is Standard Webhooks 1.0.0."""
    hmac: Hmac | None = None
    """The sender's own way, with scheme: hmac."""
    secret: Literal["made", "given"] = "made"  # noqa: S105  # a word of ours, no secret
    """`made`: the platform makes the secret and the sender is told. `given`: the sender shows one."""
    headers: Annotated[tuple[HeaderName, ...], Field(max_length=20)] = ()
    """The headers that the function sees, besides content-type and user-agent."""

    @property
    def sender_gives(self) -> bool:
        """Whether the secret comes from the other service."""
        return self.secret != "made"  # noqa: S105  # as above
