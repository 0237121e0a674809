"""What filters and orders mean in SQL."""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, FromClause, and_, exists, false, func, not_, or_, select, true
from strawberry.utils.str_converters import to_camel_case

from crmkit_schema.declarations import CrmField
from crmkit_schema.sources import Mapped, Related
from crmkit_schema.specs import spec_of
from crmkit_schema.values import bad_input

if TYPE_CHECKING:
    from crmkit_schema.composition import Composition
    from crmkit_schema.context import RequestContext

IN_MAX = 200
CONDITIONS_MAX = 200
_OPERATORS: dict[str, Callable[[ColumnElement[Any], Any], ColumnElement[bool]]] = {
    "eq": lambda column, value: column == value,
    "ne": lambda column, value: column.is_distinct_from(value),
    "in": lambda column, value: column.in_(value),
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
    # LIKE minds capitals on PostgreSQL and not on SQLite; these mind them on both.
    "startsWith": lambda column, value: func.substr(column, 1, func.length(value)) == value,
    "contains": lambda column, value: (
        func.replace(column, value, "") != column if value else column.is_not(None)
    ),
    "isNull": lambda column, value: column.is_(None) if value else column.is_not(None),
}


def condition(
    composition: "Composition",
    cls: type,
    rows: FromClause,
    given: Mapping[str, Any],
    context: "RequestContext",
) -> ColumnElement[bool]:
    """Return the SQL condition that a filter means.

    Args:
        rows: alias of the type's source in the statement.
        given: the filter as sent, by GraphQL names.

    Raises:
        GraphQLError: it has too many conditions or values, or the caller may not see what it
            filters by.
    """
    count = _count(given)
    if count > CONDITIONS_MAX:
        raise bad_input(f"at most {CONDITIONS_MAX} conditions in one filter, got {count}")
    return _all_of(composition, cls, rows, given, context)


def _all_of(
    composition: "Composition",
    cls: type,
    rows: FromClause,
    given: Mapping[str, Any],
    context: "RequestContext",
) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    for key, value in given.items():
        if value is None:
            raise bad_input(f"the filter {key!r} is null; leave it out, or use isNull")
        if key in ("and", "or"):
            several = [_all_of(composition, cls, rows, each, context) for each in value]
            conditions.append(and_(true(), *several) if key == "and" else _any(several))
        elif key == "not":
            meant = _all_of(composition, cls, rows, value, context)
            conditions.append(not_(func.coalesce(meant, false())))
        else:
            declared = composition.field(cls, key)
            context.require(declared.needed)
            conditions.append(_meaning(composition, declared, rows, value, context))
    return and_(true(), *conditions)


def sort_key(
    composition: "Composition", cls: type, rows: FromClause, path: str, context: "RequestContext"
) -> ColumnElement[Any]:
    """Return the expression that a sort path such as `loyalty.balance` means.

    Raises:
        GraphQLError: the caller may not see what it sorts by.
    """
    name, _, rest = path.partition(".")
    declared = composition.field(cls, to_camel_case(name))
    context.require(declared.needed)
    if not rest:
        return column_of(declared, rows)
    child_class = composition.target(declared)
    child, joined = _join(declared, rows, source_of(child_class))
    key = sort_key(composition, child_class, child, rest, context)
    return select(key).where(joined).correlate(rows).scalar_subquery()


def column_of(declared: CrmField, rows: FromClause) -> ColumnElement[Any]:
    """Return the column or expression of a mapped field."""
    source = declared.source
    if not isinstance(source, Mapped):
        raise TypeError(f"{declared.python_name} is not mapped")
    if source.sql is not None:
        return source.sql(rows)
    return rows.c[source.column or declared.python_name]


def source_of(cls: type) -> FromClause:
    """Return the source of an object type that has one."""
    spec = spec_of(cls)
    if spec is None or spec.source is None:
        raise TypeError(f"{cls.__name__} has no rows of its own")
    return spec.source


def is_unique(source: FromClause, column: str, order: Sequence[str]) -> bool:
    """Tell whether no two rows of a source have the same value in a column.

    Args:
        order: what its lists are sorted by; sorted by one column alone, that one is unique.
    """
    key = [each.name for each in source.primary_key]
    return [column] in (key, [each.lstrip("-") for each in order])


def _meaning(
    composition: "Composition",
    declared: CrmField,
    rows: FromClause,
    value: Mapping[str, Any],
    context: "RequestContext",
) -> ColumnElement[bool]:
    if isinstance(declared.source, Mapped):
        column = column_of(declared, rows)
        return and_(true(), *(_operate(column, name, each) for name, each in value.items()))
    child_class = composition.target(declared)
    child, joined = _join(declared, rows, source_of(child_class))
    meant = _all_of(composition, child_class, child, value, context)
    return exists().where(joined, meant)


def _join(
    declared: CrmField, rows: FromClause, source: FromClause
) -> tuple[FromClause, ColumnElement[bool]]:
    """Return an alias of the child's source and the condition that ties it to its parent."""
    relation = declared.source
    if not isinstance(relation, Related):
        raise TypeError(f"{declared.python_name} is not related")
    child = source.alias()
    tied = child.c[relation.child] == rows.c[relation.parent]
    return child, tied if relation.where is None else and_(tied, relation.where(child))


def _operate(column: ColumnElement[Any], name: str, value: Any) -> ColumnElement[bool]:
    if value is None:
        raise bad_input(f"the operator {name!r} is null; to find what is empty use isNull")
    if name == "in":
        if len(value) > IN_MAX:
            raise bad_input(f"at most {IN_MAX} values in one list, got {len(value)}")
        return _OPERATORS[name](column, [_stored(each) for each in value])
    return _OPERATORS[name](column, _stored(value))


def _count(given: Any) -> int:
    """Return how many conditions a filter has, however it nests them; an empty one is one."""
    if isinstance(given, Mapping):
        return sum(_count(each) for each in given.values()) or 1
    if isinstance(given, list):
        return sum(_count(each) for each in given if isinstance(each, Mapping)) or 1
    return 1


def _any(conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    return or_(*conditions) if conditions else not_(true())


def _stored(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
