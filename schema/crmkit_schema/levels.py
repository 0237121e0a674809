"""What a level asks of its rows, and the objects made of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crmkit_schema.conditions import column_of, source_of
from crmkit_schema.declarations import CrmField
from crmkit_schema.selections import Selection
from crmkit_schema.sources import Computed, Connected, Embedded, Mapped, Related, Resolved
from crmkit_schema.statements import Level


@dataclass(frozen=True, slots=True)
class Failure:
    """What stands in place of the value of a field that could not be fetched."""

    error: Exception


def level_of(cls: type) -> Level:
    """Return a level for the rows of a type, which asks for nothing yet."""
    return Level(source_of(cls).alias())


def want(level: Level, selection: Selection, allows: Callable[[Iterable[str]], bool]) -> None:
    """Ask a level for the columns that a selection needs, and no others.

    Args:
        allows: tells whether the caller has some permissions; the rest is not even read.
    """
    for selected in selection.fields:
        declared = selected.declared
        if not isinstance(declared, CrmField) or not allows(declared.needed):
            continue
        source = declared.source
        if isinstance(source, Mapped):
            level.columns[label_of(declared, source)] = column_of(declared, level.rows)
        elif isinstance(source, Embedded):
            level.want(source.columns.values())
        elif isinstance(source, Related | Connected):
            level.want([source.parent])
        elif isinstance(source, Computed):
            level.want(source.needs)
        elif isinstance(source, Resolved):
            level.want(level.rows.c.keys())


def objects_of(cls: type, rows: Iterable[Mapping[str, Any]]) -> list[Any]:
    """Return an object per row, with the row's columns as attributes."""
    objects: list[Any] = []
    for row in rows:
        made: Any = object.__new__(cls)
        vars(made).update(row)
        objects.append(made)
    return objects


def keys_of(objects: Sequence[Any], column: str) -> list[Any]:
    """Return the values that some objects have in a column; each once, nulls left out."""
    return list(dict.fromkeys(key for each in objects if (key := vars(each)[column]) is not None))


def label_of(declared: CrmField, source: Mapped) -> str:
    """Return the label under which a mapped field's value stands in its row."""
    if source.sql is not None:
        return f"_sql_{declared.python_name}"
    return source.column or declared.python_name


def decode(declared: CrmField, source: Mapped, of: Any) -> Any:
    """Return a mapped field's value of an object."""
    value = vars(of)[label_of(declared, source)]
    return value if value is None or source.codec is None else source.codec.decode(value)


def embed(source: Embedded, of: Any) -> Any:
    """Return a value object made of a row's columns, or None if its first is null."""
    values = {name: vars(of)[column] for name, column in source.columns.items()}
    return None if next(iter(values.values())) is None else source.build(**values)
