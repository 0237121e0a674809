"""Mutations that several requests call at the same time: one write, and one statement to answer.

Only what was answered before by a thread is looked at, so nothing is read or compiled here; and
only operations whose payload depends on no variable, so that it is the same for all.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphql import GraphQLError, OperationType, get_operation_ast

from crmkit import Actor, Refused
from crmkit.outages import is_outage
from crmkit_schema.engine.mutating import PreparedMutation
from crmkit_schema.engine.uncovered import WrongVariables
from crmkit_schema.requests import GraphQLRequest, Joint

if TYPE_CHECKING:
    from crmkit_schema.runtime import ComposedSchema

log = logging.getLogger("crmkit")


def joint_mutation(schema: "ComposedSchema", request: GraphQLRequest, actor: Actor) -> Joint | None:
    """Return how a request is served together with others; None if it goes by itself."""
    document = schema.documents.known(request)
    if document is None:
        return None
    operation = get_operation_ast(document.node, request.operation_name)
    if operation is None or operation.operation is not OperationType.MUTATION:
        return None
    try:
        prepared = schema.plans.mutations.joint(operation, document.text, request, actor)
    except WrongVariables:
        return None
    if prepared is None or schema.documents.cost_error(
        document, request.operation_name, request.variables or {}
    ):
        return None
    return Joint((prepared.plan, actor), prepared, answered)


def answered(requests: Sequence[PreparedMutation]) -> list[bytes | Exception]:
    """Return the answers to requests of one plan, together if that goes well."""
    if len(requests) > 1:
        try:
            answers = requests[0].plan.answer_together(requests)
        except (Refused, GraphQLError):
            pass  # each is served by itself and told what is wrong with its own
        except Exception:
            log.warning("requests that came in together are served one by one", exc_info=True)
        else:
            return [each.encoded() for each in answers]
    return _one_by_one(requests)


def _one_by_one(requests: Sequence[PreparedMutation]) -> list[bytes | Exception]:
    """Return the answer to each request; a database that cannot be used is tried once."""
    found: list[bytes | Exception] = []
    for each in requests:
        try:
            found.append(each.answer().encoded())
        except Exception as error:
            found.append(error)
            if is_outage(error):
                break
    return found + found[-1:] * (len(requests) - len(found))
