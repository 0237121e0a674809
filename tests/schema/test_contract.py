"""Promises to plugin authors and front-ends that are easy to break by a faster way of fetching."""

import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import strawberry
from sqlalchemy import FromClause, text
from strawberry import Info

from crmkit import Crm, PluginError, SchemaContribution, models
from crmkit.errors import DatabaseBusy
from crmkit.testing import sale
from crmkit_schema import Transaction, bound, computed, mapped, mutation, object_type, related
from crmkit_schema import value_type as value
from crmkit_schema.connections import Connection
from crmkit_schema.declarations import connection


@object_type(None, permission="customers.read")
class Shelf:
    """An object that outlives the request, as a tier or a benefit of the settings would."""

    customer_id: strawberry.Private[Any]
    transactions: Connection[Transaction] = connection(
        "Sales.", parent="customer_id", child="customer_id"
    )


def test_an_object_that_outlives_a_request_is_fetched_anew_by_each(api_with: Any) -> None:
    shelves: dict[Any, Shelf] = {}

    def same(parents: Sequence[Any], context: Any) -> list[Any]:
        return [shelves.setdefault(each.id, Shelf(customer_id=each.id)) for each in parents]

    @strawberry.type
    class OfCustomer:
        shelf: Shelf = computed("A shared object.", same, needs=("id",), permission="extra.see")

    api = api_with(SchemaContribution(extends={"Customer": OfCustomer}), "extra.see")
    query = "{ customers { nodes { shelf { transactions { totalCount } } } } }"
    first = api(query)
    api.crm.record_transactions([sale("later", customer="1")])

    counts = [
        sorted(node["shelf"]["transactions"]["totalCount"] for node in each["customers"]["nodes"])
        for each in (first, api(query))
    ]

    assert counts == [[2, 2, 2], [2, 2, 3]]


_clock = itertools.count()


def _changing(rows: FromClause) -> Any:
    return rows.c.occurred_at < datetime(2026, 1, 1, microsecond=next(_clock), tzinfo=UTC)


def test_a_declaration_that_bakes_in_a_changing_value_stops_the_start(api_with: Any) -> None:
    @strawberry.type
    class OfCustomer:
        recent: list[Transaction] = related("Sales.", child="customer_id", where=_changing)

    with pytest.raises(PluginError, match=r"'extra'.*Customer\.recent holds a value that changes"):
        api_with(SchemaContribution(extends={"Customer": OfCustomer}))


def test_a_filter_never_looks_at_other_rows_than_the_field_shows(api_with: Any) -> None:
    @strawberry.type
    class OfCustomer:
        latest: Transaction | None = related("The latest.", child="customer_id", filter=True)

    with pytest.raises(PluginError, match=r"Customer\.latest cannot be filtered through"):
        api_with(SchemaContribution(extends={"Customer": OfCustomer}))


@pytest.mark.parametrize("given", ["{ displayName: null }", "{ displayName: { eq: null } }"])
def test_a_filter_that_is_null_never_means_everybody(shop: Any, given: str) -> None:
    codes = shop.codes(f"{{ customers(filter: {given}) {{ nodes {{ id }} }} }}")

    assert codes == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    "given", ['{ channel: { ne: "web" } }', '{ not: { channel: { eq: "web" } } }']
)
def test_what_is_empty_is_not_equal_to_anything(shop: Any, given: str) -> None:
    found = shop(f"{{ transactions(filter: {given}) {{ totalCount }} }}")

    assert found["transactions"]["totalCount"] == 6


def test_a_shared_phone_finds_the_customer_known_longest(api: Any) -> None:
    for number in "123":
        api(
            """mutation($n: String!) { upsertCustomers(input: {customers: [{source: "till",
            externalId: $n, displayName: $n,
            contactPoints: [{kind: PHONE, value: "13800138000"}]}]}) { __typename } }""",
            n=number,
        )

    assert api('{ customer(phone: "138 0013 8000") { displayName } }') == {
        "customer": {"displayName": "1"}
    }


