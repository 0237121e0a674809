"""Sales that several requests record at once: one write, one statement, an answer for each."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from starlette.testclient import TestClient

from crmkit import Actor, Crm, hookimpl
from crmkit.errors import HookFailed
from crmkit_schema.app import http_app
from crmkit_schema.engine.mutation_calls import MutationCall
from crmkit_schema.requests import GraphQLRequest

RECORD = """mutation Record($input: RecordTransactionsInput!) { recordTransactions(input: $input) {
    __typename
    ... on RecordTransactionsSuccess { rows { outcome problems { code row } transaction {
        externalId total { amount currency } customer { externalIds { externalId } }
        lines { nodes { sku } } } } }
    ... on ValidationProblem { problems { code row } } } }"""


def sale(external_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "source": "till", "externalId": external_id, "occurredAt": "2026-03-01T10:00:00Z",
        "currency": "GBP", "customer": {"source": "shop", "externalId": "ann"},
        "lines": [{"sku": "tea", "quantity": "1", "unitPrice": "2.50"}], **changes,
    }  # fmt: skip


def request(*sales: dict[str, Any], query: str = RECORD, **options: Any) -> GraphQLRequest:
    return GraphQLRequest(query, {"input": {"transactions": list(sales), **options}})


def actor(api: Any, permissions: frozenset[str] | None = None) -> Actor:
    return Actor("till", "test", api.everything if permissions is None else permissions)


def together(api: Any, requests: Sequence[GraphQLRequest]) -> list[Any]:
    """Return the answers to requests that are served as one batch."""
    joints = [api.schema.joint(each, actor(api)) for each in requests]
    assert len({each.kind for each in joints}) == 1
    found = joints[0].serve([each.item for each in joints])
    return [orjson.loads(each) if isinstance(each, bytes) else each for each in found]


def rows(answer: Any) -> Any:
    assert "errors" not in answer
    return answer["data"]["recordTransactions"]["rows"]


@pytest.fixture
def till(api: Any) -> Any:
    """Return an API that knows the operation and the customer."""
    first = api.schema.execute(request(sale("0"), createMissingCustomers=True), actor(api))
    assert not first.errors
    return api


def test_each_request_is_answered_as_if_it_had_come_by_itself(till: Any) -> None:
    first, second, third = together(
        till, [request(sale("1")), request(sale("2"), sale("3")), request(sale("4"))]
    )
    assert [row["transaction"]["externalId"] for row in rows(second)] == ["2", "3"]
    assert rows(first)[0]["outcome"] == rows(third)[0]["outcome"] == "TAKEN"
    again = [request(sale("1")), request(sale("2"), sale("3")), request(sale("4"))]
    for answer, each in zip((first, second, third), again, strict=True):
        alone = till.schema.execute(each, actor(till)).data
        told = orjson.loads(orjson.dumps(alone).replace(b'"KNOWN"', b'"TAKEN"'))
        assert answer["data"] == told


def test_one_batch_takes_as_many_statements_as_one_sale(
    till: Any, crm: Crm, statements: Callable[[Crm], Any]
) -> None:
    together(till, [request(sale("a"))])
    with statements(crm) as for_one:
        together(till, [request(sale("b"))])
    with statements(crm) as for_eight:
        together(till, [request(sale(f"c{number}")) for number in range(8)])
    assert len(for_eight) == len(for_one)


def test_a_bad_row_reaches_only_who_sent_it(till: Any) -> None:
    unknown = sale("2", customer={"source": "shop", "externalId": "nobody"})
    good, bad, last = together(till, [request(sale("1")), request(unknown), request(sale("3"))])
    assert bad["data"]["recordTransactions"]["problems"] == [{"code": "UNKNOWN_CUSTOMER", "row": 0}]
    assert rows(good)[0]["outcome"] == rows(last)[0]["outcome"] == "TAKEN"


def test_rejected_rows_are_numbered_as_their_own_request_numbers_them(till: Any) -> None:
    unknown = sale("2", customer={"source": "shop", "externalId": "nobody"})
    asked = [request(sale("1"), errorPolicy="REJECT_ROWS"),
             request(sale("3"), unknown, errorPolicy="REJECT_ROWS")]  # fmt: skip
    first, second = together(till, asked)
    assert [each["outcome"] for each in (*rows(first), *rows(second))] == [
        "TAKEN", "TAKEN", "REJECTED",
    ]  # fmt: skip
    assert rows(second)[1]["problems"] == [{"code": "UNKNOWN_CUSTOMER", "row": 1}]


def test_requests_with_other_options_are_each_served_as_they_ask(till: Any) -> None:
    stranger = sale("2", customer={"source": "shop", "externalId": "bob"})
    known, made = together(
        till, [request(sale("1")), request(stranger, createMissingCustomers=True)]
    )
    assert rows(known)[0]["outcome"] == "TAKEN"
    assert rows(made)[0]["transaction"]["customer"]["externalIds"] == [{"externalId": "bob"}]


def test_the_same_sale_sent_by_several_is_taken_once(till: Any) -> None:
    answers = together(till, [request(sale("1")) for _ in range(5)])
    assert [rows(each)[0]["outcome"] for each in answers] == ["TAKEN", *["KNOWN"] * 4]


def test_a_payload_that_cannot_be_shared_is_completed_for_each(till: Any) -> None:
    with patch.object(MutationCall, "completed_together", return_value=None):
        answers = together(till, [request(sale("1")), request(sale("2"))])
    assert [rows(each)[0]["transaction"]["externalId"] for each in answers] == ["1", "2"]


@pytest.mark.parametrize(
    ("query", "permissions"),
    [
        ("query { __typename }", None),
        ("mutation Never($input: RecordTransactionsInput!) { recordTransactions(input: $input) "
         "{ __typename } }", None),
        (RECORD, frozenset({"transactions.write"})),
    ],
)  # fmt: skip
def test_only_what_a_thread_has_answered_before_is_served_together(
    till: Any, query: str, permissions: frozenset[str] | None
) -> None:
    assert till.schema.joint(request(sale("1"), query=query), actor(till, permissions)) is None


def test_payloads_that_depend_on_variables_are_served_alone(till: Any) -> None:
    query = """mutation M($input: RecordTransactionsInput!, $is: Boolean!) {
        recordTransactions(input: $input) { ... on RecordTransactionsSuccess {
            rows { outcome transaction @include(if: $is) { externalId } } } } }"""
    asked = GraphQLRequest(query, {"input": {"transactions": [sale("1")]}, "is": True})
    assert not till.schema.execute(asked, actor(till)).errors
    assert till.schema.joint(asked, actor(till)) is None


def test_wrong_variables_are_left_to_a_thread_that_tells_them(till: Any) -> None:
    assert till.schema.joint(GraphQLRequest(RECORD, {"input": 5}), actor(till)) is None


class Fussy:
    """Breaks whenever a batch holds a sale of one article."""

    @hookimpl
    def transactions_recorded(self, batch: Any) -> None:
        if any(line.sku == "bomb" for each in batch.transactions for line in each.lines):
            raise OSError("no bombs")


def test_a_hook_that_breaks_for_one_sale_breaks_no_other(
    till: Any, caplog: pytest.LogCaptureFixture
) -> None:
    bomb = sale("2", lines=[{"sku": "bomb", "quantity": "1", "unitPrice": "1"}])
    tell = till.crm.registry.tell

    def telling(hook: str, session: Any, **told: Any) -> Any:
        if hook == "transactions_recorded":
            try:
                Fussy().transactions_recorded(told["batch"])
            except OSError as error:
                raise HookFailed("fussy", hook, error) from error
        return tell(hook, session, **told)

    with (
        caplog.at_level(logging.CRITICAL, "crmkit"),
        patch.object(type(till.crm.registry), "tell", side_effect=telling),
    ):
        good, bad = together(till, [request(sale("1")), request(bomb)])
    assert rows(good)[0]["outcome"] == "TAKEN"
    assert bad["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert rows(together(till, [request(sale("2"))])[0])[0]["outcome"] == "TAKEN"


def test_sales_sent_over_http_at_once_are_all_taken_in_few_batches(
    till: Any, crm: Crm, statements: Callable[[Crm], Any]
) -> None:
    app = http_app(crm.settings, till.schema, {"good": actor(till)}.get, {})
    headers = {"Authorization": "Bearer good"}

    def post(number: int) -> Any:
        asked = request(sale(f"h{number}"))
        body = {"query": asked.query, "variables": asked.variables}
        return client.post("/graphql", json=body).json()

    with TestClient(app, headers=headers) as client, ThreadPoolExecutor(16) as threads:
        post(0)
        with statements(crm) as made:
            answers = list(threads.map(post, range(1, 33)))
    assert len(made) < 32 * 6, "by themselves they take more than twice as many"
    assert [rows(each)[0]["transaction"]["externalId"] for each in answers] == [
        f"h{number}" for number in range(1, 33)
    ]
    assert all(rows(each)[0]["outcome"] == "TAKEN" for each in answers)
