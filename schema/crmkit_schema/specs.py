"""What is noted on a class that is an object type of the schema."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import FromClause
from strawberry.types.base import get_object_definition

PUBLIC: Final = "public"
"""The permission of what every caller with a valid token may see."""


@dataclass(frozen=True, slots=True)
class TypeSpec:
    """What an object type's rows are, and who may see them.

    Attributes:
        source: table or other selectable; None for types whose objects Python makes.
        permission: what a caller needs to see any of its fields.
        order: columns lists are sorted by, `-` in front for descending; ends with a unique one.
        prefix: what global ids of this type start with; None if it is no node.
    """

    source: FromClause | None = None
    permission: str = PUBLIC
    order: Sequence[str] = ("id",)
    prefix: str | None = None


def note(cls: Any, spec: TypeSpec) -> None:
    """Note what a class is."""
    cls.__crmkit__ = spec


def spec_of(cls: Any) -> TypeSpec | None:
    """Return what was noted on a class, or None for foreign types."""
    definition = get_object_definition(cls)
    if definition is not None and definition.concrete_of is not None:
        cls = definition.concrete_of.origin
    return getattr(cls, "__crmkit__", None)


def order_of(cls: type) -> Sequence[str]:
    """Return the columns that lists of a type are sorted by."""
    return _known(cls).order


def permission_of(cls: type) -> str:
    """Return what a caller needs to see objects of a type."""
    return _known(cls).permission


def _known(cls: type) -> TypeSpec:
    spec = spec_of(cls)
    if spec is None:
        raise TypeError(f"{cls.__name__} needs the decorator object_type or value_type")
    return spec
