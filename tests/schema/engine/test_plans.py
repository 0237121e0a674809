"""What plans cover, what they leave, and that one plan serves every request of its shape."""

import logging
from dataclasses import asdict
from typing import Any

import orjson
import pytest
import strawberry
from graphql import get_operation_ast, parse
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from crmkit import Actor, SchemaContribution
from crmkit.testing import CrmFactory
from crmkit_schema import PUBLIC, computed
from crmkit_schema.engine import codecs, executor
from crmkit_schema.engine.explaining import DocumentRefused, explain
from crmkit_schema.engine.uncovered import Unready
from crmkit_schema.requests import GraphQLRequest

DEEP = """{ customers(first: 3) { totalCount pageInfo { hasNextPage endCursor } edges { cursor
    node { age metrics { net { amount } } tags { tag } transactions(first: 2) { nodes { customer {
    transactions(first: 2) { nodes { lines(first: 2) { nodes { sku } } } } } } } } } } }"""
INTROSPECTED = '{ __type(name: "Customer") { name } customers { totalCount } }'


def explained(api: Any, query: str, *, without: tuple[str, ...] = (), **variables: Any) -> Any:
    actor = Actor("tester", "test", api.everything - set(without))
    return asdict(explain(api.schema, query, variables, actor))


@pytest.mark.parametrize("stocked", [1, 20])
def test_any_depth_and_any_number_of_rows_take_one_statement(
    api: Any, stock: Any, statements: Any, stocked: int
) -> None:
    stock(api.crm, stocked, sales=3)

    with statements(api.crm) as found:
        api(DEEP)

    assert len(found) == 1


def test_a_plan_serves_other_values_of_the_same_shape(shop: Any) -> None:
    query = """query($name: String, $first: Int, $after: String) { customers(first: $first,
        after: $after, filter: {displayName: {startsWith: $name}}) {
        nodes { displayName } pageInfo { endCursor } } }"""
    first = shop(query, name="Customer", first=2)["customers"]
    second = shop(query, name="Customer", first=1, after=first["pageInfo"]["endCursor"])
    third = shop(query, name="Nobody", first=1, after=first["pageInfo"]["endCursor"])

    assert [len(first["nodes"]), len(second["customers"]["nodes"])] == [2, 1]
    assert second["customers"]["nodes"][0] not in first["nodes"]
    assert third["customers"]["nodes"] == []
    assert (len(shop.schema.plans), shop.schema.plans.left) == (2, 0)


def test_an_answer_goes_out_as_the_database_wrote_it(shop: Any) -> None:
    answer = shop.answer("{ customers(first: 1) { nodes { displayName } } }")
    sent = orjson.loads(answer.encoded())

    assert sent == answer.body() == {"data": answer.data}
    assert answer.data["customers"]["nodes"][0]["displayName"].startswith("Customer")


@pytest.mark.parametrize("query", ["{ __schema { types { name } } }", INTROSPECTED])
def test_introspection_is_left_to_the_reference_executor(
    crm_factory: CrmFactory, api_of: Any, query: str
) -> None:
    api = api_of(crm_factory(profile="development"))
    found = explained(api, query)

    assert not found["covered"]
    assert "introspection" in found["reason"]
    assert api(query)


def test_a_caller_never_gets_by_plan_what_permissions_hide(shop: Any) -> None:
    query = "{ customers(first: 1) { nodes { displayName contactPoints { value } } } }"
    allowed = shop.answer(query)
    refused = shop.answer(query, without=["customers.contact"])

    assert allowed.data["customers"]["nodes"][0]["contactPoints"]
    assert [each["extensions"]["code"] for each in refused.errors] == ["FORBIDDEN"]
    assert refused.data["customers"]["nodes"][0]["contactPoints"] is None
    assert "contact_point" not in explained(shop, query, without=("customers.contact",))["sql"]


