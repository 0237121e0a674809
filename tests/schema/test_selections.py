"""Whatever a query looks like, it is answered as graphql-core alone would answer it."""

from typing import Any

import pytest
import strawberry

from crmkit import SchemaContribution
from crmkit_schema import PUBLIC, computed


def test_aliases_of_one_field_keep_their_own_arguments(shop: Any) -> None:
    data = shop(
        "{ customers(first: 1) { nodes { one: transactions(first: 1) { nodes { id } }"
        " two: transactions(first: 2) { nodes { externalId } } } } }"
    )

    customer = data["customers"]["nodes"][0]
    assert [list(each) for each in customer["one"]["nodes"]] == [["id"]]
    assert [list(each) for each in customer["two"]["nodes"]] == [["externalId"]] * 2


def test_two_aliases_of_a_list_that_python_made_may_ask_for_different_things(api: Any) -> None:
    data = api(
        """mutation { recordTransactions(input: {createMissingCustomers: true, transactions: [
        {source: "till", externalId: "1", occurredAt: "2026-01-01T00:00Z", currency: "CNY",
         customer: {externalId: "7"}, lines: [{sku: "tea", quantity: 1, unitPrice: 2}]}]}) {
        ... on RecordTransactionsSuccess {
          a: rows { transaction { externalId } } b: rows { transaction { currency } } } } }"""
    )["recordTransactions"]

    assert data["a"] == [{"transaction": {"externalId": "1"}}]
    assert data["b"] == [{"transaction": {"currency": "CNY"}}]


def test_selections_of_one_field_are_merged(shop: Any) -> None:
    data = shop(
        "{ customers(first: 1) { nodes { metrics { saleCount } metrics { net { amount } } } }"
        " customers(first: 1) { totalCount } }"
    )["customers"]

    assert data["totalCount"] == 3
    assert data["nodes"] == [{"metrics": {"saleCount": 2, "net": {"amount": "21.00"}}}]


def test_fragments_count_where_their_type_fits(shop: Any) -> None:
    id_ = shop("{ customers(first: 1) { nodes { id } } }")["customers"]["nodes"][0]["id"]

    found = shop(
        "query($id: ID!) { node(id: $id) { __typename ...On ... on Transaction { currency } } }"
        " fragment On on Customer { tags { ...Tag } } fragment Tag on CustomerTag { tag }",
        id=id_,
    )["node"]

    assert found == {"__typename": "Customer", "tags": [{"tag": "group1"}, {"tag": "regular"}]}


@pytest.mark.parametrize("wanted", [True, False])
def test_skip_and_include_decide_by_variables(shop: Any, statements: Any, wanted: bool) -> None:
    query = """query($yes: Boolean!) { customers(first: 1) { nodes {
        displayName @skip(if: $yes) transactions @include(if: $yes) { totalCount } } } }"""

    with statements(shop.crm) as found:
        node = shop(query, yes=wanted)["customers"]["nodes"][0]

    assert list(node) == (["transactions"] if wanted else ["displayName"])
    assert len(found) == 1


def test_only_the_typename_may_be_asked_of_a_row(shop: Any) -> None:
    data = shop(
        '{ customer(externalId: {source: "till", externalId: "1"}) { __typename tags { __typename }'
        " transactions { __typename nodes { __typename lines { __typename } } } } }"
    )["customer"]

    assert data["__typename"] == "Customer"
    assert data["tags"] == [{"__typename": "CustomerTag"}] * 2
    assert data["transactions"]["nodes"][0]["lines"]["__typename"] == "TransactionLineConnection"


def test_nodes_and_edges_of_one_page_show_the_same_rows(shop: Any) -> None:
    page = shop(
        "{ transactions(first: 3) { nodes { id lines { totalCount } } edges { cursor node {"
        " id externalId customer { displayName } } } pageInfo { endCursor } } }"
    )["transactions"]

    assert [each["id"] for each in page["nodes"]] == [each["node"]["id"] for each in page["edges"]]
    assert page["pageInfo"]["endCursor"] == page["edges"][-1]["cursor"]
    assert all(each["node"]["customer"]["displayName"] for each in page["edges"])
    assert {each["lines"]["totalCount"] for each in page["nodes"]} == {2}


