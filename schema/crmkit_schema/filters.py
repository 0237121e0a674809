"""Filters and orders of lists, made from the fields that types declare.

Every mapped field with `filter=True` gets an operator input by its type, every related row with
`filter=True` a nested filter; fields that plugins contribute are no different from core's.
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import strawberry
from sqlalchemy import ColumnElement, FromClause, and_, exists, not_, or_, select, true
from strawberry.types.base import StrawberryOptional
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.utils.str_converters import to_camel_case

from crmkit_schema.declarations import CrmField, Mapped, Related
from crmkit_schema.specs import spec_of
from crmkit_schema.values import Long, bad_input

if TYPE_CHECKING:
    from crmkit_schema.composition import Composition

IN_MAX = 200
_OPERATORS: dict[str, Callable[[ColumnElement[Any], Any], ColumnElement[bool]]] = {
    "eq": lambda column, value: column == value,
    "ne": lambda column, value: column != value,
    "in": lambda column, value: column.in_(value),
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
    "startsWith": lambda column, value: column.startswith(value, autoescape=True),
    "contains": lambda column, value: column.contains(value, autoescape=True),
    "isNull": lambda column, value: column.is_(None) if value else column.is_not(None),
}
_EQUAL = ("eq", "ne", "in", "isNull")
_RANGE = (*_EQUAL, "gt", "gte", "lt", "lte")
_BY_TYPE: dict[Any, tuple[str, tuple[str, ...]]] = {
    str: ("StringFilter", (*_EQUAL, "startsWith", "contains")),
    int: ("IntFilter", _RANGE),
    Long: ("LongFilter", _RANGE),
    float: ("FloatFilter", _RANGE),
    bool: ("BooleanFilter", ("eq", "isNull")),
    date: ("DateFilter", _RANGE),
    datetime: ("DateTimeFilter", _RANGE),
}


class Direction(enum.Enum):
    """Which end of a list comes first."""

    ASC = "asc"
    DESC = "desc"


@dataclass(slots=True)
class Filters:
    """The filter and order inputs of one schema, made on first need."""

    composition: "Composition"
    _inputs: dict[str, Any] = field(default_factory=dict)
    _direction: Any = None

    def input_for(self, cls: type) -> Any:
        """Return the filter input of an object type, or None if nothing can be filtered."""
        name = f"{_name(cls)}Filter"
        if name not in self._inputs:
            self._inputs[name] = None
            parts = {
                declared.python_name: self._part(declared)
                for declared in self.composition.fields(cls)
                if isinstance(declared, CrmField)
            }
            parts = {key: part for key, part in parts.items() if part is not None}
            if parts:
                self._inputs[name] = _filter_input(name, parts)
        return self._inputs[name]

    def order_for(self, cls: type) -> Any:
        """Return the order input of an object type, or None if it cannot be sorted."""
        name = f"{_name(cls)}Order"
        if name not in self._inputs:
            paths = self._sort_paths(cls)
            self._inputs[name] = self._order_input(name, paths) if paths else None
        return self._inputs[name]

    def _part(self, declared: CrmField) -> Any:
        source = declared.source
        if isinstance(source, Related) and source.filter:
            return self.input_for(self.composition.target(declared))
        if isinstance(source, Mapped) and source.filter:
            return self._operators(_bare(declared.type))
        return None

    def _operators(self, type_: Any) -> Any:
        if isinstance(type_, StrawberryEnumDefinition):
            name, operators, value = f"{type_.name}Filter", _EQUAL, type_.wrapped_cls
        else:
            (name, operators), value = _BY_TYPE[type_], type_
        if name not in self._inputs:
            self._inputs[name] = _operator_input(name, operators, value)
        return self._inputs[name]

    def _sort_paths(self, cls: type) -> list[str]:
        paths = []
        for declared in self.composition.fields(cls):
            source = getattr(declared, "source", None)
            if isinstance(source, Mapped) and source.sort:
                paths.append(declared.python_name)
            elif isinstance(source, Related) and source.filter:
                below = self._sort_paths(self.composition.target(declared))
                paths += [f"{declared.python_name}.{path}" for path in below]
        return paths

    def _order_input(self, name: str, paths: list[str]) -> Any:
        if self._direction is None:
            self._direction = strawberry.enum(Direction, name="OrderDirection")
        names = {path.replace(".", "_").upper(): path for path in paths}
        choices = strawberry.enum(
            enum.Enum(f"{name}Field", names),
            description="What a list can be sorted by.",  # type: ignore[arg-type]
        )
        namespace = {
            "__annotations__": {"field": choices, "direction": self._direction},
            "direction": strawberry.field(default=Direction.ASC, description="Which end first."),
            "field": strawberry.field(description="What to sort by."),
        }
        return strawberry.input(type(name, (), namespace), description="How a list is sorted.")

    def condition(
        self, cls: type, rows: FromClause, given: Mapping[str, Any], context: Any
    ) -> ColumnElement[bool]:
        """Return the SQL condition that a filter means.

        Args:
            rows: alias of the type's source in the statement.
            given: the filter as sent, by GraphQL names.
            context: checks that the caller may see what it filters by.
        """
        conditions: list[ColumnElement[bool]] = []
        for key, value in given.items():
            if value is None:
                continue
            if key in ("and", "or"):
                several = [self.condition(cls, rows, each, context) for each in value]
                conditions.append(and_(true(), *several) if key == "and" else or_(*several))
            elif key == "not":
                conditions.append(not_(self.condition(cls, rows, value, context)))
            else:
                declared = self.composition.field(cls, key)
                context.require(declared.needed)
                conditions.append(self._meaning(declared, rows, value, context))
        return and_(true(), *conditions)

    def _meaning(
        self, declared: CrmField, rows: FromClause, value: Mapping[str, Any], context: Any
    ) -> ColumnElement[bool]:
        if isinstance(declared.source, Mapped):
            column = column_of(declared, rows)
            return and_(true(), *(_operate(column, name, each) for name, each in value.items()))
        child_class = self.composition.target(declared)
        child, joined = join(declared, rows, source_of(child_class))
        return exists().where(joined, self.condition(child_class, child, value, context))

    def sort_key(self, cls: type, rows: FromClause, path: str, context: Any) -> ColumnElement[Any]:
        """Return the expression that a sort path such as `loyalty.balance` means."""
        name, _, rest = path.partition(".")
        declared = self.composition.field(cls, to_camel_case(name))
        context.require(declared.needed)
        if not rest:
            return column_of(declared, rows)
        child_class = self.composition.target(declared)
        child, joined = join(declared, rows, source_of(child_class))
        key = self.sort_key(child_class, child, rest, context)
        return select(key).where(joined).correlate(rows).scalar_subquery()


def column_of(declared: CrmField, rows: FromClause) -> ColumnElement[Any]:
    """Return the column or expression of a mapped field."""
    source = declared.source
    assert isinstance(source, Mapped)  # noqa: S101 callers ask for mapped fields only
    if source.sql is not None:
        return source.sql(rows)
    return rows.c[source.column or declared.python_name]


def source_of(cls: type) -> FromClause:
    """Return the source of an object type that has one."""
    spec = spec_of(cls)
    if spec is None or spec.source is None:
        raise TypeError(f"{cls.__name__} has no rows of its own")
    return spec.source


def join(
    declared: CrmField, rows: FromClause, source: FromClause
) -> tuple[FromClause, ColumnElement[bool]]:
    """Return an alias of the child's source and the condition that ties it to its parent."""
    relation = declared.source
    assert isinstance(relation, Related)  # noqa: S101 only related rows nest
    child = source.alias()
    tied = child.c[relation.child] == rows.c[relation.parent]
    return child, tied if relation.where is None else and_(tied, relation.where(child))


