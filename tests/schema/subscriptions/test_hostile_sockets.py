"""Clients that break the rules, take nothing, or go away: the server stays, and forgets them."""

import json
import threading
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from crmkit_schema.subscriptions import connections
from crmkit_schema.subscriptions.streams import WORKERS

CHANGED = "subscription { customerChanged { displayName } }"


@pytest.mark.parametrize(
    ("messages", "closing"),
    [
        (["x"], (4400, "messages must be JSON")),
        ([b"{}"], (4400, "messages must be text")),
        (['{"type": "subscribe", "id": "1", "payload": {}}'], (4401, "Unauthorized")),
        (['{"type": "connection_init"}'], (4403, "Forbidden")),
        (['{"type": "connection_init", "payload": {"Authorization": "x"}}'], (4403, "Forbidden")),
        (
            ['{"type": "connection_init", "payload": {"Authorization": "Bearer é"}}'],
            (4403, "Forbidden"),
        ),
        (
            ['{"type": "connection_init", "payload": {"Authorization": "Bearer unknown"}}'],
            (4403, "Forbidden"),
        ),
    ],
)  # fmt: skip
def test_who_does_not_greet_properly_is_sent_away(
    shop: Any, messages: list[Any], closing: Any
) -> None:
    client = shop.open()

    for each in messages:
        client.socket.send(each)

    assert client.closing() == closing


def test_who_greets_twice_is_sent_away(shop: Any) -> None:
    client = shop.client()

    client.say("connection_init")

    assert client.closing() == (4429, "Too many initialisation requests")


def test_an_id_under_way_cannot_be_used_again(shop: Any) -> None:
    client = shop.subscriber(CHANGED)

    client.subscribe(CHANGED)

    assert client.closing() == (4409, "Subscriber for '1' already exists")


def test_who_says_nothing_is_sent_away(shop_with: Any) -> None:
    client = shop_with(hello_seconds_max=0.2).open()

    assert client.closing() == (4408, "Connection initialisation timeout")


def test_pings_do_not_prolong_the_time_for_the_hello(shop_with: Any) -> None:
    client = shop_with(hello_seconds_max=0.3).open()
    client.say("ping")
    assert client.hear() == {"type": "pong"}

    assert client.closing()[0] == 4408


@pytest.mark.parametrize("protocols", [["graphql-ws"], ["chat", "graphql-ws"]])
def test_other_protocols_are_not_spoken(shop: Any, protocols: list[str]) -> None:
    client = shop.open(*protocols)

    assert client.closing() == (4406, "Subprotocol not acceptable")


def test_the_modern_protocol_is_chosen_among_several(shop: Any) -> None:
    assert shop.open("graphql-ws", "graphql-transport-ws").socket.subprotocol == (
        "graphql-transport-ws"
    )


def test_the_token_may_come_with_the_handshake(shop: Any) -> None:
    client = shop.open(additional_headers={"Authorization": f"Bearer {shop.token}"})

    client.say("connection_init")

    assert client.hear() == {"type": "connection_ack"}


def test_pings_are_answered(shop: Any) -> None:
    client = shop.client()

    client.say("ping", payload={"a": 1})

    assert client.hear() == {"type": "pong"}


def test_a_message_that_is_too_large_ends_the_socket(shop: Any) -> None:
    fits, too_large = shop.client(), shop.client()
    head = '{"type":"ping","payload":{"a":"'
    for client, length in ((fits, 200_000), (too_large, 200_001)):
        client.socket.send(f'{head}{"x" * (length - len(head) - 3)}"}}}}')

    assert fits.hear() == {"type": "pong"}
    assert too_large.closing()[0] == 1009


_NEAR: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"type": st.sampled_from(["connection_init", "ping", "pong", "subscribe", "complete", "x"])},
    optional={
        "id": st.sampled_from(["1", "", 1, None]),
        "payload": st.sampled_from(
            [None, {}, [], {"query": CHANGED}, {"query": "{"}, {"query": None}]
        ),
    },
)  # fmt: skip
_MESSAGE = _NEAR.map(json.dumps) | st.text(max_size=50) | st.binary(max_size=50)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.booleans(), st.lists(_MESSAGE, max_size=6))
def test_whatever_is_sent_the_server_answers_or_closes_with_a_code(
    shop: Any, is_greeted: bool, messages: list[str | bytes]
) -> None:
    with shop.open().socket as socket:
        if is_greeted:
            hello = {
                "type": "connection_init",
                "payload": {"Authorization": f"Bearer {shop.token}"},
            }
            socket.send(json.dumps(hello))
        try:
            for each in messages:
                socket.send(each)
            socket.send('{"type": "nonsense"}')
            while True:
                socket.recv(timeout=20)
        except ConnectionClosed as closed:
            assert closed.rcvd is not None  # noqa: PT017 every run ends here
            assert 4400 <= closed.rcvd.code <= 4429  # noqa: PT017


