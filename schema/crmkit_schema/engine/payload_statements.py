"""The statements for rows that objects made by Python lead to, compiled without any object."""

from collections.abc import Iterator
from typing import NamedTuple

from graphql import GraphQLError

from crmkit_schema.engine.keyed_plans import compile_keyed
from crmkit_schema.engine.keyed_rows import KeyedRows, leads_to_rows
from crmkit_schema.engine.payloads import choices_of
from crmkit_schema.engine.running import Run
from crmkit_schema.engine.selecting import Selecting
from crmkit_schema.engine.uncovered import Uncovered
from crmkit_schema.selections import Selected


class PayloadStatement(NamedTuple):
    """One statement for all objects at a place.

    Attributes:
        place: where the objects stand in the answer, with their type.
        sql: empty if there is none.
        reason: why there is none.
    """

    place: str
    sql: str = ""
    reason: str = ""


def payload_statements(
    selecting: Selecting, selected: Selected, place: str, run: Run
) -> Iterator[PayloadStatement]:
    """Yield the statements that completing a field takes, if Python gives its objects."""
    for choice in choices_of(selecting, selected):
        of_rows = [each for each in choice.members if leads_to_rows(each.selected)]
        if of_rows:
            rows = KeyedRows(selecting, choice.type, of_rows)
            yield _compiled(selecting, rows, f"{place} ({choice.type.name})", run)
        for each in choice.members:
            if each.selected is not None and not leads_to_rows(each.selected):
                below = f"{place}.{each.key}"
                yield from payload_statements(selecting, each.selected, below, run)


def _compiled(selecting: Selecting, rows: KeyedRows, place: str, run: Run) -> PayloadStatement:
    try:
        plan = compile_keyed(selecting, run.context, rows.fields(run))
    except (Uncovered, GraphQLError) as error:
        return PayloadStatement(place, reason=str(error))
    return PayloadStatement(place, plan.sql)
