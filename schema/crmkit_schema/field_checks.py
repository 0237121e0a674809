"""Whether a field's source fits the rows of its type. Pure; names the culprit."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sqlalchemy import FromClause
from strawberry.types.base import get_object_definition
from strawberry.types.field import StrawberryField

from crmkit import PluginError
from crmkit_schema.checks import check_description
from crmkit_schema.composed_fields import result_name
from crmkit_schema.conditions import column_of, is_unique
from crmkit_schema.connections import Connection
from crmkit_schema.cursors import python_type
from crmkit_schema.declarations import CrmField
from crmkit_schema.operators import has_operators
from crmkit_schema.reachable_types import is_list, name_of, row_class
from crmkit_schema.sources import (
    Announced,
    Computed,
    Connected,
    Embedded,
    Found,
    Mapped,
    Mutated,
    Related,
    Resolved,
)
from crmkit_schema.specs import order_of, spec_of

_AT_ROOT: dict[str, Any] = {
    "Query": Connected | Found | Resolved,
    "Mutation": Mutated,
    "Subscription": Announced,
}


def check_root_field(owner: str, root: str, declared: StrawberryField) -> None:
    """Refuse a root field whose source needs a parent."""
    where = f"{root}.{name_of(declared)}"
    check_description(owner, where, declared)
    source = declared.source if isinstance(declared, CrmField) else None
    if not isinstance(source, _AT_ROOT[root]):
        raise PluginError(owner, f"{where} cannot be declared {_kind(source)} at the root")
    if isinstance(source, Connected):
        if source.child is not None:
            raise PluginError(
                owner, f"{where} has no parent, so it takes no child={source.child!r}"
            )
        _check_connection(owner, where, declared)
    if isinstance(source, Connected | Found):
        _rows(owner, where, declared)
    if isinstance(source, Announced):
        _check_delivered(owner, where, declared)


def _check_delivered(owner: str, where: str, declared: StrawberryField) -> None:
    """Refuse to deliver anything but one row, which is found by its id."""
    bare = getattr(declared.type, "of_type", declared.type)
    is_many = is_list(declared.type) or bare is not row_class(declared.type)
    if is_many or "id" not in _rows(owner, where, declared).c:
        raise PluginError(owner, f"{where} delivers one row at a time, of a type with an id")


def check_field(owner: str, type_name: str, cls: type, declared: StrawberryField) -> None:
    """Refuse a field whose source does not fit its type's rows."""
    where = f"{type_name}.{name_of(declared)}"
    check_description(owner, where, declared)
    if not isinstance(declared, CrmField):
        return
    source = declared.source
    if isinstance(source, Mutated | Announced | Found) or (
        isinstance(source, Connected) and not source.child
    ):
        raise PluginError(owner, f"{where} cannot be declared {_kind(source)} below the root")
    _check_columns(owner, where, cls, _read_columns(declared))
    if isinstance(source, Mapped):
        _check_mapped(owner, where, cls, declared, source)
    if isinstance(source, Related | Connected):
        rows = _rows(owner, where, declared)
        _check_steady(owner, where, source.where, rows)
        _check_filtered_relation(owner, where, declared, rows)
        order = source.order if isinstance(source, Related) else ()
        for column in (source.child or "", *(each.lstrip("-") for each in order)):
            if column not in rows.c:
                raise PluginError(owner, f"{where}: the rows of its type have no {column!r}")
    if isinstance(source, Connected):
        _check_connection(owner, where, declared)


def made_names(declared: CrmField) -> Iterator[str]:
    """Yield the names of the types that crmkit makes for one field."""
    if isinstance(declared.source, Mutated):
        yield result_name(declared)
    target = row_class(declared.type)
    definition = get_object_definition(target)
    if isinstance(declared.source, Connected) and definition is not None:
        yield f"{definition.name}Connection"
        yield f"{definition.name}Edge"
        yield f"{definition.name}OrderField"


def _check_columns(owner: str, where: str, cls: type, columns: Iterable[str]) -> None:
    """Refuse columns that the rows, or the attributes of a type that Python makes, lack."""
    spec = spec_of(cls)
    known = spec.source.c if spec and spec.source is not None else cls.__annotations__
    for column in columns:
        if column not in known:
            raise PluginError(owner, f"{where}: the rows of {cls.__name__} have no {column!r}")


def _read_columns(declared: CrmField) -> list[str]:
    source = declared.source
    if isinstance(source, Mapped):
        return [] if source.sql else [source.column or declared.python_name]
    if isinstance(source, Embedded):
        return list(source.columns.values())
    if isinstance(source, Related | Connected):
        return [source.parent]
    return list(source.needs) if isinstance(source, Computed) else []


def _check_mapped(owner: str, where: str, cls: type, declared: CrmField, source: Mapped) -> None:
    spec = spec_of(cls)
    if spec is None or spec.source is None:
        if source.sql or source.filter or source.sort:
            raise PluginError(owner, f"{where}: {cls.__name__} has no rows, only Python objects")
        return
    _check_steady(owner, where, source.sql, spec.source)
    column = column_of(declared, spec.source.alias())
    if source.filter and not has_operators(declared.type):
        raise PluginError(owner, f"{where} cannot be filtered: its type has no operators")
    if source.sort and (declared.is_optional or python_type(column.type) is object):
        reason = "it may be null, or SQLAlchemy knows no type of it"
        raise PluginError(owner, f"{where} cannot be sorted by: {reason}")


def _check_filtered_relation(owner: str, where: str, declared: CrmField, rows: FromClause) -> None:
    """Refuse a filter that would look at other rows than the field shows."""
    source = declared.source
    if not isinstance(source, Related) or not source.filter:
        return
    target = row_class(declared.type)
    unique = target is not None and is_unique(rows, source.child, order_of(target))
    if is_list(declared.type) or not unique:
        raise PluginError(owner, f"{where} cannot be filtered through: it may have several rows")


def _check_steady(
    owner: str, where: str, given: Callable[[FromClause], Any] | None, source: FromClause
) -> None:
    """Refuse an expression with a value of its own, such as the time at which it was made.

    Declarations are turned into statements once; what changes by request has to be `bound`.
    """
    if given is None:
        return
    rows = source.alias()
    first, again = (given(rows).compile().params for _ in range(2))
    if first != again:
        raise PluginError(owner, f"{where} holds a value that changes; use bound(...) for it")


def _check_connection(owner: str, where: str, declared: StrawberryField) -> None:
    type_ = getattr(declared.type, "of_type", declared.type)
    definition = get_object_definition(type_)
    generic = definition.concrete_of if definition is not None else None
    if generic is None or generic.origin is not Connection:
        raise PluginError(owner, f"{where} is a connection: annotate it Connection[...]")


def _rows(owner: str, where: str, declared: StrawberryField) -> FromClause:
    target = row_class(declared.type)
    spec = spec_of(target)
    if spec is None or spec.source is None:
        raise PluginError(owner, f"{where} gives rows of a type that has none; see object_type")
    return spec.source


def _kind(source: Any) -> str:
    return type(source).__name__.lower()
