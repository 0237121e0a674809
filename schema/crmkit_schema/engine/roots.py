"""Compiling the root fields of a query."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Boolean, literal
from strawberry.utils.str_converters import to_camel_case

from crmkit_schema.declarations import CrmField
from crmkit_schema.engine.binding import Given, Read, reader, slot
from crmkit_schema.engine.compilation import Compilation, Here
from crmkit_schema.engine.json_sql import Expression
from crmkit_schema.engine.objects import object_of, page_of
from crmkit_schema.engine.root_calls import RootCall
from crmkit_schema.engine.selecting import Choice
from crmkit_schema.engine.uncovered import Uncovered
from crmkit_schema.engine.volume import Volume
from crmkit_schema.selections import Selected
from crmkit_schema.sources import Connected, Found, Key, Resolved
from crmkit_schema.specs import order_of
from crmkit_schema.values import bad_input


def root_of(made: Compilation, choice: Choice, volume: Volume, calls: list[RootCall]) -> Any | None:
    """Return the statement whose one value is the data of the whole operation.

    Args:
        volume: gets the rows that it may read.
        calls: gets the fields that Python answers; they are null in the statement.

    Returns:
        None if there is nothing to read.

    Raises:
        Uncovered: something selected has no SQL form.
    """
    scope = made.json.scope(None)
    members: list[tuple[str, Expression]] = []
    for key, selected in made.members(choice):
        if selected is None:
            members.append((key, made.json.constant(choice.type.name)))
        else:
            compiled = _member(made, choice, key, selected, volume, calls)
            members.append((key, made.guarded((key,), selected, compiled)))
    if not volume.below:
        return None
    return scope.select(made.json.as_text(scope.object(members)).label("data"))


def _member(
    made: Compilation,
    choice: Choice,
    key: str,
    selected: Selected,
    volume: Volume,
    calls: list[RootCall],
) -> Callable[[], Expression]:
    declared = selected.declared

    def compiled() -> Expression:
        source = declared.source if isinstance(declared, CrmField) else None
        if isinstance(declared, CrmField) and isinstance(source, Connected):
            return page_of(made, None, declared, source, (key,), selected, volume)
        if isinstance(source, Found):
            return _found(made, source, key, selected, volume)
        if isinstance(source, Resolved):
            calls.append(RootCall(made.selecting, choice.type, key, selected))
            return made.json.nothing()
        raise Uncovered(f"{selected.name} is no field of a query")

    return compiled


def _found(
    made: Compilation, source: Found, key: str, selected: Selected, volume: Volume
) -> Expression:
    cls, choice = made.composition.target(selected.declared), made.selecting.below(selected)
    by, value = _chosen(made, source, selected)
    level = made.level(cls)
    level.want(choice)
    bound = _Bound(made, by, value)
    level.level.conditions.append(by.where(level.level.rows, bound.slots()))
    level.level.conditions.append(slot(bound.finds_anything, Boolean()))
    level.level.sort_by([order_of(cls)[-1].lstrip("-")])
    rows, own = level.rows(1), Volume(lambda _given: 1)
    volume.below.append(own)
    scope = made.json.scope(rows)
    found = object_of(made, Here(level, rows, scope, (key,), own), choice)
    return made.json.nested(made.json.subquery(scope.select(found.label("r"))), False)


def _chosen(made: Compilation, source: Found, selected: Selected) -> tuple[Key, Any]:
    arguments = made.selecting.arguments(selected)
    given = {name: value for name, value in arguments.items() if value is not None}
    if len(given) != 1:
        raise bad_input(f"give exactly one of: {', '.join(selected.field.args)}")
    keys = {to_camel_case(python_name): key for python_name, key in source.by.items()}
    name, value = next(iter(given.items()))
    return keys[name], value


class _Bound:
    """The value of a look-up as parameters, of the types that this request's value has.

    Raises:
        GraphQLError: this request's value is wrong.
    """

    def __init__(self, made: Compilation, key: Key, value: Any) -> None:
        self._key, self._value, self._read = key, value, reader(value)
        self._example = key.coerce(value, made.context)

    def slots(self) -> Any:
        """Return the value, or its parts by their names, bound."""
        names = self._example if self._example is not None else self._value
        if not isinstance(names, Mapping):
            return slot(self._coerced, _type_of(self._example))
        example = self._example or dict.fromkeys(names)
        return {name: slot(self._part(name), _type_of(each)) for name, each in example.items()}

    def finds_anything(self, given: Given) -> bool:
        """Tell whether there is anything to look for."""
        return self._coerced(given) is not None

    def _coerced(self, given: Given) -> Any:
        return given.shared(self, lambda: self._key.coerce(self._read(given), given.context))

    def _part(self, name: str) -> Read:
        def part(given: Given) -> Any:
            value = self._coerced(given)
            return None if value is None else value[name]

        return part


def _type_of(value: Any) -> Any:
    """Return the type that SQLAlchemy gives a value; None leaves it to what it is compared with."""
    if value is None:
        return None
    for type_ in (str, int, float):
        if isinstance(value, type_) and not isinstance(value, bool):
            value = type_(value)
    return literal(value).type
