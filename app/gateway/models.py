"""api_keys as a table. The two other tables of this package are written and read by SQL of their own."""

from __future__ import annotations

from datetime import datetime
from ipaddress import IPv4Network, IPv6Network
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY, CIDR, INET
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Created, Identified

SCOPES = {
    "read": "Read records",
    "write": "Create and change records",
    "delete": "Delete records",
    "events": "Read the event stream",
    "functions": "Call the module's own routes",
}
# What a key that everybody can read in a page's source may be given: only what the module opens to the public anyway.
PUBLISHABLE_SCOPES = ("read", "write", "functions")


class ApiKey(Identified, Created, Base):
    """A key of one site, for one installed module or all of them. Only its hash is kept."""

    __tablename__ = "api_keys"
    public_prefix = "key"
    __table_args__ = (ForeignKeyConstraint(["agency_id", "site_id"], ["sites.agency_id", "sites.id"]),)

    agency_id: Mapped[UUID]
    site_id: Mapped[UUID]
    install_id: Mapped[UUID | None]
    name: Mapped[str]
    kind: Mapped[str]
    shown: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    origins: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    networks: Mapped[list[IPv4Network | IPv6Network]] = mapped_column(ARRAY(CIDR), server_default="{}")
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    last_used_ip: Mapped[str | None] = mapped_column(INET)
