"""Telling developers what becomes of an operation."""

from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, get_operation_ast

from crmkit import Actor
from crmkit_schema.engine.binding import Given
from crmkit_schema.engine.uncovered import Uncovered, Unready
from crmkit_schema.requests import GraphQLRequest

if TYPE_CHECKING:
    from crmkit_schema.runtime import ComposedSchema


def explain(
    schema: "ComposedSchema",
    document: str,
    variables: dict[str, Any] | None,
    actor: Actor,
    operation_name: str | None = None,
) -> dict[str, Any]:
    """Return how an operation would be answered, without running it.

    Returns:
        `covered` and `cost`, in objects, and either `reason`, in words, or `sql` with its
        `parameters`, the `computed` fields that Python adds, and `rows_max`, the most rows it can
        read.

    Raises:
        ValueError: the document is not good, or has no such operation; the text says why.
    """
    found = schema.documents.read(document)
    if isinstance(found, list):
        raise ValueError("; ".join(each.message for each in found))  # noqa: TRY004 not a type
    operation = get_operation_ast(found.node, operation_name)
    if operation is None:
        raise ValueError("the document has no such operation, or several and none is named")
    request = GraphQLRequest(document, variables, operation_name)
    name = operation_name or next(iter(found.meter.operations))
    cost = found.meter.operations[name][1].cost.of(variables or {}, {})
    context = schema.plans.context(actor)
    try:
        coerced = schema.plans.variables(operation, variables)
        plan = schema.plans.plan(found.node, operation, request, coerced, context)
        given = Given(coerced.coerced, context)
        parameters = plan.binder.values(given)
    except (Uncovered, Unready, GraphQLError) as error:
        return {"covered": False, "cost": cost, "reason": str(error)}
    return {
        "covered": True,
        "cost": cost,
        "sql": plan.sql,
        "parameters": parameters,
        "computed": [".".join(each.place) for each in plan.computed],
        "rows_max": plan.volume.rows(given),
    }
