"""The rows that objects made by Python lead to: one statement for all of them."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLNonNull, GraphQLObjectType
from sqlalchemy.types import TypeEngine

from crmkit_schema.conditions import source_of
from crmkit_schema.declarations import CrmField
from crmkit_schema.engine.running import Readable, Run
from crmkit_schema.engine.selecting import Choice, Chosen, Selecting, argument_error
from crmkit_schema.engine.uncovered import Unready
from crmkit_schema.reachable_types import is_list
from crmkit_schema.selections import Selected
from crmkit_schema.sources import Connected, Related


@dataclass(frozen=True, slots=True)
class KeyedField:
    """One field whose rows are found by a key that Python gives.

    Attributes:
        key: its name in what the statement gives.
        cls: of the rows.
        column: names the keys.
        type: of the keys, as the database stores them.
        choice: what is selected of the rows; None for pages.
        is_many: whether a key leads to a list of rows.
    """

    key: str
    selected: Selected
    source: Related | Connected
    cls: type
    column: str
    type: TypeEngine[Any]
    choice: Choice | None
    is_many: bool = False


def leads_to_rows(selected: Selected | None) -> bool:
    """Tell whether a field gives rows, or pages of rows, of its own."""
    declared = None if selected is None else selected.declared
    return isinstance(declared, CrmField) and isinstance(declared.source, Related | Connected)


class KeyedRows:
    """Reads the rows that the objects of one type lead to."""

    def __init__(
        self, selecting: Selecting, parent: GraphQLObjectType, members: Sequence[Chosen]
    ) -> None:
        self._selecting, self._parent, self._members = selecting, parent, members
        self._plans: dict[tuple[str, ...], Readable] = {}

    def fields(self, run: Run) -> list[KeyedField]:
        """Return what leads to rows.

        Raises:
            GraphQLError: the caller may not see one.
        """
        return [self._field(each, run) for each in self._members]

    def read(self, objects: Sequence[Any], run: Run) -> Mapping[str, Sequence[Any]]:
        """Return the value of each field for each object; what failed is a `Failure` there."""
        found: dict[str, Sequence[Any]] = {}
        keyed: list[KeyedField] = []
        keys: dict[str, list[Any]] = {}
        for each in self._members:
            try:
                field = self._field(each, run)
                keys[field.column] = [vars(one)[field.column] for one in objects]
                keyed.append(field)
            except (GraphQLError, KeyError, TypeError) as error:
                found[each.key] = [run.failure(error)] * len(objects)
        if keyed:
            rows = list(zip(*keys.values(), strict=True))
            for values in self._values(keyed, rows, run):
                found.update(values)
        return found

    def _values(
        self, keyed: Sequence[KeyedField], rows: Sequence[tuple[Any, ...]], run: Run
    ) -> Any:
        if _are_empty(keyed, rows):
            data: Sequence[Mapping[str, Any]] = [{}] * len(rows)
        else:
            data = rows_by_key(self._plans, self._selecting, keyed, rows, run)
        for each in keyed:
            nothing: Any = [] if each.is_many else None
            values = [row.get(each.key, nothing) for row in data]
            if isinstance(each.selected.field.type, GraphQLNonNull):
                values = [self._required(each, value, run) for value in values]
            yield {each.key: values}

    def _required(self, field: KeyedField, value: Any, run: Run) -> Any:
        if value is not None:
            return value
        name = f"{self._parent}.{field.selected.name}"
        return run.failure(TypeError(f"Cannot return null for non-nullable field {name}."))

    def _field(self, chosen: Chosen, run: Run) -> KeyedField:
        selected = chosen.selected
        declared = None if selected is None else selected.declared
        if selected is None or not isinstance(declared, CrmField):
            raise TypeError(f"{chosen.key} leads to no rows")
        try:
            run.context.require(declared.needed)
        except GraphQLError as error:
            raise argument_error(selected, run.variables) or error from None
        source = declared.source
        if not isinstance(source, Related | Connected) or source.child is None:
            raise TypeError(f"{chosen.key} leads to no rows")
        cls = run.context.schema.composition.target(declared)
        is_related = isinstance(source, Related)
        choice = self._selecting.below(selected) if is_related else None
        type_ = source_of(cls).c[source.child].type
        is_many = is_list(declared.type)
        return KeyedField(chosen.key, selected, source, cls, source.parent, type_, choice, is_many)


def rows_by_key(
    plans: dict[tuple[str, ...], Readable],
    selecting: Selecting,
    fields: Sequence[KeyedField],
    rows: Sequence[tuple[Any, ...]],
    run: Run,
) -> Sequence[Mapping[str, Any]]:
    """Return the value of each field for each row of keys.

    Args:
        plans: those compiled before, by the names of their fields.
        rows: for each object its keys, in the order in which the fields name them first.

    Raises:
        Uncovered, Unready: no statement can give them.
    """
    name, given = tuple(each.key for each in fields), run.given.keyed(rows)
    known = plans.get(name)
    found: Sequence[Mapping[str, Any]]
    # An argument may be wrong, which only a plan of its own can tell.
    with suppress(GraphQLError):
        if known is not None:
            found = known.data(run, given)
            return found
    # Compiled with this request's values: those the selection was made with may have been wrong.
    plan = run.compile(selecting.told(run.tagged()), run.context, fields)
    if plan.is_reusable and known is None:
        plans[name] = plan
    try:
        found = plan.data(run, given)
    except GraphQLError as error:
        raise Unready("arguments that no plan can tell wrong") from error
    return found


def _are_empty(fields: Sequence[KeyedField], rows: Sequence[tuple[Any, ...]]) -> bool:
    """Tell whether no key leads anywhere, so that there is nothing to read."""
    if any(isinstance(each.source, Connected) for each in fields):
        return not rows
    return all(key is None for row in rows for key in row)
