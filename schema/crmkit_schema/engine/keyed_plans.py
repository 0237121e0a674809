"""Compiling statements that find rows by keys which Python gives, for all its objects at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ARRAY, FromClause, String, column, func, literal_column, select
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeEngine

from crmkit_schema.context import RequestContext
from crmkit_schema.declarations import CrmField
from crmkit_schema.engine.binding import Given, Read, binder_of, slot
from crmkit_schema.engine.compilation import Compilation, compilation
from crmkit_schema.engine.computed_fields import EACH, Place
from crmkit_schema.engine.json_sql import Expression
from crmkit_schema.engine.keyed_rows import KeyedField
from crmkit_schema.engine.objects import page_of, related_of
from crmkit_schema.engine.plans import Plan
from crmkit_schema.engine.selecting import Selecting
from crmkit_schema.engine.uncovered import Uncovered
from crmkit_schema.engine.volume import Volume
from crmkit_schema.sources import Related


@dataclass(slots=True)
class Keys:
    """The objects whose keys are given, as what is compiled below them knows them."""

    rows: FromClause
    place: Place
    volume: Volume


def compile_keyed(
    selecting: Selecting, context: RequestContext, fields: Sequence[KeyedField]
) -> Plan:
    """Compile the statement that gives a list with an object of all fields for each tuple of keys.

    Raises:
        Uncovered: something selected has no SQL form.
    """
    dialect = context.crm.database.writer.dialect
    made = compilation(selecting, context)
    rows = _keys(_columns(fields), dialect)
    keys = Keys(rows, (EACH,), Volume(lambda given: len(given.keys)))
    scope = made.json.scope(rows)
    members: list[tuple[str, Expression]] = []
    for each in fields:
        name = made.name_of(each.key)
        compiled = _member(made, keys, each, (EACH, name))
        members.append((name, made.guarded((EACH, name), each.selected, compiled)))
    collected = made.json.collected(scope.object(members), None)
    statement = scope.select(made.json.as_text(collected).label("data"))
    sql, binder = binder_of(statement.compile(dialect=dialect), dialect)
    return Plan.of(made, keys.volume, sql, binder)


def _member(
    made: Compilation, keys: Keys, field: KeyedField, place: Place
) -> Callable[[], Expression]:
    def compiled() -> Expression:
        source, declared = field.source, field.selected.declared
        if isinstance(source, Related) and field.choice is not None:
            cls, choice = field.cls, field.choice
            return related_of(made, keys, source, place, cls, choice, is_many=field.is_many)
        if isinstance(declared, CrmField) and not isinstance(source, Related):
            selected = field.selected
            return page_of(made, keys, declared, source, place, selected, keys.volume)
        raise Uncovered(f"{field.key} leads to no rows")

    return compiled


def _columns(fields: Sequence[KeyedField]) -> dict[str, TypeEngine[Any]]:
    found: dict[str, TypeEngine[Any]] = {}
    for each in fields:
        known = found.setdefault(each.column, each.type)
        if repr(known) != repr(each.type):
            raise Uncovered(f"{each.column} is compared with columns of several types")
    return found


def _keys(columns: dict[str, TypeEngine[Any]], dialect: Dialect) -> FromClause:
    """Return the keys that requests bring as rows, in their order."""
    if dialect.name == "postgresql":
        slots = [
            slot(_column(position), ARRAY(type_)) for position, type_ in enumerate(columns.values())
        ]
        names = [column(name, type_) for name, type_ in columns.items()]
        given = func.unnest(*slots).table_valued(*names, with_ordinality="_at", name="given_keys")
        rows = given.render_derived()
        found = select(*(rows.c[name] for name in columns)).order_by(rows.c["_at"])
        return found.subquery("keys")
    processors = [type_.dialect_impl(dialect).bind_processor(dialect) for type_ in columns.values()]
    given_keys = func.json_each(slot(_as_json(processors), String()))
    each = given_keys.table_valued("key", "value", name="given_keys")
    values = [
        func.json_extract(each.c["value"], literal_column(f"'$[{position}]'"), type_=type_).label(
            name
        )
        for position, (name, type_) in enumerate(columns.items())
    ]
    return select(*values).select_from(each).order_by(each.c["key"]).subquery("keys")


def _column(position: int) -> Read:
    return lambda given: [row[position] for row in given.keys]


def _as_json(processors: Sequence[Callable[[Any], Any] | None]) -> Read:
    """Return what writes keys as SQLite stores them."""

    def written(given: Given) -> str:
        rows = [
            [
                value if process is None or value is None else process(value)
                for value, process in zip(row, processors, strict=True)
            ]
            for row in given.keys
        ]
        return orjson.dumps(rows).decode()

    return written
