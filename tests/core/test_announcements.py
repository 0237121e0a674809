"""News are told once a write is durable, and never of one that failed."""

import logging
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session

from crmkit import (
    Announcement,
    AttachInput,
    Crm,
    CustomerInput,
    CustomerRef,
    Event,
    Plugin,
    Refused,
    announce,
    hookimpl,
)
from crmkit.testing import CrmFactory, sale

News = list[tuple[str, UUID, UUID | None]]
CASE_OPENED = Event("extra.case_opened")


def listening(crm: Crm) -> News:
    heard: News = []
    crm.feed.listen(lambda news: heard.extend((e.event.name, e.id, e.customer_id) for e in news))
    return heard


@pytest.fixture
def heard(crm: Crm) -> News:
    return listening(crm)


def customer(crm: Crm, name: str = "Ann") -> UUID:
    (row,) = crm.upsert_customers([CustomerInput("till", "ann", display_name=name)])
    assert row.id is not None
    return row.id


def test_a_customer_is_announced_when_created_and_when_changed_but_not_when_the_same(
    crm: Crm, heard: News
) -> None:
    ann = customer(crm)
    customer(crm)
    customer(crm, "Anna")

    assert heard == [("core.customer_changed", ann, ann)] * 2


def test_a_sale_is_announced_with_its_customer_whose_figures_it_moves(
    crm: Crm, heard: News
) -> None:
    ann = customer(crm)
    heard.clear()
    rows = [sale("1", customer="ann"), sale("2")]

    first, second = (each.id for each in crm.record_transactions(rows))
    crm.record_transactions(rows)

    assert heard == [
        ("core.transaction_recorded", first, ann),
        ("core.transaction_recorded", second, None),
        ("core.customer_changed", ann, ann),
    ]


def test_a_sale_is_announced_again_when_it_is_given_to_a_customer(crm: Crm, heard: News) -> None:
    (recorded,) = crm.record_transactions([sale("1")])
    ann = customer(crm)
    heard.clear()

    crm.attach_transactions([AttachInput("till", "1", CustomerRef(external_id="ann"))])

    assert heard == [
        ("core.transaction_recorded", recorded.id, ann),
        ("core.customer_changed", ann, ann),
    ]


def test_nothing_is_told_before_the_write_is_durable(crm: Crm, heard: News) -> None:
    def work(session: Session) -> int:
        crm.record_transactions([sale("1")], session=session)
        return len(heard)

    assert crm.write(work) == 0
    assert len(heard) == 1


def test_a_write_that_fails_announces_nothing(crm: Crm, heard: News) -> None:
    def work(session: Session) -> None:
        crm.record_transactions([sale("1")], session=session)
        raise Refused("no")

    with pytest.raises(Refused):
        crm.write(work)

    assert heard == []


class Announcing:
    plugin = Plugin(name="extra", version="1", summary="For a test.")

    @hookimpl
    def transactions_recorded(self, session: Session, batch: Any) -> None:
        announce(session, CASE_OPENED, {each.id: None for each in batch.transactions})


def test_a_hook_announces_an_event_of_its_own(crm_factory: CrmFactory) -> None:
    crm = crm_factory(Announcing())
    heard = listening(crm)

    (recorded,) = crm.record_transactions([sale("1")])

    assert ("extra.case_opened", recorded.id, None) in heard


def test_whoever_stopped_listening_hears_nothing_more(crm: Crm) -> None:
    heard: list[Any] = []
    stops: list[Callable[[], None]] = [crm.feed.listen(heard.extend) for _ in range(2)]
    stops[0]()
    stops[0]()

    customer(crm)

    assert len(heard) == 1
    stops[1]()
    assert not crm.feed.is_heard


def test_a_listener_that_fails_takes_nothing_from_the_others_or_the_writer(
    crm: Crm, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_news: Any) -> None:
        raise ZeroDivisionError

    heard: list[Any] = []
    crm.feed.listen(fail)
    crm.feed.listen(heard.extend)

    with caplog.at_level(logging.ERROR, "crmkit"):
        customer(crm)

    assert len(heard) == 1
    assert "ZeroDivisionError" in caplog.text


def test_an_outbox_could_publish(crm: Crm, heard: News) -> None:
    crm.feed.publish(tuple(_made(3)))

    assert [name for name, _, _ in heard] == ["extra.case_opened"] * 3


def _made(count: int) -> Iterator[Announcement]:
    return (Announcement(CASE_OPENED, UUID(int=number), None) for number in range(count))