def test_filtering_by_what_a_caller_may_not_see_is_refused(shop: Any) -> None:
    query = '{ transactions(filter: {customer: {displayName: {eq: "x"}}}) { totalCount } }'

    assert explained(shop, query)["covered"]
    assert shop.codes(query, without=["customers.read"]) == ["FORBIDDEN"]
    assert shop.schema.plans.left == 0


def test_what_could_read_far_too_many_rows_is_left(shop: Any) -> None:
    query = """{ customers(first: 100) { nodes { transactions(first: 100) { nodes {
        lines(first: 100) { nodes { sku } } } } } } }"""
    document = parse(query)
    actor = Actor("tester", "test", shop.everything)

    assert explained(shop, query)["rows_max"] > 1_000_000
    with pytest.raises(Unready, match="rows"):
        shop.schema.plans.attempt(
            document, get_operation_ast(document), GraphQLRequest(query), actor
        )


def test_a_computed_field_that_fails_fails_alone(
    api_with: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def halves(parents: Any, _context: Any) -> list[int]:
        raise ZeroDivisionError

    @strawberry.type
    class OfCustomer:
        half: int | None = computed("Fails.", halves, permission=PUBLIC)

    api = api_with(SchemaContribution(extends={"Customer": OfCustomer}))
    with caplog.at_level(logging.CRITICAL):
        answer = api.answer("{ customers(first: 1) { nodes { half displayName } } }")

    assert [each["path"] for each in answer.errors] == [["customers", "nodes", 0, "half"]]
    assert answer.data["customers"]["nodes"][0]["displayName"]


def test_a_name_longer_than_a_column_may_be_is_answered(shop: Any) -> None:
    key = "k" * 64
    found = shop(f"{{ customers(first: 1) {{ nodes {{ {key}: displayName }} }} }}")

    assert list(found["customers"]["nodes"][0]) == [key]


def test_plans_are_forgotten_when_there_are_too_many(
    crm: Any, api_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "PLANS_MAX", 3)
    api = api_of(crm)

    for first in range(1, 10):
        api(f"{{ customers(first: {first}) {{ totalCount }} }}")

    assert len(api.schema.plans) == 3


def test_an_explanation_names_statement_parameters_and_computed_fields(shop: Any) -> None:
    found = explained(shop, "query($n: Int) { customers(first: $n) { nodes { age } } }", n=7)

    assert (found["covered"], found["cost"]) == (True, 14)
    assert found["sql"].startswith(("SELECT", "WITH"))
    assert 7 in (found["parameters"].values() if isinstance(found["parameters"], dict)
                 else found["parameters"])  # fmt: skip
    assert found["computed"] == ["customers.nodes.[].age"]


def test_wrong_documents_are_not_explained(shop: Any) -> None:
    with pytest.raises(DocumentRefused, match="Cannot query field"):
        explained(shop, "{ nothing }")


def test_what_sql_cannot_write_python_does(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    query = "{ customers { nodes { birthOn } } }"
    by_sql = shop(query)
    monkeypatch.delitem(codecs._CODECS, ("Date", "day"))

    found = explained(shop, "{ customers { nodes { birthOn } } }")

    assert found["computed"]
    assert shop(query + " # again") == by_sql
    assert shop.schema.plans.left == 0


def test_a_statement_of_a_plan_cannot_write(shop: Any) -> None:
    with pytest.raises(DBAPIError):
        shop.crm.database.read_text("DELETE FROM customer_tag RETURNING 'gone'", ())

    assert shop("{ customers(first: 1) { nodes { tags { tag } } } }")["customers"]["nodes"][0]


@pytest.mark.falls_back
def test_connections_lost_while_idle_cost_no_client_its_answer(shop: Any) -> None:
    if shop.crm.database.dialect == "sqlite":
        pytest.skip("SQLite has no server that could hang up")
    query = "{ customers(first: 1) { nodes { displayName } } }"
    first = shop(query)
    with shop.crm.database.write() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )

    assert [shop(query), shop(query)] == [first, first]
    assert shop.schema.plans.left == 1