def test_a_plugins_statement_that_fails_leaves_its_siblings_alone(api_with: Any) -> None:
    def broken(parents: Sequence[Any], context: Any) -> list[int]:
        context.session.execute(text("SELECT nothing FROM nowhere"))
        return [0 for _ in parents]

    @strawberry.type
    class OfCustomer:
        luck: int = computed("Fails.", broken, permission="extra.see")

    api = api_with(SchemaContribution(extends={"Customer": OfCustomer}), "extra.see")
    answer = api.answer(
        "{ customers { nodes { luck transactions { totalCount } } } transactions { totalCount } }"
    )

    assert [each["luck"] for each in answer.data["customers"]["nodes"]] == [None, None, None]
    assert [each["transactions"]["totalCount"] for each in answer.data["customers"]["nodes"]] == [
        2, 2, 2,
    ]  # fmt: skip
    assert answer.data["transactions"]["totalCount"] == 6


def test_computed_fields_have_a_session_in_the_payload_of_a_mutation(api_with: Any) -> None:
    def counted(parents: Sequence[Any], context: Any) -> list[int]:
        count = context.session.execute(text('SELECT count(*) FROM "transaction"')).scalar_one()
        return [count for _ in parents]

    @strawberry.type
    class OfCustomer:
        sales: int = computed("Sales of the shop.", counted, permission="extra.see")

    api = api_with(SchemaContribution(extends={"Customer": OfCustomer}), "extra.see")
    data = api(
        """mutation { upsertCustomers(input: {customers: [{source: "till", externalId: "1"}]}) {
        ... on UpsertCustomersSuccess { rows { customer { sales } } } } }"""
    )

    assert data["upsertCustomers"]["rows"] == [{"customer": {"sales": 6}}]


def test_a_database_that_cannot_be_used_is_no_error_of_a_field(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(self: Crm, *_: Any, **__: Any) -> None:
        raise DatabaseBusy("/somewhere/crmkit.sqlite3 is being written")

    monkeypatch.setattr(Crm, "upsert_customers", busy)

    with pytest.raises(DatabaseBusy):
        api.answer(
            """mutation { upsertCustomers(input: {customers: []}) { __typename } }""",
        )


def test_creating_customers_by_the_way_needs_the_right_to_create_customers(api: Any) -> None:
    mutation = """mutation { recordTransactions(input: {createMissingCustomers: true,
        transactions: []}) { __typename } }"""

    assert api.codes(mutation, without=["customers.write"]) == ["FORBIDDEN"]
    assert api.codes(mutation) == []


def test_hooks_are_told_who_called_the_mutation(api_with: Any) -> None:
    @value
    class Done:
        """Says who asked."""

        who: str = strawberry.field(description="The caller.")

    @strawberry.type
    class Mutation:
        @mutation("Say who asks.", permission="extra.see")
        def who_asks(self, info: Info) -> Done:
            return Done(who=info.context.actor.name)

    api = api_with(SchemaContribution(mutations=(Mutation,)), "extra.see")

    assert api("mutation { whoAsks { ... on Done { who } } }") == {"whoAsks": {"who": "tester"}}


def test_quantities_and_prices_are_exact_text(api: Any) -> None:
    line = '{sku: "A", quantity: "0.125", unitPrice: "0.000001"}'
    api(
        f"""mutation {{ recordTransactions(input: {{transactions: [{{source: "till",
        externalId: "1", occurredAt: "2026-01-01T00:00:00Z", currency: "CNY",
        lines: [{line}]}}]}}) {{ __typename }} }}"""
    )

    data = api("{ transactions { nodes { lines { nodes { quantity unitPrice } } } } }")

    assert data["transactions"]["nodes"][0]["lines"]["nodes"] == [
        {"quantity": "0.125", "unitPrice": "0.000001"}
    ]


def test_a_mapped_field_can_read_what_is_bound_to_the_request(api_with: Callable[..., Any]) -> None:
    @object_type(models.CustomerDay, permission="customers.read", sorted_by=("business_on",))
    class Visit:
        """A day on which a customer bought."""

        is_today: bool = mapped("Today?", sql=lambda rows: rows.c.business_on == bound("today"))

    @strawberry.type
    class OfCustomer:
        visits: list[Visit] = related("Days.", child="customer_id")

    api = api_with(SchemaContribution(extends={"Customer": OfCustomer}), timezone="Asia/Shanghai")
    data = api("{ customers { nodes { visits { isToday } } } }")

    assert data["customers"]["nodes"][0]["visits"] == [{"isToday": True}]
