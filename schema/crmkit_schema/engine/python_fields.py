"""The values of fields that Python gives, for all objects of a level, as its code gives them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphql import GraphQLObjectType

from crmkit_schema.computing import compute
from crmkit_schema.declarations import CrmField
from crmkit_schema.engine.calls import Method
from crmkit_schema.engine.running import Run
from crmkit_schema.engine.selecting import Selecting, arguments_of
from crmkit_schema.levels import decode, embed
from crmkit_schema.selections import Selected
from crmkit_schema.sources import Computed, Embedded, Mapped

Values = Callable[[Sequence[Any], Run], list[Any]]
"""Gives a field's value for each object; `Failure` for one that failed."""


def values_of(
    selecting: Selecting, parent: GraphQLObjectType, key: str, selected: Selected
) -> Values:
    """Return what gives a field's values; neither rows nor pages of rows, which SQL fetches."""
    declared = selected.declared
    source = declared.source if isinstance(declared, CrmField) else None
    if isinstance(source, Computed):
        return _computed(selected, source)
    of_one = _of_one(selecting, parent, key, selected)

    def values(objects: Sequence[Any], run: Run) -> list[Any]:
        found = []
        for each in objects:
            try:
                found.append(of_one(each, run))
            except Exception as error:
                found.append(run.failure(error))
        return found

    return values


def _of_one(
    selecting: Selecting, parent: GraphQLObjectType, key: str, selected: Selected
) -> Callable[[Any, Run], Any]:
    declared = selected.declared
    source = declared.source if isinstance(declared, CrmField) else None
    if isinstance(declared, CrmField) and isinstance(source, Mapped):
        mapped = source
        return lambda each, _run: decode(declared, mapped, each)
    if isinstance(source, Embedded):
        embedded = source
        return lambda each, _run: embed(embedded, each)
    if declared.base_resolver is None:
        name = declared.python_name
        return lambda each, _run: getattr(each, name)
    method = Method(selecting, parent, key, selected)
    return lambda each, run: method.call(each, method.raw_info(run), run)


def _computed(selected: Selected, source: Computed) -> Values:
    declared = selected.declared
    if not isinstance(declared, CrmField):
        raise TypeError(f"{selected.name} is declared by nobody")

    def values(objects: Sequence[Any], run: Run) -> list[Any]:
        try:
            arguments = _arguments(selected, run)
            found = compute(
                declared, run.context, lambda own: source.function(objects, own, **arguments)
            )
            return _one_each(declared, found, objects)
        except Exception as error:  # a field's own error must not become its siblings'
            return [run.failure(error)] * len(objects)

    return values


def _one_each(declared: CrmField, found: Sequence[Any], objects: Sequence[Any]) -> list[Any]:
    if len(found) != len(objects):
        raise TypeError(
            f"{declared.python_name} gave {len(found)} values for {len(objects)} parents"
        )
    return list(found)


def _arguments(selected: Selected, run: Run) -> Mapping[str, Any]:
    if not selected.declared.arguments:
        return {}
    given = arguments_of(selected, run.variables)
    return run.context.schema.inputs.arguments(selected.declared.arguments, given)
