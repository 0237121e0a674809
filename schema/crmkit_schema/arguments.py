"""The GraphQL arguments that a declared field takes."""

import inspect
from typing import TYPE_CHECKING, Any

from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument

from crmkit_schema.declarations import Computed, Connected, CrmField, Found

if TYPE_CHECKING:
    from crmkit_schema.composition import Composition

_PAGE = (
    ("first", int, "How many rows, counted from the start; 20 if nothing is said, 100 at most."),
    ("after", str, "Start behind this cursor."),
    ("last", int, "How many rows, counted from the end."),
    ("before", str, "End before this cursor."),
)


def arguments_of(declared: CrmField, composition: "Composition") -> list[StrawberryArgument]:
    """Return the arguments of a field from what it declares."""
    source = declared.source
    if isinstance(source, Connected):
        return _connection_arguments(declared, composition)
    if isinstance(source, Found):
        return [_optional(name, key.type, key.description) for name, key in source.by.items()]
    if isinstance(source, Computed):
        return _function_arguments(source)
    return declared.arguments


def _connection_arguments(
    declared: CrmField, composition: "Composition"
) -> list[StrawberryArgument]:
    arguments = [_optional(*each) for each in _PAGE]
    cls = composition.target(declared)
    filter_input = composition.filters.input_for(cls)
    if filter_input is not None:
        arguments.append(_optional("filter", filter_input, "Which rows."))
    order_input = composition.filters.order_for(cls)
    if order_input is not None:
        arguments.append(_optional("order_by", order_input, "How the rows are sorted."))
    return arguments


def _function_arguments(source: Computed) -> list[StrawberryArgument]:
    parameters = inspect.signature(source.function, eval_str=True).parameters.values()
    return [
        StrawberryArgument(
            each.name, None, StrawberryAnnotation(each.annotation), default=each.default
        )
        for each in parameters
        if each.kind is inspect.Parameter.KEYWORD_ONLY
    ]


def _optional(name: str, type_: Any, description: str) -> StrawberryArgument:
    return StrawberryArgument(
        name, None, StrawberryAnnotation(type_ | None), description=description, default=None
    )
