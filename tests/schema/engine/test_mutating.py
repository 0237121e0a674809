"""Mutations by plan: called once whatever happens to their payloads, one after the other."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import strawberry
from strawberry import Info

from crmkit import NotFound, SchemaContribution
from crmkit_schema import (
    PUBLIC,
    Customer,
    computed,
    fetch_row,
    mapped,
    mutation,
    object_type,
    related,
    value_type,
)
from crmkit_schema.engine.uncovered import Unready

UPSERT = """mutation { upsertCustomers(input: {customers: [{source: "till", externalId: "1"}]}) {
    ... on UpsertCustomersSuccess { rows { outcome customer { displayName SELECTED } } } } }"""


@value_type
class Counted:
    """How often it was called."""

    times: int = strawberry.field(description="That often.")


@object_type(None, permission=PUBLIC)
class Named:
    """A customer."""

    customer_id: strawberry.Private[Any]
    customer: Customer | None = related("Who.", parent="customer_id")


class Calls:
    """Counts the calls of every mutation."""

    def __init__(self) -> None:
        self.made: list[str] = []


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def api(api_with: Callable[..., Any], calls: Calls) -> Any:
    @strawberry.type
    class Mutations:
        @mutation("Counts.", permission=PUBLIC)
        def count(self, info: Info) -> Counted:
            calls.made.append("count")
            return Counted(times=len(calls.made))

        @mutation("Fails.", permission=PUBLIC)
        def fail(self, info: Info) -> Counted:
            calls.made.append("fail")
            raise ZeroDivisionError

        @mutation("Gives nothing.", permission=PUBLIC)
        def nothing(self, info: Info) -> Counted:
            calls.made.append("nothing")
            return None  # type: ignore[return-value]

        @mutation("Gives a row.", permission=PUBLIC)
        def row(self, info: Info, id: strawberry.ID) -> Customer:
            calls.made.append("row")
            return fetch_row(info, Customer, id)

        @mutation("Gives what leads to a row.", permission=PUBLIC)
        def named(self, info: Info, id: strawberry.ID) -> Named:
            calls.made.append("named")
            if id == "nobody":
                raise NotFound("customer", id)
            return Named(customer_id=fetch_row(info, Customer, id).__dict__.get("id"))

    @strawberry.type
    class OfCustomer:
        strict: str = mapped("Null in truth.", column="occupation", permission=PUBLIC)
        fails: int | None = computed("Fails.", failing(calls), permission=PUBLIC)

    contribution = SchemaContribution(mutations=(Mutations,), extends={"Customer": OfCustomer})
    return api_with(contribution)


def failing(calls: Calls) -> Callable[..., list[int]]:
    def values(_parents: Any, _context: Any) -> list[int]:
        calls.made.append("fails")
        raise ZeroDivisionError

    return values


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep what fails on purpose out of the output."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_fields_are_called_in_their_order_and_once(api: Any, calls: Calls) -> None:
    data = api("mutation { b: count { ...F } __typename a: count { ...F } c: count { ...F } }"
               " fragment F on CountResult { ... on Counted { times } }")  # fmt: skip

    assert list(data) == ["b", "__typename", "a", "c"]
    assert [data[key] for key in "bac"] == [{"times": 1}, {"times": 2}, {"times": 3}]
    assert calls.made == ["count"] * 3


def test_after_a_failure_that_takes_the_answer_along_nothing_more_is_called(
    api: Any, calls: Calls
) -> None:
    answer = api.answer(
        "mutation { a: count { __typename } fail { __typename } b: count { __typename } }"
    )

    assert (answer.data, calls.made) == (None, ["count", "fail"])
    assert [(each["path"], each["extensions"]["code"]) for each in answer.errors] == [
        (["fail"], "INTERNAL")
    ]


def test_null_for_what_must_not_be_null_is_told_once(api: Any, calls: Calls) -> None:
    answer = api.answer("mutation { nothing { __typename } }")

    assert (answer.data, calls.made) == (None, ["nothing"])
    assert [each["path"] for each in answer.errors] == [["nothing"]]


def test_a_computed_field_that_fails_in_a_payload_is_called_once(api: Any, calls: Calls) -> None:
    answer = api.answer(UPSERT.replace("SELECTED", "fails"))

    (row,) = answer.data["upsertCustomers"]["rows"]
    assert row["customer"] == {"displayName": "Customer 000", "fails": None}
    assert [each["path"] for each in answer.errors] == [
        ["upsertCustomers", "rows", 0, "customer", "fails"]
    ]
    assert calls.made == ["fails"]


def test_a_computed_field_that_fails_in_a_query_is_called_once(api: Any, calls: Calls) -> None:
    answer = api.answer("{ customers { nodes { fails displayName } } }")

    assert [each["fails"] for each in answer.data["customers"]["nodes"]] == [None] * 3
    assert len(answer.errors) == 3
    assert calls.made == ["fails"]


def test_a_row_is_given_with_all_that_is_selected_in_one_statement(
    api: Any, statements: Any
) -> None:
    known = api("{ customers { nodes { id displayName tags { tag } } } }")["customers"]["nodes"][0]
    query = """mutation($id: ID!) { row(id: $id) { ... on Customer { id displayName tags { tag } }
        ... on Problem { code } } }"""

    with statements(api.crm) as found:
        assert api(query, id=known["id"])["row"] == known

    assert len(found) == 1
    assert api(query, id="cus_" + "0" * 32)["row"] == {"code": "NOT_FOUND"}
    assert api(query, id="txn_" + "0" * 32)["row"] == {"code": "NOT_FOUND"}


@pytest.mark.falls_back
def test_a_payload_that_no_plan_can_give_is_completed_without_a_second_call(
    api: Any, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = api(UPSERT.replace("SELECTED", "tags { tag }"))

    def unready(*_: Any) -> Any:
        raise Unready("made up")

    monkeypatch.setattr("crmkit_schema.engine.keyed_rows.rows_by_key", unready)
    again = api.answer(UPSERT.replace("SELECTED", "tags { tag } fails"))

    tags = expected["upsertCustomers"]["rows"][0]["customer"]["tags"]
    assert again.data["upsertCustomers"]["rows"][0]["customer"]["tags"] == tags
    assert [each["path"][-1] for each in again.errors] == ["fails"]
    assert calls.made == ["fails"]


@pytest.mark.falls_back
def test_a_null_that_must_not_be_one_takes_its_row_along(api: Any, calls: Calls) -> None:
    answer = api.answer(UPSERT.replace("SELECTED", "strict"))

    (row,) = answer.data["upsertCustomers"]["rows"]
    assert row["customer"] is None
    assert [each["path"][-1] for each in answer.errors] == ["strict"]


def test_many_rows_and_few_share_a_plan(api: Any) -> None:
    query = """mutation($rows: [CustomerInput!]!) { upsertCustomers(input: {customers: $rows}) {
        ... on UpsertCustomersSuccess { rows { customer { id } } } } }"""

    for count in (1, 2, 50):
        rows = [{"source": "till", "externalId": str(each)} for each in range(count)]
        assert len(api(query, rows=rows)["upsertCustomers"]["rows"]) == count

    assert len(api.schema.plans.mutations) == 1


def test_names_that_postgresql_would_cut_are_kept_below_what_python_made(api: Any) -> None:
    name = "k" * 64
    query = UPSERT.replace("customer {", f"{name}: customer {{ age").replace("SELECTED", "")

    rows = api(query)["upsertCustomers"]["rows"]

    assert rows[0][name] == {"age": 115, "displayName": "Customer 000"}


def test_a_mutation_that_answers_with_a_row_outlives_a_restart_of_postgresql(
    api: Any, calls: Calls
) -> None:
    if api.crm.database.dialect == "sqlite":
        pytest.skip("about connections of PostgreSQL")
    known = api("{ customers { nodes { id } } }")["customers"]["nodes"][0]
    query = "mutation($id: ID!) { row(id: $id) { ... on Customer { id } } }"
    api(query, id=known["id"])
    with api.crm.database.writer.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    assert api(query, id=known["id"])["row"] == known
    assert calls.made == ["row"] * 2
