"""Subscriptions over WebSockets: what is delivered, and to whom."""

import json
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import update
from websockets.exceptions import InvalidStatus

from crmkit import CustomerRef, FixedClock, Refused
from crmkit.inputs import AttachInput
from crmkit.models import AccessToken
from crmkit.testing import NOON, sale

CHANGED = "subscription { customerChanged { displayName } }"
OF_ONE = "subscription($id: ID) { customerChanged(customerId: $id) { displayName } }"
RECORDED = "subscription { transactionRecorded { externalId customer { displayName } } }"


def test_a_recorded_sale_is_delivered_with_what_was_selected(shop: Any) -> None:
    client = shop.subscriber(RECORDED)

    shop.sell("1")
    shop.upsert("ann")
    shop.sell("2", customer="ann")

    assert client.next() == {"transactionRecorded": {"externalId": "1", "customer": None}}
    assert client.next() == {
        "transactionRecorded": {"externalId": "2", "customer": {"displayName": "Ann"}}
    }


def test_a_customer_is_delivered_when_created_changed_and_sold_to(shop: Any) -> None:
    client = shop.subscriber(
        "subscription { changed: customerChanged { displayName metrics { saleCount } } }"
    )

    for name in ("Ann", "Anna"):
        shop.upsert("ann", display_name=name)
        assert client.next()["changed"]["displayName"] == name
    shop.sell("1", customer="ann")

    assert client.next() == {"changed": {"displayName": "Anna", "metrics": {"saleCount": 1}}}


def test_an_attached_sale_is_delivered_to_who_waits_for_that_customer(shop: Any) -> None:
    (ann,) = shop.upsert("ann")
    shop.sell("1")
    client = shop.subscriber(
        "subscription($id: ID!) { transactionRecorded(customerId: $id) { externalId } }", id=ann
    )

    shop.crm.attach_transactions([AttachInput("till", "1", CustomerRef(external_id="ann"))])

    assert client.next() == {"transactionRecorded": {"externalId": "1"}}


def test_only_the_customer_that_was_asked_for_is_delivered(shop: Any) -> None:
    ann, _bob = shop.upsert("ann", "bob")
    client = shop.subscriber(OF_ONE, id=ann)

    shop.upsert("bob", display_name="Bobby")
    shop.upsert("ann", display_name="Anna")

    assert client.next() == {"customerChanged": {"displayName": "Anna"}}
    assert client.hears_nothing()


def test_a_write_that_fails_is_not_delivered(shop: Any) -> None:
    client = shop.subscriber(RECORDED)

    def work(session: Any) -> None:
        shop.crm.record_transactions([sale("1")], session=session)
        raise Refused("no")

    with pytest.raises(Refused):
        shop.crm.write(work)
    shop.sell("2")

    assert client.next()["transactionRecorded"]["externalId"] == "2"


def test_a_row_of_a_savepoint_that_was_rolled_back_is_not_delivered(shop: Any) -> None:
    client = shop.subscriber(RECORDED)

    def work(session: Any) -> None:
        with session.begin_nested() as savepoint:
            shop.crm.record_transactions([sale("1")], session=session)
            savepoint.rollback()

    shop.crm.write(work)
    shop.sell("2")

    assert client.next()["transactionRecorded"]["externalId"] == "2"


def test_several_operations_share_a_socket_and_each_ends_by_itself(shop: Any) -> None:
    client = shop.client()
    client.subscribe(CHANGED, "a")
    client.subscribe(RECORDED, "b")
    shop.wait_for_subscribers(2)
    client.say("complete", "a")
    shop.wait_for_subscribers(1)

    shop.upsert("ann")
    shop.sell("1")

    assert client.hear()["id"] == "b"
    client.subscribe(CHANGED, "a")
    shop.wait_for_subscribers(2)


