"""The composed schema behind the real edge: tokens, statuses and bodies."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from crmkit import Crm
from crmkit.access import create_token
from crmkit.testing import NOON
from crmkit_schema.app import create_app
from crmkit_schema.runtime import compose


@pytest.fixture
def post(crm: Crm, stock: Any) -> Any:
    """Give a function that posts a body with a manager's token, to a shop with two customers."""
    stock(crm, 2)
    token = crm.write(
        lambda session: create_token(session, crm.roles, "office", "manager", now=NOON)
    )
    client = TestClient(create_app(crm, compose(crm)), headers={"Authorization": f"Bearer {token}"})
    return lambda body: client.post(
        "/graphql", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )


def test_a_query_is_answered(post: Any) -> None:
    answer = post({"query": "{ customers(first: 1) { totalCount nodes { displayName } } }"})

    assert answer.status_code == 200
    assert answer.json() == {
        "data": {"customers": {"totalCount": 2, "nodes": [{"displayName": "Customer 001"}]}}
    }


def test_a_mutation_writes(post: Any) -> None:
    mutation = """mutation($rows: [CustomerInput!]!) { upsertCustomers(input: {customers: $rows}) {
        ... on UpsertCustomersSuccess { rows { outcome customer { displayName } } } } }"""
    rows = [{"source": "web", "externalId": "1", "displayName": "王小明"}]

    answer = post({"query": mutation, "variables": {"rows": rows}}).json()

    (row,) = answer["data"]["upsertCustomers"]["rows"]
    assert row == {"outcome": "TAKEN", "customer": {"displayName": "王小明"}}
    counted = post({"query": "{ customers { totalCount } }"}).json()
    assert counted["data"]["customers"]["totalCount"] == 3


def test_a_bad_query_is_refused_with_a_code(post: Any) -> None:
    answer = post({"query": "{ nobody }"}).json()

    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.parametrize("body", [None, [], 1, "x", {}, {"query": None}])
def test_a_body_that_is_no_request_is_refused(post: Any, body: Any) -> None:
    answer = post(body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"]


def test_half_a_surrogate_pair_is_refused(post: Any) -> None:
    answer = post({"query": "query($x: ID!) { node(id: $x) { id } }", "variables": {"x": "\ud800"}})

    assert answer.status_code == 400


def test_production_describes_itself_to_nobody(post: Any) -> None:
    assert "errors" in post({"query": "{ __schema { types { name } } }"}).json()