def test_a_subscriber_who_takes_nothing_is_ended_and_holds_nobody_up(
    shop_with: Any, until: Any
) -> None:
    shop = shop_with(waiting_max=50)
    slow = shop.subscriber("subscription { transactionRecorded { externalId } }")
    held, go_on = threading.Event(), threading.Event()
    authenticate = shop.crm.authenticate

    def slowly(token: str) -> Any:
        held.set()
        assert go_on.wait(20)
        return authenticate(token)

    shop.crm.authenticate = slowly
    shop.sell("first")
    assert held.wait(20)
    began = time.monotonic()
    shop.sell(*map(str, range(60)))
    assert time.monotonic() - began < 10
    shop.crm.authenticate = authenticate
    go_on.set()

    assert slow.next()["transactionRecorded"]["externalId"] == "first"
    ended = slow.hear()
    assert ended["type"] == "error"
    assert ended["payload"][0]["extensions"]["code"] == "SLOW_CONSUMER"
    shop.wait_for_subscribers(0)
    slow.subscribe(CHANGED)
    shop.wait_for_subscribers(1)


def test_a_client_that_reads_nothing_is_given_up_and_fills_no_memory(
    shop_with: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SEND_SECONDS_MAX", 0.5)
    shop = shop_with(waiting_max=200)
    names = " ".join(f"a{number}: displayName" for number in range(10))
    deaf = shop.subscriber(f"subscription {{ customerChanged {{ {names} }} }}")
    hears = shop.subscriber(CHANGED)

    for round_ in range(100):  # 40 answers of 6 KB each, which the kernel's buffers end up full of
        written = shop.upsert(*map(str, range(40)), display_name=f"{round_:03}" + "茶" * 197)
        for _ in written:
            hears.next()
        if shop.streams.connected == 1:
            break

    assert shop.streams.connected == 1
    assert deaf.socket.protocol is not None


def test_a_hundred_subscribers_hear_a_writer_and_leave_nothing_behind(
    shop: Any, until: Any
) -> None:
    (ann,) = shop.upsert("ann")
    threads = threading.active_count()
    everything = [shop.subscriber(CHANGED) for _ in range(50)]
    one = "subscription($id: ID!) { customerChanged(customerId: $id) { displayName } }"
    only_ann = [shop.subscriber(one, id=ann) for _ in range(50)]

    for number in range(5):
        shop.upsert(f"other{number}", display_name=f"Other {number}")
    shop.upsert("ann", display_name="Anna")

    for client in everything:
        told = [client.next()["customerChanged"]["displayName"] for _ in range(6)]
        assert told == [*(f"Other {number}" for number in range(5)), "Anna"]
    for client in only_ann:
        assert client.next() == {"customerChanged": {"displayName": "Anna"}}
    for client in [*everything, *only_ann]:
        client.socket.close()
    until(lambda: shop.streams.connected == 0)
    assert len(shop.streams.hub) == 0
    assert not shop.crm.feed.is_heard
    until(lambda: len(shop.tasks()) <= 3)
    until(lambda: threading.active_count() <= threads + WORKERS)


def test_a_client_that_vanishes_is_forgotten(shop: Any, until: Any) -> None:
    client = shop.subscriber(CHANGED)

    client.socket.socket.close()

    until(lambda: shop.streams.connected == 0)
    assert len(shop.streams.hub) == 0


@pytest.mark.parametrize("query", ["{ customers { totalCount } }", "{ nobody }", CHANGED])
def test_operations_that_end_leave_nothing_behind(shop: Any, until: Any, query: str) -> None:
    client = shop.client()
    client.say("ping")
    client.hear()
    idle = len(shop.tasks())

    for number in range(30):
        client.subscribe(query, str(number))
        if query == CHANGED:
            shop.wait_for_subscribers(1)
            client.say("complete", str(number))
            shop.wait_for_subscribers(0)
        else:
            client.hear()
            if "customers" in query:
                assert client.hear()["type"] == "complete"

    until(lambda: len(shop.tasks()) <= idle)
    assert len(shop.streams.hub) == 0
