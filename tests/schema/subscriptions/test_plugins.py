"""Subscriptions of plugins, with their own events and their own choice of news."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import strawberry

from crmkit import (
    Announcement,
    CustomerRef,
    Event,
    InteractionInput,
    Permission,
    Plugin,
    SchemaContribution,
    TransactionBatch,
    announce,
    discovery,
    hookimpl,
)
from crmkit.testing import NOON, sale
from crmkit_loyalty.adjusting import adjust
from crmkit_schema import Customer, RequestContext, Transaction, subscription

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
SOLD_TO = Event("till.sold_to")


def test_the_follow_ups_of_the_docs_are_delivered_as_complaints_come_in(shop_with: Any) -> None:
    shop = shop_with(discovery.load_file(EXAMPLES / "followups.py").implementation)
    shop.upsert("ann", "bob")
    client = shop.subscriber(
        "subscription { callAskedFor { reason isDone customer { displayName } } }"
    )

    shop.crm.record_interactions(
        [
            InteractionInput("till", f"{name}{kind}", NOON, kind, CustomerRef(external_id=name))
            for name in ("ann", "bob")
            for kind in ("complaint", "review")
        ]
    )

    assert [client.next()["callAskedFor"] for _ in range(2)] == [
        {"reason": "complaint", "isDone": False, "customer": {"displayName": "Ann"}}
    ] * 2
    assert client.hears_nothing()


def test_points_are_told_when_they_move_by_a_sale_and_by_hand(shop_with: Any) -> None:
    shop = shop_with("loyalty")
    (ann,) = shop.upsert("ann")
    query = "subscription($id: ID) { pointsMoved(customerId: $id) { loyalty { balance } } }"
    client = shop.subscriber(query, id=ann)

    shop.sell("1", customer="ann")
    assert client.next() == {"pointsMoved": {"loyalty": {"balance": 10}}}
    for _ in range(2):
        shop.crm.write(
            lambda session: adjust(
                session,
                UUID(ann.removeprefix("cus_")),
                5,
                reason_code="goodwill",
                reason="sorry",
                key="k",
                actor="me",
                now=NOON,
                settings=shop.crm.registry["loyalty"].settings,
            )
        )

    assert client.next() == {"pointsMoved": {"loyalty": {"balance": 15}}}
    assert client.hears_nothing()


def _large(news: Announcement, context: RequestContext, *, above_minor: int = 0) -> UUID | None:
    sales = Transaction.__crmkit__.source  # type: ignore[attr-defined]
    (row,) = context.rows(sales.select().where(sales.c.id == news.id))
    return news.id if row["total_minor"] > above_minor else None


def _buyer(news: Announcement, _context: RequestContext) -> UUID | None:
    return news.customer_id


def _broken(_news: Announcement, _context: RequestContext) -> UUID | None:
    raise ZeroDivisionError


@strawberry.type
class Sold:
    large: Transaction = subscription(
        "Large sales.", event=SOLD_TO, choose=_large, permission="till.watch"
    )
    buyer: Customer = subscription("Who buys.", event=SOLD_TO, choose=_buyer)
    broken: Customer = subscription("Never works.", event=SOLD_TO, choose=_broken)


class Till:
    plugin = Plugin("till", "1", "For a test.", permissions=[Permission("till.watch", "Watch.")])

    @hookimpl
    def register_graphql(self) -> SchemaContribution:
        return SchemaContribution(subscriptions=[Sold])

    @hookimpl
    def transactions_recorded(self, session: Any, batch: TransactionBatch) -> None:
        announce(session, SOLD_TO, {each.id: each.customer_id for each in batch.transactions})


@pytest.fixture
def till(shop_with: Any) -> Any:
    return shop_with(Till())


def test_a_plugin_chooses_by_arguments_and_rows(till: Any) -> None:
    client = till.subscriber(
        "subscription($above: Int!) { large(aboveMinor: $above) { externalId } }", above=1500
    )

    till.crm.record_transactions([sale("1"), sale("2", ("tea", 2, "10.00")), sale("3")])

    assert client.next() == {"large": {"externalId": "2"}}
    assert client.hears_nothing()


def test_a_plugin_delivers_another_row_than_the_event_s(till: Any) -> None:
    till.upsert("ann")
    client = till.subscriber("subscription { buyer { displayName } }")

    till.sell("1")
    till.sell("2", customer="ann")

    assert client.next() == {"buyer": {"displayName": "Ann"}}


def test_a_choice_that_fails_ends_its_subscription_without_telling_why(till: Any) -> None:
    client = till.subscriber("subscription { broken { id } }")

    till.sell("1")

    ended = client.hear()
    assert ended["type"] == "error"
    assert ended["payload"][0]["extensions"]["code"] == "INTERNAL"
    assert "ZeroDivision" not in str(ended)
    client.subscribe("{ __typename }")
    assert client.next() == {"__typename": "Query"}


def test_a_plugin_s_own_permission_is_asked_for(till: Any) -> None:
    client = till.client(till.make_token("shop", "clerk"))

    client.subscribe("subscription { large { id } }")

    (error,) = client.hear()["payload"]
    assert error["extensions"] == {"code": "FORBIDDEN", "permission": "till.watch"}
