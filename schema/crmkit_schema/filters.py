"""Filter and order inputs of lists, made from the fields that types declare.

Every mapped field with `filter=True` gets an operator input by its type, every related row with
`filter=True` a nested filter; fields that plugins contribute are no different from core's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

import strawberry
from strawberry import UNSET
from strawberry.types.base import get_object_definition

from crmkit_schema.declarations import CrmField
from crmkit_schema.operators import operator_input, operator_name
from crmkit_schema.sources import Mapped, Related

if TYPE_CHECKING:
    from crmkit_schema.composition import Composition


@strawberry.enum(name="OrderDirection", description="Which end of a list comes first.")
class OrderDirection(Enum):
    """Ascending or descending."""

    ASC = "asc"
    DESC = "desc"


@dataclass(slots=True)
class Filters:
    """The filter and order inputs of one schema, made on first need.

    Attributes:
        made: every input that was asked for, by name; None where there is nothing to choose.
    """

    composition: "Composition"
    made: dict[str, Any] = field(default_factory=dict)

    def input_for(self, cls: type) -> Any:
        """Return the filter input of an object type, or None if nothing can be filtered."""
        name = f"{type_name(cls)}Filter"
        if name not in self.made:
            self.made[name] = None  # a type that is related to itself does not nest in itself
            parts = {
                declared.python_name: self._part(declared)
                for declared in self.composition.fields(cls)
                if isinstance(declared, CrmField)
            }
            parts = {key: part for key, part in parts.items() if part is not None}
            self.made[name] = _filter_input(name, parts) if parts else None
        return self.made[name]

    def order_for(self, cls: type) -> Any:
        """Return the order input of an object type, or None if it cannot be sorted."""
        name = f"{type_name(cls)}Order"
        if name not in self.made:
            paths = self._sort_paths(cls, ())
            self.made[name] = _order_input(name, paths) if paths else None
        return self.made[name]

    def _part(self, declared: CrmField) -> Any:
        source = declared.source
        if isinstance(source, Related) and source.filter:
            return self.input_for(self.composition.target(declared))
        if isinstance(source, Mapped) and source.filter:
            name = operator_name(declared.type)
            if name not in self.made:
                self.made[name] = operator_input(declared.type)
            return self.made[name]
        return None

    def _sort_paths(self, cls: type, above: tuple[type, ...]) -> list[str]:
        """Return every path to sort by; rows that may be missing cannot be paged by."""
        paths: list[str] = []
        for declared in self.composition.fields(cls):
            source = declared.source if isinstance(declared, CrmField) else None
            if isinstance(source, Mapped) and source.sort:
                paths.append(declared.python_name)
            elif isinstance(source, Related) and source.filter and not _may_miss(declared):
                target = self.composition.target(declared)
                if target not in (*above, cls):
                    below = self._sort_paths(target, (*above, cls))
                    paths += [f"{declared.python_name}.{path}" for path in below]
        return paths


def type_name(cls: type) -> str:
    """Return the GraphQL name of a class."""
    return get_object_definition(cls, strict=True).name


def _may_miss(declared: Any) -> bool:
    return bool(declared.is_optional)


def _filter_input(name: str, parts: Mapping[str, Any]) -> Any:
    annotations: dict[str, Any] = {key: part | None for key, part in parts.items()}
    namespace: dict[str, Any] = {key: strawberry.field(default=UNSET) for key in parts}
    for key, many in (("and", True), ("or", True), ("not", False)):
        annotations[f"{key}_"] = f"list[{name}] | None" if many else f"{name} | None"
        namespace[f"{key}_"] = strawberry.field(name=key, default=UNSET)
    cls = type(name, (), {"__annotations__": annotations, **namespace})
    made = strawberry.input(cls, description="All given must hold.")
    for declared in get_object_definition(made, strict=True).fields:
        if declared.python_name in ("and_", "or_", "not_") and declared.type_annotation:
            declared.type_annotation.namespace = {name: made}
    return made


def _order_input(name: str, paths: list[str]) -> Any:
    names = {path.replace(".", "_").upper(): path for path in paths}
    fields: Any = Enum(f"{name}Field", names)  # type: ignore[misc]  # its members depend on plugins
    choices = strawberry.enum(fields, description="What a list can be sorted by.")
    namespace = {
        "__annotations__": {"field": choices, "direction": OrderDirection},
        "direction": strawberry.field(
            default=OrderDirection.ASC, description="Which end comes first."
        ),
        "field": strawberry.field(description="What to sort by."),
    }
    return strawberry.input(type(name, (), namespace), description="How a list is sorted.")