def test_connections_lie_inside_to_one_rows_inside_connections(shop: Any) -> None:
    data = shop(
        "{ transactions(first: 2) { nodes { customer { transactions(last: 1) { nodes { externalId"
        " customer { displayName } } } } } } }"
    )["transactions"]["nodes"]

    oldest = [each["customer"]["transactions"]["nodes"] for each in data]
    assert [each["externalId"] for (each,) in oldest] == ["1-2", "3-2"]


def test_a_parent_that_is_missing_is_null(api: Any) -> None:
    api(
        """mutation { recordTransactions(input: {transactions: [{source: "till", externalId: "1",
        occurredAt: "2026-01-01T00:00Z", currency: "CNY",
        lines: [{sku: "tea", quantity: 1, unitPrice: 2}]}]}) { __typename } }"""
    )

    nodes = api("{ transactions { nodes { customer { tags { tag } } original { id } } } }")

    assert nodes["transactions"]["nodes"] == [{"customer": None, "original": None}]


def test_several_roots_may_be_asked_at_once(shop: Any) -> None:
    data = shop(
        "{ a: customers(first: 1) { nodes { displayName } } b: customers(last: 1) { nodes { id } }"
        " interactions { totalCount } transactions { totalCount } }"
    )

    assert data["a"]["nodes"] == [{"displayName": "Customer 001"}]
    assert list(data["b"]["nodes"][0]) == ["id"]
    assert (data["interactions"]["totalCount"], data["transactions"]["totalCount"]) == (3, 6)


def failing(_parents: Any, _context: Any) -> list[int]:
    raise RuntimeError("password=hunter2")


@strawberry.type
class Failing:
    broken: int | None = computed("Raises.", failing, permission=PUBLIC)
    short: int | None = computed("Gives too few.", lambda _p, _c: [1], permission=PUBLIC)


def test_a_computed_field_that_raises_is_null_alone(api_with: Any) -> None:
    api = api_with(SchemaContribution(extends={"Customer": Failing}))

    answer = api.answer("{ customers(first: 2) { nodes { broken displayName tags { tag } } } }")

    nodes = answer.data["customers"]["nodes"]
    assert [each["broken"] for each in nodes] == [None, None]
    assert all(each["tags"] and each["displayName"] for each in nodes)
    assert [each["path"] for each in answer.errors] == [
        ["customers", "nodes", at, "broken"] for at in (0, 1)
    ]


def test_one_failure_of_many_rows_has_one_reference_and_tells_nothing(
    api_with: Any, caplog: pytest.LogCaptureFixture
) -> None:
    api = api_with(SchemaContribution(extends={"Customer": Failing}))

    errors = api.answer("{ customers { nodes { broken } } }").errors

    assert {each["extensions"]["code"] for each in errors} == {"INTERNAL"}
    assert len({each["extensions"]["reference"] for each in errors}) == 1
    assert "hunter2" not in str(errors)
    assert errors[0]["extensions"]["reference"] in caplog.text
    assert "hunter2" in caplog.text


def test_a_computed_field_must_give_one_value_for_each_parent(api_with: Any) -> None:
    api = api_with(SchemaContribution(extends={"Customer": Failing}))

    answer = api.answer("{ customers { nodes { short displayName } } }")

    assert [each["short"] for each in answer.data["customers"]["nodes"]] == [None] * 3
    assert {each["extensions"]["code"] for each in answer.errors} == {"INTERNAL"}


def test_mutations_of_one_operation_see_what_those_before_them_did(api: Any) -> None:
    row = '{source: "till", externalId: "1", displayName: "%s"}'
    answer = "... on UpsertCustomersSuccess { rows { outcome customer { displayName } } }"

    data = api(
        "mutation { a: upsertCustomers(input: {customers: [" + row % "Ann" + "]}) { " + answer +
        " } b: upsertCustomers(input: {customers: [" + row % "Bo" + "]}) { " + answer + " } }"
    )  # fmt: skip

    assert data["a"]["rows"][0]["customer"] == {"displayName": "Ann"}
    assert data["b"]["rows"][0]["customer"] == {"displayName": "Bo"}
