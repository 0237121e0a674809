"""The GraphQL arguments that a declared field takes."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from strawberry import ID, UNSET
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from crmkit_schema.declarations import CrmField
from crmkit_schema.sources import Announced, Computed, Connected, Found

if TYPE_CHECKING:
    from crmkit_schema.composition import Composition

_PAGE = (
    ("first", int, "How many rows, counted from the start; 20 if nothing is said, 100 at most."),
    ("after", str, "Start behind this cursor."),
    ("last", int, "How many rows, counted from the end."),
    ("before", str, "End before this cursor."),
)

_CUSTOMER = ("customer_id", ID, "Only what belongs to this customer.")


def arguments_of(declared: CrmField, composition: "Composition") -> list[StrawberryArgument]:
    """Return the arguments of a field in one schema."""
    if not isinstance(declared.source, Connected):
        return own_arguments(declared)
    cls, filters = composition.target(declared), composition.filters
    arguments = [_optional(*each) for each in _PAGE]
    if filters.input_for(cls) is not None:
        arguments.append(_optional("filter", filters.input_for(cls), "Which rows."))
    if filters.order_for(cls) is not None:
        arguments.append(_optional("order_by", filters.order_for(cls), "How they are sorted."))
    return arguments


def own_arguments(declared: StrawberryField) -> list[StrawberryArgument]:
    """Return the arguments that a field's declaration alone gives it."""
    source = declared.source if isinstance(declared, CrmField) else None
    if isinstance(source, Found):
        return [_optional(name, key.type, key.description) for name, key in source.by.items()]
    if isinstance(source, Computed):
        return _function_arguments(source.function)
    if isinstance(source, Announced):
        return [_optional(*_CUSTOMER), *_function_arguments(source.choose)]
    return [] if isinstance(source, Connected) else declared.arguments


def _function_arguments(function: Callable[..., Any]) -> list[StrawberryArgument]:
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    return [
        StrawberryArgument(
            each.name, None, StrawberryAnnotation(each.annotation), default=each.default
        )
        for each in parameters
        if each.kind is inspect.Parameter.KEYWORD_ONLY
    ]


def _optional(name: str, type_: Any, description: str) -> StrawberryArgument:
    return StrawberryArgument(
        name, None, StrawberryAnnotation(type_ | None), description=description, default=UNSET
    )
