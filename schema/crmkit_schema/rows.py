"""Rows that a mutation is given by global id, and answers with."""

from typing import Any, TypeVar
from uuid import UUID

from strawberry import Info
from strawberry.types.base import get_object_definition

from crmkit import NotFound
from crmkit_schema.nodes import rows_by_id
from crmkit_schema.object_types import split_id
from crmkit_schema.specs import spec_of

T = TypeVar("T")


def read_id(cls: type, text: str) -> UUID:
    """Return the stored id that a global id names.

    Args:
        cls: type of the row, made with `object_type` and a `node` prefix.

    Raises:
        NotFound: it is the id of another type.
        GraphQLError: it is no global id at all; code BAD_USER_INPUT.
    """
    prefix, id_ = split_id(text)
    spec = spec_of(cls)
    if spec is None or prefix != spec.prefix:
        raise NotFound(_name(cls), text)
    return id_


def fetch_row(info: Info[Any, Any], cls: type[T], id_: UUID | str) -> T:
    """Return one row as it is now, with everything that the client selects of it.

    Args:
        id_: stored or global id.

    Raises:
        NotFound: there is no such row.
    """
    key = read_id(cls, id_) if isinstance(id_, str) else id_
    found = rows_by_id(info, {cls: [key]})
    if (cls, key) not in found:
        raise NotFound(_name(cls), id_)
    row: T = found[cls, key]
    return row


def _name(cls: type) -> str:
    return get_object_definition(cls, strict=True).name