def test_a_query_is_answered_and_completed(shop: Any) -> None:
    shop.upsert("ann")
    client = shop.client()

    client.subscribe("{ customers { nodes { displayName } } }")

    assert client.next() == {"customers": {"nodes": [{"displayName": "Ann"}]}}
    assert client.hear() == {"type": "complete", "id": "1"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("mutation { __typename }", "MUTATION_NOT_STREAMED"),
        ("subscription { nobodyChanged { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ('subscription { customerChanged(customerId: "x") { id } }', "BAD_USER_INPUT"),
        (
            f'subscription {{ customerChanged(customerId: "trx_{0:032x}") {{ id }} }}',
            "NOT_FOUND",
        ),
        ("subscription($id: ID!) { customerChanged(customerId: $id) { id } }", "BAD_USER_INPUT"),
        ("subscription { customerChanged @skip(if: true) { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription a { customerChanged { id } } subscription b { customerChanged { id } }",
         "OPERATION_NOT_FOUND"),
    ],
)  # fmt: skip
def test_an_operation_that_is_refused_ends_alone(shop: Any, query: str, code: str) -> None:
    client = shop.client()

    client.subscribe(query)

    refusal = client.hear()
    assert (refusal["type"], refusal["id"]) == ("error", "1")
    assert refusal["payload"][0]["extensions"]["code"] == code
    client.subscribe("{ __typename }")
    assert client.next() == {"__typename": "Query"}


