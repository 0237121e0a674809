"""Compiling the root fields of a query."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import literal
from strawberry.utils.str_converters import to_camel_case

from crmkit_schema.declarations import CrmField
from crmkit_schema.engine.binding import Given, Read, reader, slot
from crmkit_schema.engine.compilation import Compilation, Here
from crmkit_schema.engine.json_sql import Expression
from crmkit_schema.engine.objects import object_of
from crmkit_schema.engine.pages import PageSql
from crmkit_schema.engine.selecting import Choice
from crmkit_schema.engine.uncovered import Uncovered, Unready
from crmkit_schema.engine.volume import Volume
from crmkit_schema.selections import Selected
from crmkit_schema.sources import Connected, Found, Key
from crmkit_schema.specs import order_of


def root_of(made: Compilation, choice: Choice, volume: Volume) -> Any:
    """Return the statement whose one value is the data of the whole operation.

    Raises:
        Uncovered: something selected has no SQL form, or the caller may not see it.
        Unready: the arguments of this request look nothing up.
        GraphQLError: the arguments are wrong.
    """
    scope = made.json.scope(None)
    members: list[tuple[str, Expression]] = []
    for key, selected in made.members(choice):
        if selected is None:
            members.append((key, made.json.constant(choice.type.name)))
        else:
            members.append((key, _member(made, key, selected, volume)))
    return scope.select(made.json.as_text(scope.object(members)).label("data"))


def _member(made: Compilation, key: str, selected: Selected, volume: Volume) -> Expression:
    declared = selected.declared
    if not isinstance(declared, CrmField):
        raise Uncovered(f"{selected.name} is resolved by Python")
    source = declared.source
    if isinstance(source, Connected):
        page = PageSql(made, None, declared, source, (key,), selected, object_of)
        volume.below.append(page.volume)
        return page.query()
    if isinstance(source, Found):
        return _found(made, source, key, selected, volume)
    raise Uncovered(f"{selected.name} is resolved by Python")


def _found(
    made: Compilation, source: Found, key: str, selected: Selected, volume: Volume
) -> Expression:
    cls, choice = made.composition.target(selected.declared), made.selecting.below(selected)
    level = made.level(cls)
    level.want(choice)
    by, value = _chosen(made, source, selected)
    level.level.conditions.append(by.where(level.level.rows, _bound(made, by, value)))
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
        raise Unready("not exactly one key is given")
    keys = {to_camel_case(python_name): key for python_name, key in source.by.items()}
    name, value = next(iter(given.items()))
    return keys[name], value


def _bound(made: Compilation, key: Key, value: Any) -> Any:
    """Return a key's value as parameters, of the types that this request's value has."""
    example = key.coerce(value, made.context)
    read = reader(value)

    def coerced(given: Given) -> Any:
        return given.shared(coerced, lambda: key.coerce(read(given), given.context))

    if example is None:
        raise Unready("a key that finds nothing")
    if not isinstance(example, Mapping):
        return slot(coerced, literal(_untagged(example)).type)

    def part(name: str) -> Read:
        return lambda given: coerced(given)[name]

    return {name: slot(part(name), literal(_untagged(each)).type) for name, each in example.items()}


def _untagged(value: Any) -> Any:
    """Return a value as SQLAlchemy knows its type."""
    for type_ in (str, int, float):
        if isinstance(value, type_) and not isinstance(value, bool):
            return type_(value)
    return value
