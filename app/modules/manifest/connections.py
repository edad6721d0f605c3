"""Connections: other services that a module acts at for whoever connects them, over OAuth 2.0."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.modules.manifest.base import Help, Label, Part

HttpsUrl = Annotated[str, StringConstraints(pattern=r"^https://[^\s\"'<>\\]{3,400}$")]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Connection(Part):
    """A service that functions may call in the name of whoever connected it (authorization code with PKCE)."""

    label: Label
    """What the service is called."""
    help: Help
    """Why the module wants it, in words an agency owner understands."""
    authorize_url: HttpsUrl
    """Where a person agrees."""
    token_url: HttpsUrl
    """Where the platform gets and renews tokens."""
    revoke_url: HttpsUrl | None = None
    """Where it gives them back (RFC 7009)."""
    issuer: HttpsUrl | None = None
    """What the answer must name as iss (RFC 9207), if the service sends it."""
    scopes: Annotated[tuple[Word, ...], Field(max_length=50)] = ()
    params: Annotated[dict[Word, Word], Field(max_length=10)] = Field(default_factory=dict)
    """Further parameters of the authorize address, such as access_type: offline."""
    hosts: Annotated[tuple[Word, ...], Field(min_length=1, max_length=20)]
    """The only hosts that are sent the token; each stands in permissions.network too."""
    client_id: Word | None = None
    """The module's own registration without a secret. Absent: the agency registers and enters its own."""
    client_auth: Literal["basic", "post"] = "basic"
    """How a secret is shown to token_url."""