def test_a_payload_that_is_no_request_is_refused(shop: Any) -> None:
    client = shop.client()

    client.say("subscribe", "1", {"query": 1})

    assert client.hear()["payload"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_who_lacks_the_permission_cannot_subscribe(shop_with: Any) -> None:
    shop = shop_with(general={"roles": {"till": ["core.use", "transactions.read"]}})
    client = shop.client(shop.make_token("till", "till"))

    client.subscribe(CHANGED)

    (error,) = client.hear()["payload"]
    assert error["extensions"] == {"code": "FORBIDDEN", "permission": "customers.read"}


def test_a_field_that_may_not_be_seen_is_null_in_what_is_delivered(shop_with: Any) -> None:
    roles = {"till": ["core.use", "transactions.read"]}
    shop = shop_with(general={"roles": roles})
    client = shop.subscriber(RECORDED, shop.make_token("till", "till"))

    shop.upsert("ann")
    shop.sell("1", customer="ann")

    payload = client.hear()["payload"]
    assert payload["data"] == {"transactionRecorded": {"externalId": "1", "customer": None}}
    assert payload["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_a_revoked_token_ends_the_socket_before_the_next_delivery(shop: Any) -> None:
    client = shop.subscriber(CHANGED)
    shop.revoke()

    shop.upsert("ann")

    assert client.closing() == (4403, "the token has ended")


def test_a_role_that_loses_the_permission_ends_the_subscription(shop_with: Any) -> None:
    shop = shop_with(general={"roles": {"till": ["core.use", "transactions.read"]}})
    client = shop.subscriber(CHANGED)
    shop.crm.write(lambda session: session.execute(update(AccessToken).values(role="till")))

    shop.upsert("ann")

    ended = client.hear()
    assert ended["type"] == "error"
    assert ended["payload"][0]["extensions"]["code"] == "FORBIDDEN"
    shop.wait_for_subscribers(0)


def test_an_expired_token_ends_a_silent_socket(shop_with: Any, clock: FixedClock) -> None:
    shop = shop_with(recheck_seconds=0.05)
    token = shop.make_token("short", "admin", NOON + timedelta(minutes=1))
    client = shop.subscriber(CHANGED, token)

    clock.advance(timedelta(minutes=2))

    assert client.closing() == (4403, "the token has ended")
    shop.wait_for_subscribers(0)


def test_news_wait_only_once_for_the_same_row_and_are_told_as_they_are_by_then(shop: Any) -> None:
    """While one worker is held up, three changes become one delivery of the last."""
    client = shop.subscriber(CHANGED)
    held, go_on = threading.Event(), threading.Event()
    authenticate = shop.crm.authenticate

    def slowly(token: str) -> Any:
        held.set()
        assert go_on.wait(20)
        return authenticate(token)

    shop.upsert("ann", display_name="first")
    assert client.next()["customerChanged"]["displayName"] == "first"
    shop.crm.authenticate = slowly
    shop.upsert("bob", display_name="held up")
    assert held.wait(20)
    for name in ("second", "third", "fourth"):
        shop.upsert("ann", display_name=name)
    go_on.set()

    told = [client.next()["customerChanged"]["displayName"] for _ in range(2)]
    assert told == ["held up", "fourth"]
    assert client.hears_nothing()


@pytest.mark.parametrize(
    ("origin", "is_taken"),
    [
        (None, True),
        ("http://{address}", True),
        ("https://{address}", True),
        ("https://desk.example", True),
        ("https://desk.example.evil", False),
        ("http://evil.example", False),
        ("ftp://{address}", False),
        ("null", False),
        ("http://[", False),
    ],
)
def test_pages_of_foreign_origins_are_refused(
    shop_with: Any, origin: str | None, is_taken: bool
) -> None:
    shop = shop_with(origins=["https://desk.example"])
    given = origin.format(address=shop.address) if origin else None

    if is_taken:
        shop.client(origin=given)
        return
    with pytest.raises(InvalidStatus) as refused:
        shop.open(origin=given)
    assert refused.value.response.status_code == 403
    assert b"FOREIGN_ORIGIN" in (refused.value.response.body or b"")


def test_more_connections_than_allowed_are_refused_and_places_are_freed(
    shop_with: Any, until: Any
) -> None:
    shop = shop_with(connections_max=1)
    first = shop.client()

    with pytest.raises(InvalidStatus) as refused:
        shop.open()
    first.socket.close()
    until(lambda: shop.streams.connected == 0)

    assert refused.value.response.status_code == 503
    shop.client()


def test_more_operations_than_allowed_are_refused_and_the_others_go_on(shop_with: Any) -> None:
    shop = shop_with(operations_max=2)
    client = shop.client()
    for id_ in "abc":
        client.subscribe(CHANGED, id_)

    refusal = client.hear()
    assert (refusal["type"], refusal["id"]) == ("error", "c")
    assert refusal["payload"][0]["extensions"]["code"] == "SUBSCRIPTION_LIMIT"
    shop.wait_for_subscribers(2)
    shop.upsert("ann")
    assert {client.hear()["id"], client.hear()["id"]} == {"a", "b"}


def test_a_server_that_stops_says_goodbye(shop: Any) -> None:
    clients = [shop.subscriber(CHANGED) for _ in range(3)]

    shop.stop()

    assert [each.closing() for each in clients] == [(1001, "the server stops")] * 3


def test_what_another_server_writes_is_delivered_too(
    shop_with: Any, database_url: str, until: Any
) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has one server")
    here, there = (shop_with(across_processes=True) for _ in range(2))
    client = there.subscriber(CHANGED)
    until(lambda: here.crm.feed.is_heard)

    def is_delivered() -> bool:
        here.upsert("ann", display_name=f"Ann {time.monotonic()}")
        return not client.hears_nothing(0.2)

    until(is_delivered)


def test_only_trusted_documents_can_be_subscribed_to_and_their_ids_suffice(
    shop_with: Any, tmp_path: Path
) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"abc": CHANGED}))
    trusting = {"trusted": [str(tmp_path / "manifest.json")], "only_trusted": True}
    shop = shop_with(general={"documents": trusting})
    client = shop.client()

    client.subscribe(CHANGED)
    refusal = client.hear()
    client.say("subscribe", "2", {"documentId": "abc"})
    shop.wait_for_subscribers(1)
    shop.upsert("ann")

    assert refusal["type"] == "error"
    assert client.next() == {"customerChanged": {"displayName": "Ann"}}
