"""Answers on the event loop: the very bytes of a thread's answer, or none."""

import asyncio
from typing import Any

import orjson
import pytest

from crmkit import Actor
from crmkit_schema.requests import GraphQLRequest

BY_ID = "query Q($id: ID!) { customer(id: $id) { id displayName lifecycle createdAt } }"
NAMED = "query($g: String) { customers(filter: {givenName: {eq: $g}}) { totalCount } }"
PAGE = "query($first: Int) { customers(first: $first) { nodes { id } } }"


def asked_twice(
    api: Any, query: str, variables: dict[str, Any] | None = None, **changes: Any
) -> tuple[bytes, bytes | None]:
    """Return a thread's answer, and the event loop's to the same request after it."""
    request = GraphQLRequest(query, variables, changes.get("operation_name"))
    actor = Actor("tester", "test", changes.get("permissions", api.everything))
    first = api.schema.execute(request, actor).encoded()
    return first, asyncio.run(api.schema.answer_quickly(request, actor))


def quickly(api: Any, query: str, variables: dict[str, Any], permissions: Any = None) -> Any:
    actor = Actor("tester", "test", api.everything if permissions is None else permissions)
    return asyncio.run(api.schema.answer_quickly(GraphQLRequest(query, variables), actor))


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ customers { nodes { id displayName tags { tag } } } }", None),
        (PAGE, {"first": 2}),
        (PAGE, {}),
        (PAGE, {"first": None}),
        (
            "query($g: String) { customers(filter: {givenName: {eq: $g}}) { totalCount } }",
            {"g": "é"},
        ),
        ("query A { customers { totalCount } } query B { __typename }", {}),
    ],
)
def test_the_answer_is_the_same_bytes(shop: Any, query: str, variables: Any) -> None:
    first, quick = asked_twice(
        shop, query, variables, operation_name="A" if "query A" in query else None
    )

    assert quick == first


def test_other_customers_are_answered_by_the_same_plan(shop: Any) -> None:
    ids = [each["id"] for each in shop("{ customers { nodes { id } } }")["customers"]["nodes"]]
    asked_twice(shop, BY_ID, {"id": ids[0]})

    found = [quickly(shop, BY_ID, {"id": id_}) for id_ in ids]

    assert [orjson.loads(each)["data"]["customer"]["id"] for each in found] == ids


def test_an_operation_that_nobody_asked_before_is_left_to_a_thread(shop: Any) -> None:
    assert quickly(shop, "{ customers { nodes { id } } }", {}) is None


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (BY_ID, {"id": "no id at all"}),
        (BY_ID, {"id": "cus_\x00"}),
        (BY_ID, {"id": None}),
        (BY_ID, {}),
        (BY_ID, {"id": ["a"]}),
        (PAGE, {"first": 2**31}),
        (PAGE, {"first": True}),
        (PAGE, {"first": 2.5}),
        (PAGE, {"first": 101}),
        (PAGE, {"first": -1}),
    ],
)
def test_what_is_wrong_with_a_request_a_thread_says(
    shop: Any, query: str, variables: dict[str, Any]
) -> None:
    some = shop("{ customers { nodes { id } } }")["customers"]["nodes"][0]["id"]
    asked_twice(shop, query, {"id": some} if query == BY_ID else {"first": 1})

    first, quick = asked_twice(shop, query, variables)

    assert quick is None or quick == first
    assert b"errors" not in (quick or b"")


def test_who_may_not_see_a_field_gets_no_quick_answer(shop: Any) -> None:
    first, quick = asked_twice(shop, PAGE, {"first": 1})
    refused = quickly(shop, PAGE, {"first": 1}, frozenset())

    assert quick == first
    assert refused is None


def test_mutations_are_never_run_on_the_event_loop(shop: Any) -> None:
    query = """mutation { upsertCustomers(input: {customers: [{source: "s", externalId: "9"}]}) {
        __typename } }"""
    _, quick = asked_twice(shop, query)

    assert quick is None


def test_functions_of_computed_fields_are_never_run_on_the_event_loop(shop: Any) -> None:
    first, quick = asked_twice(shop, "{ customers { nodes { age } } }")

    assert b"errors" not in first
    assert quick is None


def test_a_plan_too_costly_for_these_variables_is_refused_by_a_thread(
    crm_factory: Any, api_of: Any
) -> None:
    api = api_of(crm_factory(limits={"cost_max": 50}))
    _, small = asked_twice(api, PAGE, {"first": 10})
    first, large = asked_twice(api, PAGE, {"first": 60})

    assert small is not None
    assert b"COST_LIMIT" in first
    assert large is None
