"""Whatever is asked, the answer is data or an error with a code; never a defect of ours."""

from itertools import product
from typing import Any

HUGE = "x" * 10_000_000
TEXTS: list[Any] = [
    "",
    "\ud800",
    "a\x00b",
    HUGE,
    "１２",
    "NaN",
    "\u202e",
    None,
    7,
    [],
    {},
    True,
    1.5,
    2**70,
]

QUERIES = {
    "customer by id": "query($x: ID) { customer(id: $x) { id } }",
    "by phone": "query($x: String) { customer(phone: $x) { id } }",
    "by e-mail": "query($x: String) { customer(email: $x) { id } }",
    "by name": 'query($x: String!) { customer(externalId: {source: "a", externalId: $x}) { id } }',
    "transaction": "query($x: ID) { transaction(id: $x) { id } }",
    "node": "query($x: ID!) { node(id: $x) { id } }",
    "nodes": "query($x: [ID!]!) { nodes(ids: $x) { id } }",
    "equal": "query($x: String) { customers(filter: {displayName: {eq: $x}}) { totalCount } }",
    "starts": "query($x: String) { customers(filter: {displayName: {startsWith: $x}}) "
    "{ totalCount } }",
    "contains": "query($x: String) { customers(filter: {displayName: {contains: $x}}) "
    "{ nodes { id } } }",
    "in": "query($x: [String!]) { transactions(filter: {store: {in: $x}}) { totalCount } }",
    "day": "query($x: Date) { customers(filter: {birthOn: {gt: $x}}) { totalCount } }",
    "moment": "query($x: DateTime) { transactions(filter: {occurredAt: {lt: $x}}) { totalCount } }",
    "number": "query($x: Int) { customers(filter: {metrics: {saleCount: {gt: $x}}}) "
    "{ totalCount } }",
    "long": "query($x: Long) { transactions(filter: {totalMinor: {gt: $x}}) { totalCount } }",
    "enum": "query($x: Gender) { customers(filter: {gender: {eq: $x}}) { totalCount } }",
    "flag": "query($x: Boolean) { customers(filter: {gender: {isNull: $x}}) { totalCount } }",
    "order": "query($x: CustomerOrderField!) { customers(orderBy: {field: $x}) { totalCount } }",
    "cursor": "query($x: String) { customers(after: $x) { nodes { id } } }",
    "size": "query($x: Int) { customers(first: $x) { nodes { id } } }",
}


def test_no_query_breaks_on_a_strange_value(shop: Any) -> None:
    strange: list[Any] = [
        *TEXTS,
        0,
        -1,
        2**31,
        2**53 + 1,
        -(2**31),
        float("nan"),
        float("inf"),
        ["\ud800"],
        ["x"] * 201,
        "cus_" + "0" * 32,
        "txn_" + "0" * 32,
        "cus_" + "F" * 32,
        "xyz_" + "0" * 32,
        "cus_",
        "_",
        "2026-01-01T00:00:00",
        "0001-01-01T00:00Z",
        "9999-12-31",
        "2026-13-01",
        "1e400",
        [[]],
        [{}],
    ]
    for (name, query), value in product(QUERIES.items(), strange):
        codes = shop.codes(query, x=value)

        assert "INTERNAL" not in codes, (name, repr(value)[:60])


DOCUMENTS = [
    "",
    " ",
    "#",
    "{",
    "}",
    "\x00",
    "\ud800",
    '{ customer(phone: "\\ud800") { id } }',
    "{ a " * 400,
    "{ customer " * 150 + "{ id }" + "}" * 150,
    "{ ...F } fragment F on Query { ...F }",
    "{ ...Nobody }",
    "query Q { modules { apiVersion } } query Q { modules { apiVersion } }",
    "subscription { x }",
    "{ __typename @skip }",
    "{ customers(first: 9999999999) { totalCount } }",
    "{ customers(filter: " + "{not: " * 120 + "{}" + "}" * 120 + ") { totalCount } }",
    "{ " + "modules { apiVersion } " * 500 + "}",
    "{ customers(first: [[[[1]]]]) { totalCount } }",
    "[" * 5000,
    '{ node(id: "' + HUGE[:200_000] + '") { id } }',
    "schema { query: Query }",
    "query($x: Nobody) { modules { apiVersion } }",
    "query($x: Int = null) { nobody }",
    "mutation { modules }",
    "{ customers { nodes } }",
    "{ modules { apiVersion { x } } }",
    "{ customers(first: 1, first: 2) { totalCount } }",
    "{ customers(nobody: 1) { totalCount } }",
]


def test_no_document_breaks_anything(api: Any) -> None:
    for document in DOCUMENTS:
        codes = api.codes(document)

        assert codes, document[:60]
        assert "INTERNAL" not in codes, document[:60]


def test_filters_nest_as_deep_as_variables_may(api: Any) -> None:
    nested: dict[str, Any] = {}
    for _ in range(14):
        nested = {"not": {"and": [nested]}}

    assert api("query($x: CustomerFilter) { customers(filter: $x) { totalCount } }", x=nested)


def test_a_document_with_several_operations_needs_a_name(api: Any) -> None:
    both = "query A { modules { apiVersion } } query B { customers { totalCount } }"

    assert api.codes(both) == api.codes(both, operation="C") == ["OPERATION_NOT_FOUND"]
    assert api(both, operation="B") == {"customers": {"totalCount": 0}}
