"""Bearer tokens. Only a digest is kept; the token itself is shown once."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from crmkit.columns import Instant
from crmkit.ids import new_id


class AccessToken(SQLModel, table=True):
    """What a caller proves itself with.

    Attributes:
        digest: SHA-256 of the token, in hex.
        role: name of the role whose permissions the bearer has.
        revoked_at: from then on the token is refused.
    """

    __tablename__ = "access_token"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str
    digest: str = Field(unique=True)
    role: str
    created_at: datetime = Field(sa_type=Instant)
    expires_at: datetime | None = Field(default=None, sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
