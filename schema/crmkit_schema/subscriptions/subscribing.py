"""What one subscriber asked for, and the answers that news make for it. Runs in threads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLObjectType,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    get_operation_ast,
)
from graphql.execution.collect_fields import FragmentDetails, collect_fields
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values
from graphql.language import FieldNode, FragmentDefinitionNode

from crmkit import Actor, Announcement, Event, Refused
from crmkit_schema.answers import formatted, raise_outage, refused
from crmkit_schema.computing import compute
from crmkit_schema.context import RequestContext
from crmkit_schema.customer_types import Customer
from crmkit_schema.declarations import CrmField
from crmkit_schema.requests import GraphQLAnswer, GraphQLRequest
from crmkit_schema.rows import read_id
from crmkit_schema.runtime import ComposedSchema
from crmkit_schema.sources import Announced
from crmkit_schema.values import bad_input, refuse_unstorable

_BACKREF = "strawberry-definition"


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subscription that was found good.

    Attributes:
        declared: its root field; `key` is what the field is called in answers.
        customer_id: whose news it is about; None if everybody's.
        arguments: what the field's own choice of news is told.
    """

    request: GraphQLRequest
    document: DocumentNode
    declared: CrmField
    source: Announced
    key: str
    customer_id: UUID | None
    arguments: Mapping[str, Any]

    @property
    def event(self) -> Event:
        """What it waits for."""
        return self.source.event


def begin(
    schema: ComposedSchema, request: GraphQLRequest, actor: Actor
) -> Subscribed | GraphQLAnswer:
    """Return a subscription to be fed, or the one answer that there is to anything else.

    Raises:
        Exception: the database cannot be used, as with `ComposedSchema.execute`.
    """
    document = schema.documents.read_request(request)
    if isinstance(document, list):
        return GraphQLAnswer(None, formatted(document), was_executed=False)
    operation = get_operation_ast(document.node, request.operation_name)
    if operation is None or operation.operation is OperationType.QUERY:
        return schema.execute(request, actor)
    if operation.operation is OperationType.MUTATION:
        return refused("MUTATION_NOT_STREAMED", "send mutations by POST and accept JSON")
    variables = request.variables or {}
    excess = schema.documents.cost_error(document, request.operation_name, variables)
    if excess is not None:
        return GraphQLAnswer(None, formatted([excess]), was_executed=False)
    try:
        return _subscribed(schema, request, document.node, operation, actor)
    except GraphQLError as error:
        return GraphQLAnswer(None, formatted([error]), was_executed=False)
    except Refused as error:
        return GraphQLAnswer(None, [_told(error)], was_executed=False)


def deliver(
    schema: ComposedSchema, subscribed: Subscribed, news: Sequence[Announcement], actor: Actor
) -> Iterator[GraphQLAnswer]:
    """Yield an answer for each announcement that concerns the subscriber.

    Raises:
        GraphQLError: the actor may not see it any more.
        Exception: the database cannot be used, or the field's own choice failed.
    """
    for each in news:
        context = schema.plans.context(actor)
        context.require(subscribed.declared.needed)
        with context.snapshot():
            row_id = _chosen(subscribed, each, context)
            if row_id is not None:
                answer = _answer(schema, subscribed, context, row_id)
                # A row that is gone again, such as one of a savepoint rolled back, is no news.
                if answer.errors or (answer.data or {}).get(subscribed.key) is not None:
                    yield answer


def _chosen(
    subscribed: Subscribed, announcement: Announcement, context: RequestContext
) -> UUID | None:
    def choose(own: RequestContext) -> UUID | None:
        return subscribed.source.choose(announcement, own, **subscribed.arguments)

    return compute(subscribed.declared, context, choose)


def _answer(
    schema: ComposedSchema, subscribed: Subscribed, context: RequestContext, row_id: UUID
) -> GraphQLAnswer:
    context.announced = row_id
    result = execute_sync(
        schema.schema._schema,
        subscribed.document,
        context_value=context,
        variable_values=subscribed.request.variables,
        operation_name=subscribed.request.operation_name,
        hide_suggestions=context.is_production,
    )
    raise_outage(result.errors or ())
    return GraphQLAnswer(result.data, formatted(result.errors or ()))


def _subscribed(
    schema: ComposedSchema,
    request: GraphQLRequest,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    actor: Actor,
) -> Subscribed:
    variables = _variables(schema, operation, request)
    root = schema.schema._schema.get_root_type(OperationType.SUBSCRIPTION)
    if root is None:
        raise TypeError("core contributes no subscriptions")
    key, node = _root_field(schema, root, document, operation, variables)
    found = root.fields[node.name.value]
    declared: CrmField = found.extensions[_BACKREF]
    schema.plans.context(actor).require(declared.needed)
    values = get_argument_values(found, node, variables)
    refuse_unstorable(values)
    arguments = schema.inputs.arguments(declared.arguments, values)
    customer = arguments.pop("customer_id", None)
    customer_id = None if customer is None else read_id(Customer, customer)
    if not isinstance(declared.source, Announced):
        raise TypeError(f"{declared.python_name} is no subscription")
    return Subscribed(request, document, declared, declared.source, key, customer_id, arguments)


def _variables(
    schema: ComposedSchema, operation: OperationDefinitionNode, request: GraphQLRequest
) -> VariableValues:
    definitions = operation.variable_definitions or ()
    found = get_variable_values(schema.schema._schema, definitions, request.variables or {})
    if isinstance(found, VariableValues):
        return found
    raise found[0]


def _root_field(
    schema: ComposedSchema,
    root: GraphQLObjectType,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: VariableValues,
) -> tuple[str, FieldNode]:
    """Return the one root field, with its key in answers; validation refuses several."""
    fragments = {
        each.name.value: FragmentDetails(each)
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    collected = collect_fields(schema.schema._schema, fragments, variables, root, operation)
    for key, details in collected.grouped_field_set.items():
        return key, details[0].node
    raise bad_input("nothing is subscribed to: @skip or @include leaves the field out")


def _told(error: Refused) -> dict[str, Any]:
    return {"message": str(error), "extensions": {"code": error.code}}
