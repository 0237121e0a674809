"""What a caller may not see stays unseen, whichever way it is asked for."""

from typing import Any

import pytest
import strawberry

from crmkit import SchemaContribution, models
from crmkit_schema import PUBLIC, computed, mapped, object_type, related, resolved
from crmkit_schema.requests import GraphQLRequest

CONTACT = "customers.contact"


def test_a_field_that_needs_more_is_null_and_the_rest_is_there(shop: Any) -> None:
    answer = shop.answer(
        "{ customers(first: 1) { nodes { displayName contactPoints { value } } } }",
        without=[CONTACT],
    )

    assert answer.data["customers"]["nodes"] == [
        {"displayName": "Customer 001", "contactPoints": None}
    ]
    assert answer.errors[0]["extensions"] == {"code": "FORBIDDEN", "permission": CONTACT}
    assert answer.errors[0]["path"] == ["customers", "nodes", 0, "contactPoints"]


def test_what_is_forbidden_is_not_even_read(shop: Any, statements: Any) -> None:
    with statements(shop.crm) as found:
        shop.answer("{ customers { nodes { contactPoints { value } } } }", without=[CONTACT])

    assert not any("customer_contact_point" in each for each in found)


@pytest.mark.parametrize(
    "query",
    [
        "{ customers { nodes { other: transactions { totalCount } } } }",
        "{ customers { nodes { ...F } } } fragment F on Customer { transactions { totalCount } }",
        "{ customers { nodes { ... on Customer { transactions { nodes { id } } } } } }",
        "{ customers { edges { node { transactions { edges { cursor } } } } } }",
        "{ interactions { nodes { transaction { id } } } }",
        "{ interactions { nodes { customer { transactions { totalCount } } } } }",
        "{ transactions { totalCount } }",
        '{ transaction(externalId: {source: "till", externalId: "1-1"}) { id } }',
        '{ node(id: "txn_00000000000000000000000000000000") { id } }',
        '{ nodes(ids: ["txn_00000000000000000000000000000000"]) { __typename } }',
        "mutation { recordTransactions(input: {transactions: [{source: \"till\", externalId:"
        " \"1-1\", occurredAt: \"2026-01-01T00:00Z\", currency: \"CNY\"}], "
        "errorPolicy: REJECT_ROWS}) { ... on RecordTransactionsSuccess { rows "
        "{ transaction { id } } } } }",
    ],
)  # fmt: skip
def test_no_way_leads_to_a_type_that_is_forbidden(shop: Any, query: str) -> None:
    codes = shop.codes(query, without=["transactions.read"])

    assert set(codes) == {"FORBIDDEN"}


def test_a_mutation_that_is_forbidden_writes_nothing(shop: Any) -> None:
    codes = shop.codes(
        'mutation { upsertCustomers(input: {customers: [{source: "x", externalId: "1"}]})'
        " { __typename } }",
        without=["customers.write"],
    )

    assert codes == ["FORBIDDEN"]
    assert shop("{ customers { totalCount } }")["customers"]["totalCount"] == 3


def test_a_customer_is_not_found_by_contact_without_the_permission(shop: Any) -> None:
    query = '{ customer(email: "c1@example.com") { id } }'

    assert shop(query)["customer"]
    assert shop.codes(query, without=[CONTACT]) == ["FORBIDDEN"]


@pytest.fixture
def secret(api_with: Any) -> Any:
    return api_with(SchemaContribution(extends={"Customer": Ranked}), "extra.read")


@object_type(models.CustomerMetrics, permission="extra.read", sorted_by=("customer_id",))
class Rank:
    """What only some may see."""

    points: int = mapped("Secret.", column="sale_count", filter=True, sort=True)


@strawberry.type
class Ranked:
    rank: Rank = related("Secret.", child="customer_id", filter=True)


@pytest.mark.parametrize(
    "arguments",
    [
        "filter: {rank: {points: {gt: 0}}}",
        "filter: {not: {or: [{and: [{rank: {points: {gt: 0}}}]}]}}",
        "orderBy: {field: RANK_POINTS}",
        "orderBy: {field: RANK_POINTS, direction: DESC}, first: 1",
    ],
)
def test_nobody_filters_or_sorts_by_what_they_may_not_see(secret: Any, arguments: str) -> None:
    query = f"{{ customers({arguments}) {{ nodes {{ id }} }} }}"

    assert secret(query)
    assert secret.codes(query, without=["extra.read"]) == ["FORBIDDEN"]


def test_a_field_of_a_type_with_a_permission_becomes_nullable(secret: Any) -> None:
    answer = secret.answer(
        "{ customers { nodes { displayName rank { points } } } }", without=["extra.read"]
    )

    assert "rank: Rank\n" in secret.schema.sdl()
    assert [each["rank"] for each in answer.data["customers"]["nodes"]] == [None] * 3


@object_type(None, permission="extra.read")
class Note:
    """Made in Python, for some."""

    text: str = strawberry.field(description="Secret.")


@object_type(None, permission=PUBLIC)
class Holder:
    """Made in Python, for all."""

    label: str = strawberry.field(description="For all.")
    note: Note = strawberry.field(description="For some.")
    notes: list[Note] = strawberry.field(description="For some.")


@strawberry.type
class Holders:
    @resolved("Gives a holder.", permission=PUBLIC)
    def holder(self) -> Holder:
        note = Note(text="secret")
        return Holder(label="open", note=note, notes=[note])


def test_plain_attributes_are_as_closed_as_their_types(api_with: Any) -> None:
    api = api_with(SchemaContribution(queries=(Holders,)), "extra.read")
    query = "{ holder { label note { text } notes { text } } }"

    assert api(query)["holder"]["note"] == {"text": "secret"}
    answer = api.answer(query, without=["extra.read"])
    assert answer.data == {"holder": {"label": "open", "note": None, "notes": None}}
    assert [each["extensions"]["code"] for each in answer.errors] == ["FORBIDDEN"] * 2


def ranks(parents: Any, _context: Any) -> list[int]:
    return [1] * len(parents)


@strawberry.type
class Computed:
    secret_rank: int = computed("Secret.", ranks, permission="extra.read")


def test_a_computed_field_that_is_forbidden_is_null(api_with: Any) -> None:
    api = api_with(SchemaContribution(extends={"Customer": Computed}), "extra.read")
    query = "{ customers { nodes { secretRank } } }"

    assert api(query)["customers"]["nodes"] == [{"secretRank": 1}] * 3
    assert api.codes(query, without=["extra.read"]) == ["FORBIDDEN"] * 3


def test_only_who_has_a_token_may_ask(api: Any) -> None:
    answer = api.schema.execute(GraphQLRequest("{ __typename }"), None)

    assert answer.errors[0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert not answer.was_executed


def test_customers_of_an_answer_are_gated_where_the_writer_may_not_read(api: Any) -> None:
    answer = api.answer(
        'mutation { upsertCustomers(input: {customers: [{source: "x", externalId: "1"}]}) {'
        " ... on UpsertCustomersSuccess { rows { outcome customer { id } } } } }",
        without=["customers.read"],
    )

    assert answer.data["upsertCustomers"]["rows"] == [{"outcome": "TAKEN", "customer": None}]
    assert answer.errors[0]["extensions"]["code"] == "FORBIDDEN"
