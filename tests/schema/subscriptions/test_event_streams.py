"""Subscriptions over server-sent events: one POST, one stream."""

import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from crmkit import FixedClock
from crmkit.testing import NOON

CHANGED = "subscription { customerChanged { displayName } }"


def told(name: str) -> tuple[str, Any]:
    return "next", {"data": {"customerChanged": {"displayName": name}}}


def code_of(event: tuple[str, Any]) -> str:
    kind, answer = event
    assert kind == "next"
    found: str = answer["errors"][0]["extensions"]["code"]
    return found


def test_changes_are_streamed_as_they_happen(shop: Any) -> None:
    with shop.events(CHANGED) as events:
        shop.wait_for_subscribers(1)
        for name in ("Ann", "Anna"):
            shop.upsert("ann", display_name=name)
            assert events.next(1) == [told(name)]

        assert events.answer.status_code == 200
        assert events.answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert events.answer.headers["cache-control"] == "no-store"


def test_a_query_is_one_answer_and_the_end(shop: Any) -> None:
    shop.upsert("ann")

    with shop.events("{ customers { totalCount } }") as events:
        assert events.next(9) == [
            ("next", {"data": {"customers": {"totalCount": 1}}}),
            ("complete", None),
        ]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("mutation { __typename }", "MUTATION_NOT_STREAMED"),
        ("subscription { nobody }", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
def test_a_refused_operation_is_one_error_and_the_end(shop: Any, query: str, code: str) -> None:
    with shop.events(query) as events:
        refused, end = events.next(9)

    assert code_of(refused) == code
    assert end == ("complete", None)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer unknown"}, 401),
        ({"Authorization": "x"}, 401),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Encoding": "gzip"}, 415),
    ],
)
def test_a_request_that_is_refused_begins_no_stream(
    shop: Any, headers: dict[str, str], status: int
) -> None:
    with shop.events(CHANGED, headers=headers) as events:
        events.answer.read()

    assert events.answer.status_code == status
    assert events.answer.json()["errors"][0]["extensions"]["code"]
    assert events.answer.headers["x-content-type-options"] == "nosniff"


def test_who_accepts_json_too_gets_json(shop: Any) -> None:
    headers = {"Accept": "text/event-stream, application/json"}

    with shop.events("{ __typename }", headers=headers) as events:
        events.answer.read()

    assert events.answer.json() == {"data": {"__typename": "Query"}}


def test_a_revoked_token_ends_the_stream(shop: Any) -> None:
    with shop.events(CHANGED) as events:
        shop.wait_for_subscribers(1)
        shop.revoke()
        shop.upsert("ann")

        ended, end = events.next(9)

    assert code_of(ended) == "UNAUTHENTICATED"
    assert end == ("complete", None)


def test_an_expired_token_ends_a_silent_stream(shop_with: Any, clock: FixedClock) -> None:
    shop = shop_with(recheck_seconds=0.05)
    token = shop.make_token("short", "admin", NOON + timedelta(minutes=1))
    with shop.events(CHANGED, headers={"Authorization": f"Bearer {token}"}) as events:
        shop.wait_for_subscribers(1)
        clock.advance(timedelta(minutes=2))

        ended, _end = events.next(9)

    assert code_of(ended) == "UNAUTHENTICATED"


def test_a_silent_stream_gives_signs_of_life(shop_with: Any) -> None:
    shop = shop_with(heartbeat_seconds=0.05)

    with shop.events(CHANGED) as events:
        beats = [line for line, _ in zip(events.lines, range(6), strict=False)]

    assert beats == [":", ""] * 3


def test_a_client_that_leaves_is_forgotten(shop: Any, until: Any) -> None:
    with shop.events(CHANGED):
        shop.wait_for_subscribers(1)

    until(lambda: shop.streams.connected == 0)
    shop.wait_for_subscribers(0)
    until(lambda: len(shop.tasks()) <= 3)


def test_streams_count_as_connections(shop_with: Any) -> None:
    shop = shop_with(connections_max=1)

    with shop.events(CHANGED):
        shop.wait_for_subscribers(1)
        with shop.events(CHANGED) as refused:
            refused.answer.read()

    assert refused.answer.status_code == 503
    assert refused.answer.json()["errors"][0]["extensions"]["code"] == "BUSY"


def test_a_server_that_stops_ends_streams_without_completing_them(shop: Any) -> None:
    with shop.events(CHANGED) as events:
        shop.wait_for_subscribers(1)
        shop.stop()

        assert events.next(9) == []


def test_a_body_that_is_too_large_is_refused(shop: Any) -> None:
    body = json.dumps({"query": CHANGED, "variables": {"a": "x" * 200_000}})
    headers = {"Authorization": f"Bearer {shop.token}", "Accept": "text/event-stream"}

    answer = httpx2.post(
        f"http://{shop.address}/graphql",
        content=body,
        headers=headers | {"Content-Type": "application/json"},
    )

    assert answer.status_code == 413
