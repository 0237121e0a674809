"""Object types whose rows come from a table or another SQL source."""

from collections.abc import Callable, Sequence
from typing import TypeVar, dataclass_transform
from uuid import UUID

import strawberry
from sqlalchemy import FromClause
from sqlmodel import SQLModel

from crmkit import table_of
from crmkit_schema.declarations import CrmField, computed, connection, mapped, money, related
from crmkit_schema.sources import Codec, Mapped
from crmkit_schema.specs import PUBLIC, TypeSpec, note
from crmkit_schema.values import bad_input

T = TypeVar("T", bound=type)
Rows = type[SQLModel] | FromClause


@strawberry.interface(description="Anything that can be fetched again by its id.")
class Node:
    """Relay's node."""

    id: strawberry.ID = strawberry.field(description="Global id; opaque, stable for ever.")


note(Node, TypeSpec())


def global_id(prefix: str) -> Codec:
    """Return the codec that makes global ids such as `cus_0197...` of stored ids."""
    return Codec(f"id:{prefix}", lambda value: f"{prefix}_{value.hex}")


def split_id(text: str) -> tuple[str, UUID]:
    """Return prefix and stored id of a global id.

    Raises:
        GraphQLError: it is not one; code BAD_USER_INPUT.
    """
    prefix, _, digits = text.partition("_")
    try:
        id_ = UUID(hex=digits)
    except ValueError:
        id_ = None
    if id_ is None or id_.hex != digits:
        raise bad_input(f"{text[:60]!r} is not an id that crmkit gave")
    return prefix, id_


@dataclass_transform(
    kw_only_default=True,
    field_specifiers=(strawberry.field, mapped, money, related, connection, computed),
)
def object_type(
    source: Rows | None,
    *,
    permission: str,
    sorted_by: Sequence[str] = ("id",),
    node: str | None = None,
    name: str | None = None,
) -> Callable[[T], T]:
    """Make a class with declared fields an object type of the schema.

    The class docstring becomes the type's description.

    Args:
        source: SQLModel table, or any SQLAlchemy table or subquery, that its rows come from;
            None for a type whose objects Python makes.
        permission: what a caller needs to see it; `PUBLIC` if any caller may.
        sorted_by: columns lists of it are sorted by, ending with a unique one.
        node: prefix of its global ids, two to four letters; makes it a Relay node by the
            column `id`.
        name: GraphQL name, where it is not the class's.
    """
    rows = table_of(source) if isinstance(source, type) else source

    def make(cls: T) -> T:
        if node is not None:
            cls = _as_node(cls, node)
        made: T = strawberry.type(cls, name=name, description=_description(cls))
        note(made, TypeSpec(rows, permission, tuple(sorted_by), node))
        return made

    return make


def _as_node(cls: T, prefix: str) -> T:
    """Add the interface and the field `id` to a class."""
    id_ = CrmField(description="Global id; opaque, stable for ever.")
    id_.source = Mapped("id", codec=global_id(prefix))
    namespace = {k: v for k, v in vars(cls).items() if k not in ("__dict__", "__weakref__")}
    annotations = {"id": strawberry.ID, **vars(cls).get("__annotations__", {})}
    namespace.update(id=id_, __annotations__=annotations)
    return type(cls.__name__, (Node,), namespace)  # type: ignore[return-value]


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field,))
def value_type(cls: T) -> T:
    """Make a class of plain attributes an object type; it is as visible as what holds it."""
    return object_type(None, permission=PUBLIC)(cls)


def _description(cls: type) -> str:
    return " ".join((cls.__doc__ or "").split())
