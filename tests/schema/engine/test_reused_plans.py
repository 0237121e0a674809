"""A plan that was made for one value answers for another."""

from typing import Any

import pytest
from graphql import get_operation_ast

from crmkit import Actor, Crm, CustomerInput
from crmkit_schema.document_reader import Document
from crmkit_schema.requests import GraphQLRequest
from crmkit_schema.runtime import ComposedSchema

SEQUENCES: list[tuple[str, list[Any]]] = [
    ("query($x: String) { customers(filter: {displayName: {startsWith: $x}}) %s }",
     ["A", "Anna", "B", "Ann", "", "A%", "A"]),
    ("query($x: String) { customers(filter: {displayName: {contains: $x}}) %s }",
     ["", "n", "", "Z", "%"]),
    ("query($x: Boolean) { customers(filter: {occupation: {isNull: $x}}) %s }",
     [True, False, True]),
    ("query($x: [String!]) { customers(filter: {displayName: {in: $x}}) %s }",
     [["Ann"], ["Ann", "Bob"], [], ["Zoe"]]),
    ("query($x: CustomerFilter) { customers(filter: $x) %s }",
     [{"displayName": {"eq": "Ann"}}, {}, {"not": {"displayName": {"eq": "Ann"}}},
      {"or": [{"displayName": {"eq": "Ann"}}, {"displayName": {"eq": "Bob"}}]}]),
    ("query($x: Int) { customers(first: $x) %s }", [1, 3, 1, 100]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "values"), SEQUENCES, ids=[each[0][:60] for each in SEQUENCES])
def test_every_value_gets_the_answer_of_the_reference(
    crm: Crm, query: str, values: list[Any]
) -> None:
    people = {"Ann": None, "Anna": None, "Bob": None, "A%b": None, "Zoe": "nurse"}
    crm.upsert_customers(
        [CustomerInput("t", n, display_name=n, occupation=job) for n, job in people.items()]
    )
    schema = ComposedSchema(crm)
    actor = Actor("tester", "admin", crm.roles["admin"])
    text = query % "{ nodes { displayName } }"
    document = schema.documents.read(text)
    assert isinstance(document, Document)
    operation = get_operation_ast(document.node, None)
    assert operation is not None

    for value in values:
        request = GraphQLRequest(text, {"x": value})
        reference = schema.by_reference(document.node, operation, request, actor)
        assert schema.execute(request, actor).body() == reference.body()
