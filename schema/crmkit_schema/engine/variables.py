"""The variables of a request, as GraphQL takes them."""

from typing import TYPE_CHECKING, Any, Final

from graphql import OperationDefinitionNode
from graphql.execution.values import VariableValues, get_variable_values

from crmkit_schema.answers import formatted
from crmkit_schema.engine.exact_variables import Unusual
from crmkit_schema.engine.uncovered import WrongVariables
from crmkit_schema.requests import GraphQLAnswer

if TYPE_CHECKING:
    from crmkit_schema.runtime import ComposedSchema

_ERRORS_MAX: Final = 50  # as graphql-core itself


def coerced_variables(
    schema: "ComposedSchema", operation: OperationDefinitionNode, given: dict[str, Any] | None
) -> VariableValues:
    """Return coerced variables.

    Raises:
        WrongVariables: they are wrong.
    """
    if not operation.variable_definitions:
        return VariableValues({}, {})
    try:
        return schema.variables.coerced(operation, given or {})
    except (Unusual, RecursionError):
        pass
    found = get_variable_values(
        schema.schema._schema,
        operation.variable_definitions,
        given or {},
        max_errors=_ERRORS_MAX,
        hide_suggestions=schema.crm.settings.profile == "production",
    )
    if not isinstance(found, VariableValues):
        raise WrongVariables(found)
    return found


def refused_variables(wrong: WrongVariables) -> GraphQLAnswer:
    """Return the answer to a request whose variables are wrong."""
    return GraphQLAnswer(None, formatted(wrong.errors), was_executed=False)
