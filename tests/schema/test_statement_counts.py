"""However many rows a query gives, it takes the same number of statements."""

from typing import Any

import pytest
import strawberry
from graphql import GraphQLError
from sqlalchemy import select

from crmkit import Actor, Crm, SchemaContribution, models, table_of
from crmkit.testing import NOON
from crmkit_schema import PUBLIC, Customer, RequestContext, computed, object_type, related
from crmkit_schema.runtime import ComposedSchema

QUERIES = {
    "nested connections": "{ customers(first: 60) { nodes { transactions(first: 3) { nodes {"
    " lines(first: 5) { nodes { sku } } } } } } }",
    "edges": "{ customers(first: 60) { edges { cursor node { transactions(first: 3) { totalCount"
    " edges { node { lines(first: 5) { edges { node { sku } } } } } } } } } }",
    "lists": "{ customers(first: 40) { nodes { tags { tag } contactPoints { value } addresses"
    " { city } externalIds { source } categories { nodes { category } } "
    "stores { nodes { store } } } } }",
    "to-one": "{ transactions(first: 100) { nodes { customer { displayName metrics { saleCount }"
    " } original { id } } } }",
    "computed": "{ customers(first: 100) { nodes { age } } }",
    "interactions": "{ interactions(first: 60) { nodes { customer { transactions(first: 1)"
    " { pageInfo { endCursor } } } transaction { id } } } }",
}


def taken(api: Any, statements: Any, query: str, **variables: Any) -> int:
    with statements(api.crm) as found:
        api(query, **variables)
    return len(found)


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_statements_do_not_grow_with_rows(
    api: Any, stock: Any, statements: Any, query: str
) -> None:
    counts = []
    for customers in (1, 10, 60):
        stock(api.crm, customers, sales=3)
        counts.append(taken(api, statements, query))

    assert counts[0] == counts[1] == counts[2] <= 12


def test_a_mutation_fetches_its_answer_in_as_many_statements_for_one_row_as_for_fifty(
    api: Any, statements: Any
) -> None:
    mutation = """mutation($rows: [TransactionInput!]!) { recordTransactions(input: {
        transactions: $rows, createMissingCustomers: true}) { ... on RecordTransactionsSuccess {
        rows { transaction { total { amount } customer { displayName } lines { nodes { sku } } } }
    } } }"""

    def rows(start: int, count: int) -> list[dict[str, Any]]:
        return [written(number) for number in range(start, start + count)]

    one = reads(api, statements, mutation, rows(0, 1))
    assert one == reads(api, statements, mutation, rows(100, 50)) == 1


def written(number: int) -> dict[str, Any]:
    return {
        "source": "till", "externalId": str(number), "occurredAt": NOON.isoformat(),
        "currency": "CNY", "customer": {"externalId": str(number)},
        "lines": [{"sku": "tea", "quantity": "1", "unitPrice": "2"}],
    }  # fmt: skip


def reads(api: Any, statements: Any, mutation: str, rows: list[dict[str, Any]]) -> int:
    """Return how many statements of ours read what a mutation answers."""
    with statements(api.crm) as found:
        api(mutation, rows=rows)
    last_write = max(at for at, each in enumerate(found) if "INSERT" in each or "UPDATE" in each)
    after = found[last_write + 1 :]
    return len([each for each in after if each.startswith(("SELECT", "WITH"))])


def test_nodes_of_several_types_take_one_statement(shop: Any, statements: Any) -> None:
    some = shop("""{ customers(first: 3) { nodes { id } } transactions(first: 3) { nodes { id } }
        interactions(first: 3) { nodes { id } } }""")
    ids = [node["id"] for each in some.values() for node in each["nodes"]]
    query = """query($ids: [ID!]!) { nodes(ids: $ids) { __typename id
        ... on Customer { transactions(first: 2) { nodes { lines { nodes { sku } } } } }
        ... on Transaction { customer { displayName } }
        ... on Interaction { customer { tags { tag } } } } }"""

    with statements(shop.crm) as found:
        nodes = shop(query, ids=[*ids, "cus_" + "0" * 32])["nodes"]

    assert len(found) == 1
    assert [each and each["id"] for each in nodes] == [*ids, None]
    assert len({each["__typename"] for each in nodes if each}) == 3


def test_rows_below_objects_that_python_made_are_fetched_by_level_too(
    stock: Any, statements: Any, api_with: Any
) -> None:
    api = api_with(SchemaContribution(extends={"Customer": Favourites}))
    query = "{ customers(first: 100) { nodes { favourite { twin { displayName } } } } }"
    few = taken(api, statements, query)
    stock(api.crm, 40)

    assert taken(api, statements, query) == few == 2
    assert api(query)["customers"]["nodes"][0]["favourite"]["twin"]["displayName"]


@object_type(None, permission=PUBLIC)
class Favourite:
    """A customer's favourite."""

    customer_id: strawberry.Private[Any]
    twin: Customer | None = related("The same customer.", parent="customer_id")


def favourites(parents: Any, _context: Any) -> list[Favourite]:
    return [Favourite(customer_id=each.id) for each in parents]


@strawberry.type
class Favourites:
    favourite: Favourite | None = computed(
        "Made in Python.", favourites, needs=("id",), permission=PUBLIC
    )


def test_the_count_would_tell_a_query_per_row(shop: Any, statements: Any) -> None:
    with statements(shop.crm) as found:
        for _ in range(3):
            shop("{ customers(first: 1) { nodes { id } } }")

    assert len(found) == 3


def test_a_query_that_would_read_too_many_rows_is_refused(crm: Crm, stock: Any) -> None:
    stock(crm, 2)
    context = RequestContext(
        crm,
        Actor("a", "b", frozenset()),
        None,
        NOON,
        NOON.date(),
        ComposedSchema(crm),
        _rows_left=1,
    )

    with pytest.raises(GraphQLError, match="smaller pages"):
        context.rows(select(table_of(models.Customer)))
