"""Compiling fields that Python gives for rows: the columns that its functions need."""

from collections.abc import Iterable

from crmkit_schema.declarations import CrmField
from crmkit_schema.engine.compilation import Compilation, Here
from crmkit_schema.engine.computed_fields import ComputedField
from crmkit_schema.engine.json_sql import Expression
from crmkit_schema.engine.projection import FieldProjection
from crmkit_schema.engine.python_fields import values_of
from crmkit_schema.engine.raw_values import raw
from crmkit_schema.engine.selecting import Choice
from crmkit_schema.engine.uncovered import Uncovered
from crmkit_schema.levels import label_of
from crmkit_schema.selections import Selected
from crmkit_schema.sources import Computed, Embedded, Mapped, Resolved


def python_of(
    made: Compilation, here: Here, choice: Choice, key: str, selected: Selected
) -> Expression:
    """Return the columns that Python needs for a field, whose values it puts in their place.

    Raises:
        Uncovered: it needs what has no form in JSON.
    """
    columns = {name: here.rows.c[name] for name in _needed(here, selected)}
    needed = {name: raw(made.json, column) for name, column in columns.items()}
    name = made.names.get(key, key)
    made.computed.append(
        ComputedField(
            (*here.place, key),
            here.level.cls,
            [(name, decode) for name, (_, decode) in needed.items()],
            values_of(made.selecting, choice.type, name, selected),
            FieldProjection(made.selecting, choice.type, name, selected),
        )
    )
    return made.json.array([column for column, _ in needed.values()])


def _needed(here: Here, selected: Selected) -> Iterable[str]:
    declared = selected.declared
    source = declared.source if isinstance(declared, CrmField) else None
    if isinstance(declared, CrmField) and isinstance(source, Mapped):
        return [label_of(declared, source)]
    if isinstance(source, Embedded):
        return source.columns.values()
    if isinstance(source, Computed):
        return source.needs
    if isinstance(source, Resolved):
        return here.level.level.rows.c.keys()
    raise Uncovered(f"{selected.name} is neither read from rows nor computed")