def _operate(column: ColumnElement[Any], name: str, value: Any) -> ColumnElement[bool]:
    if value is None:
        return true()
    if name == "in":
        if len(value) > IN_MAX:
            raise bad_input(f"at most {IN_MAX} values in one list, got {len(value)}")
        value = [_stored(each) for each in value]
    return _OPERATORS[name](column, _stored(value))


def _stored(value: Any) -> Any:
    return value.value if isinstance(value, enum.Enum) else value


def _name(cls: type) -> str:
    return str(cls.__strawberry_definition__.name)  # type: ignore[attr-defined]


def _bare(type_: Any) -> Any:
    return type_.of_type if isinstance(type_, StrawberryOptional) else type_


def _operator_input(name: str, operators: tuple[str, ...], value: Any) -> Any:
    types: dict[str, Any] = {"in": list[value], "isNull": bool}
    annotations = {_python(each): types.get(each, value) | None for each in operators}
    namespace: dict[str, Any] = {"__annotations__": annotations}
    for each in operators:
        namespace[_python(each)] = strawberry.field(name=each, default=None)
    return strawberry.input(type(name, (), namespace), description="All given must hold.")


def _filter_input(name: str, parts: Mapping[str, Any]) -> Any:
    annotations: dict[str, Any] = {key: part | None for key, part in parts.items()}
    namespace: dict[str, Any] = {key: strawberry.field(default=None) for key in parts}
    return _with_logic(type(name, (), {"__annotations__": annotations, **namespace}), name)


def _with_logic(cls: type, name: str) -> Any:
    """Add `and`, `or` and `not`, which hold filters of the same type."""
    for key, many in (("and", True), ("or", True), ("not", False)):
        cls.__annotations__[f"{key}_"] = f"list[{name}] | None" if many else f"{name} | None"
        setattr(cls, f"{key}_", strawberry.field(name=key, default=None))
    made = strawberry.input(cls, description="All given must hold.")
    for declared in made.__strawberry_definition__.fields:
        if declared.python_name in ("and_", "or_", "not_"):
            declared.type_annotation.namespace = {name: made}
    return made


def _python(operator: str) -> str:
    return {"in": "in_", "startsWith": "starts_with", "isNull": "is_null"}.get(operator, operator)
