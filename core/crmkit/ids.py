"""Identifiers: UUID version 7, made on the client side so that bulk writes need no round trip."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a new identifier; later ones sort after earlier ones."""
    return uuid7()
