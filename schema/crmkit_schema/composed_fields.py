"""A declared field, made ready for one schema: what it needs, and its final type."""

from copy import copy
from typing import Annotated, Any, Union

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.base import StrawberryOptional
from strawberry.types.field import StrawberryField
from strawberry.types.union import StrawberryUnion
from strawberry.utils.str_converters import to_camel_case

from crmkit_schema.declarations import CrmField
from crmkit_schema.reachable_types import row_class
from crmkit_schema.sources import Announced, Computed, Given, Held, Mutated
from crmkit_schema.specs import PUBLIC, TypeSpec, spec_of


def composed(declared: StrawberryField, spec: TypeSpec | None, owner: str = "") -> StrawberryField:
    """Return a copy of a field that knows every permission it needs.

    A field that needs more than its type does becomes nullable, so that a caller who lacks the
    permission loses the field and not the answer.

    Args:
        spec: of the type it belongs to; None for the root types.
        owner: of that type.
    """
    own = PUBLIC if spec is None else spec.permission
    permission = declared.permission if isinstance(declared, CrmField) else None
    needed = frozenset({own, permission or PUBLIC, _of_target(declared)} - {PUBLIC})
    is_attribute = not isinstance(declared, CrmField) and declared.base_resolver is None
    if is_attribute and not needed:
        return declared
    if isinstance(declared, CrmField) and isinstance(declared.source, Given):
        needed = frozenset()  # the field that gives the connection asked for the permission
    made = copy(declared) if isinstance(declared, CrmField) else _held(declared)
    if isinstance(made.source, Mutated):
        made.type_annotation = StrawberryAnnotation(_result_union(made, made.source))
    made.needed, made.owner = needed, made.owner or owner
    made.is_optional = isinstance(made.type, StrawberryOptional)
    # A permission may refuse it, and Python code may fail or be given up on: null is an answer.
    may_be_missing = needed - {own} or isinstance(made.source, Announced | Computed)
    if may_be_missing and not made.is_optional:
        made.type_annotation = StrawberryAnnotation(StrawberryOptional(made.type))
    return made


def result_name(declared: StrawberryField) -> str:
    """Return the name of the union that a mutation answers."""
    name = to_camel_case(declared.python_name)
    return f"{name[0].upper()}{name[1:]}Result"


def _of_target(declared: StrawberryField) -> str:
    target = spec_of(row_class(declared.type))
    return PUBLIC if target is None else target.permission


def _held(declared: StrawberryField) -> CrmField:
    """Return a plain field of a type that not everybody may see, with its permission checked."""
    made = CrmField(
        python_name=declared.python_name,
        graphql_name=declared.graphql_name,
        type_annotation=declared.type_annotation,
        origin=declared.origin,
        description=declared.description,
        base_resolver=declared.base_resolver,
        deprecation_reason=declared.deprecation_reason,
        directives=declared.directives,
    )
    made.source = Held()
    return made


def _result_union(made: CrmField, source: Mutated) -> Any:
    """Return the union of a mutation's success, or successes, with its problems."""
    success = made.type.types if isinstance(made.type, StrawberryUnion) else (made.type,)
    members = (*success, *source.members)
    union = strawberry.union(
        name=result_name(made), description=f"What `{to_camel_case(made.python_name)}` answers."
    )
    return Annotated[Union[members], union]  # noqa: UP007 members are known only here
