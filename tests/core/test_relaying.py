"""Processes that share a PostgreSQL database hear of each other's writes."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import text

from crmkit import Crm, CustomerInput
from crmkit.relaying import CHANNEL, ROWS_MAX, Relay
from crmkit.testing import CrmFactory, sale


@pytest.fixture
def process(crm_factory: CrmFactory, database_url: str) -> Iterator[Callable[[], Any]]:
    """Give a function that stands for one more process: its Crm, and the news it hears."""
    if database_url.startswith("sqlite"):
        pytest.skip("one process writes SQLite")
    with ExitStack() as relays:

        def make() -> tuple[Crm, list[Any]]:
            crm = crm_factory()
            heard: list[Any] = []
            crm.feed.listen(heard.extend)
            relay = Relay(crm.database, crm.feed)
            relay.start()
            relays.callback(relay.stop)
            return crm, heard

        yield make


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.01)


def listeners(crm: Crm) -> int:
    query = text("SELECT count(*) FROM pg_stat_activity WHERE query = :listen")
    with crm.read() as session:
        found = session.connection().execute(query, {"listen": f"LISTEN {CHANNEL}"}).scalar_one()
    return int(found)


def test_each_process_hears_of_every_write_once(process: Any) -> None:
    (here, heard_here), (there, heard_there) = process(), process()
    wait_for(lambda: listeners(here) == 2)

    here.record_transactions([sale(str(number)) for number in range(2 * ROWS_MAX + 1)])
    there.upsert_customers([CustomerInput("till", "ann")])

    wait_for(lambda: len(heard_here) == len(heard_there) == 2 * ROWS_MAX + 2)
    time.sleep(0.2)
    assert sorted(heard_here, key=lambda each: each.id) == sorted(
        heard_there, key=lambda each: each.id
    )
    assert len(set(heard_here)) == 2 * ROWS_MAX + 2


@pytest.mark.parametrize("payload", ["", "no JSON", "[]", "7", '["a", "b", [["no id", null]]]'])
def test_a_notification_of_somebody_else_is_left_out(process: Any, payload: str) -> None:
    (here, _), (there, heard_there) = process(), process()
    wait_for(lambda: listeners(here) == 2)
    with here.database.writer.begin() as connection:
        connection.execute(text("SELECT pg_notify(:on, :it)"), {"on": CHANNEL, "it": payload})

    here.upsert_customers([CustomerInput("till", "ann")])

    wait_for(lambda: len(heard_there) == 1)
    assert there.feed.is_heard


def test_a_relay_that_was_cut_off_connects_again(
    process: Any, caplog: pytest.LogCaptureFixture
) -> None:
    (here, _), (there, heard_there) = process(), process()
    wait_for(lambda: listeners(here) == 2)
    others = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    with here.read() as session:
        session.connection().execute(others)
    wait_for(lambda: "cut off" in caplog.text)
    wait_for(lambda: listeners(here) == 2)

    def is_heard() -> bool:
        here.upsert_customers([CustomerInput("till", f"c{time.monotonic()}")])
        return bool(heard_there)

    wait_for(is_heard)
    assert there.feed.is_heard
