"""What the parts of one plan share while it is compiled."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from secrets import token_hex
from typing import Protocol

from graphql import GraphQLError
from sqlalchemy import FromClause

from crmkit_schema.composition import Composition
from crmkit_schema.context import RequestContext
from crmkit_schema.declarations import CrmField
from crmkit_schema.engine.computed_fields import ComputedField, Place, RefusedField
from crmkit_schema.engine.json_sql import Expression, JsonSql, Scope
from crmkit_schema.engine.levels import PlanLevel
from crmkit_schema.engine.postgres import PostgresJson
from crmkit_schema.engine.selecting import Choice, Selecting
from crmkit_schema.engine.sqlite import SqliteJson
from crmkit_schema.engine.volume import Volume
from crmkit_schema.selections import Selected


@dataclass(slots=True)
class Compilation:
    """One statement being compiled for one caller.

    Attributes:
        computed: the fields found so far that Python gives.
        refused: the fields found so far that fail.
        names: the long names of the answer, by what stands for them in the statement.
        is_reusable: whether it will serve requests with other values.
    """

    composition: Composition
    selecting: Selecting
    context: RequestContext
    json: JsonSql
    computed: list[ComputedField] = field(default_factory=list)
    refused: list[RefusedField] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    is_reusable: bool = True
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def level(self, cls: type) -> PlanLevel:
        """Return a level for the rows of a type."""
        return PlanLevel(cls, self.numbers, self.context)

    def members(self, choice: Choice) -> Iterator[tuple[str, Selected | None]]:
        """Yield what is selected with its name in the statement; None stands for `__typename`."""
        for chosen in choice.members:
            yield self.name_of(chosen.key), chosen.selected

    def guarded(
        self, place: Place, selected: Selected, compiled: Callable[[], Expression]
    ) -> Expression:
        """Return a field's SQL: null where the caller lacks a permission, or arguments are wrong.

        Args:
            place: where the field stands in the answer.
        """
        declared = selected.declared
        try:
            if isinstance(declared, CrmField):
                self.context.require(declared.needed)
        except GraphQLError as error:
            return self._refused(place, self.selecting.argument_error(selected) or error)
        try:
            return compiled()
        except GraphQLError as error:
            # Which values are wrong, the text of a statement cannot depend on.
            self.is_reusable = self.is_reusable and not self.selecting.has_variables
            return self._refused(place, error)

    def _refused(self, place: Place, error: GraphQLError) -> Expression:
        self.refused.append(RefusedField(place, error))
        return self.json.nothing()

    def name_of(self, key: str) -> str:
        """Return what stands for a name of the answer where the dialect would cut it."""
        if len(key.encode()) <= self.json.key_bytes_max:
            return key
        short = next((name for name, long in self.names.items() if long == key), None)
        if short is None:
            short = f"~{token_hex(16)}"
            self.names[short] = key
        return short


def compilation(selecting: Selecting, context: RequestContext) -> Compilation:
    """Return the compilation of a statement for one caller, with nothing in it yet."""
    home = context.crm.settings.currency
    is_postgres = context.crm.database.writer.dialect.name == "postgresql"
    json: JsonSql = PostgresJson(home) if is_postgres else SqliteJson(home)
    return Compilation(context.schema.composition, selecting, context, json)


class Around(Protocol):
    """The objects around what is being compiled.

    Attributes:
        rows: the subquery their columns come from.
        place: where they stand in the answer.
        volume: of their level; relations below are added to it.
    """

    rows: FromClause
    place: Place
    volume: Volume


@dataclass(slots=True)
class Here:
    """Where the objects of one level are being compiled; they are around what is below them."""

    level: PlanLevel
    rows: FromClause
    scope: Scope
    place: Place
    volume: Volume


ObjectOf = Callable[[Compilation, Here, Choice], Expression]
"""What compiles the objects of a level; objects hold pages, and pages hold objects."""
