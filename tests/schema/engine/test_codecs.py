"""Every codec of the table writes each value as the reference executor does, on both databases."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import get_operation_ast
from tests.schema.engine import edges
from tests.schema.engine.comparing import are_same, said
from tests.schema.engine.planned import Planned

from crmkit import Actor
from crmkit.testing import CrmFactory
from crmkit_schema.engine import codecs
from crmkit_schema.requests import GraphQLAnswer, GraphQLRequest
from crmkit_schema.runtime import ComposedSchema

PAGE = """query($first: Int, $after: String) { LIST(first: $first, after: $after) {
    edges { cursor node { value maybe } } pageInfo { hasNextPage endCursor } } }"""
RECORD = """mutation($payload: JSON) { recordInteractions(input: {interactions: [{source: "till",
    externalId: "n", occurredAt: "2026-01-01T00:00Z", kind: "search", payload: $payload}]}) {
    ... on RecordInteractionsSuccess { rows { outcome } } } }"""
SEEN = "{ LIST(first: 100) { nodes { seen } } }"
WITH_ERRORS = ("Wide", "Enum")  # which the reference executor is left to tell
ACTOR = Actor("tester", "test", frozenset())


@pytest.fixture
def schema(crm_factory: CrmFactory) -> Iterator[ComposedSchema]:
    """Give a schema with a list of the edges of every kind of column."""
    logging.disable(logging.CRITICAL)
    yield ComposedSchema(crm_factory(edges))
    logging.disable(logging.NOTSET)


def test_every_codec_has_its_edges() -> None:
    assert {each.codec for each in edges.KINDS.values()} >= set(codecs._CODECS)
    assert {codecs.kind_of(each.stored) for each in edges.KINDS.values()} >= set(codecs._PLACES)


@pytest.mark.parametrize("name", edges.KINDS)
def test_values_are_written_as_the_reference_executor_writes_them(
    schema: ComposedSchema, name: str
) -> None:
    query = PAGE.replace("LIST", f"edges{name.capitalize()}")

    whole = both(schema, name, query, first=100)
    assert len(whole["edges"]) == len(edges.KINDS[name].values) + 1
    found: list[Any] = []
    cursor = None
    while len(found) < len(whole["edges"]):  # each cursor is read again by both
        page = both(schema, name, query, first=3, after=cursor)
        found += page["edges"]
        cursor = page["pageInfo"]["endCursor"]
    assert found == whole["edges"]


@pytest.mark.parametrize("name", edges.KINDS)
def test_python_gets_the_values_that_the_reference_executor_gives_it(
    schema: ComposedSchema, name: str
) -> None:
    seen = both(schema, name, SEEN.replace("LIST", f"edges{name.capitalize()}"))

    assert len(seen["nodes"]) == len(edges.KINDS[name].values) + 1


def test_large_floats_in_payloads_come_back(api: Any) -> None:
    payload = {"query": "tea", "results": [1e300, 1e22, 0.1, 1.0]}
    assert api(RECORD, payload=payload)["recordInteractions"]["rows"] == [{"outcome": "TAKEN"}]

    request = GraphQLRequest("{ interactions { nodes { payload } } }")
    actor = Actor("tester", "test", api.everything)
    answers = by_reference(api.schema, request, actor), api.schema.execute(request, actor)

    for each in answers:
        assert each.data == {"interactions": {"nodes": [{"payload": payload}]}}
        assert b'"results":' in each.encoded()


def both(schema: ComposedSchema, name: str, query: str, **variables: Any) -> Any:
    """Return the one root field, which must come out of a plan and be the reference's."""
    request = GraphQLRequest(query, variables)
    with Planned(schema) as planned:
        answer = planned.execute(request, ACTOR)
    assert answer is not None or name in WITH_ERRORS, planned.reason
    answer = answer or schema.execute(request, ACTOR)
    expected = by_reference(schema, request)
    assert are_same(said(answer), said(expected)), f"{said(answer)!r}\n{said(expected)!r}"
    assert answer.data is not None
    (found,) = answer.data.values()
    return found


def by_reference(
    schema: ComposedSchema, request: GraphQLRequest, actor: Actor = ACTOR
) -> GraphQLAnswer:
    document: Any = schema.documents.read(request.query)
    operation = get_operation_ast(document.node)
    assert operation is not None
    return schema.by_reference(document.node, operation, request, actor)
