"""What the parts of one plan share while it is compiled."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from sqlalchemy import FromClause

from crmkit_schema.composition import Composition
from crmkit_schema.context import RequestContext
from crmkit_schema.declarations import CrmField
from crmkit_schema.engine.computed_fields import ComputedField, Place
from crmkit_schema.engine.json_sql import Expression, JsonSql, Scope
from crmkit_schema.engine.levels import PlanLevel
from crmkit_schema.engine.selecting import Choice, Selecting
from crmkit_schema.engine.uncovered import Uncovered
from crmkit_schema.engine.volume import Volume
from crmkit_schema.selections import Selected


@dataclass(slots=True)
class Compilation:
    """One operation being compiled for one caller.

    Attributes:
        computed: the computed fields found so far.
    """

    composition: Composition
    selecting: Selecting
    context: RequestContext
    json: JsonSql
    computed: list[ComputedField] = field(default_factory=list)
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def level(self, cls: type) -> PlanLevel:
        """Return a level for the rows of a type."""
        return PlanLevel(cls, self.numbers, self.context)

    def members(self, choice: Choice) -> Iterator[tuple[str, Selected | None]]:
        """Yield what is selected with its name in the answer; None stands for `__typename`.

        Raises:
            Uncovered: a name that the dialect would cut, or a field the caller may not see.
        """
        for chosen in choice.members:
            if len(chosen.key.encode()) > self.json.key_bytes_max:
                raise Uncovered(f"the name {chosen.key[:70]!r} is too long for a column")
            selected = chosen.selected
            declared = None if selected is None else selected.declared
            if isinstance(declared, CrmField) and not self.context.allows(declared.needed):
                raise Uncovered(f"the caller lacks a permission for {chosen.key}")
            yield chosen.key, selected


@dataclass(slots=True)
class Here:
    """Where objects are being compiled.

    Attributes:
        rows: the subquery their columns come from.
        volume: of their level; relations below are added to it.
    """

    level: PlanLevel
    rows: FromClause
    scope: Scope
    place: Place
    volume: Volume


ObjectOf = Callable[[Compilation, Here, Choice], Expression]
"""What compiles the objects of a level; objects hold pages, and pages hold objects."""
