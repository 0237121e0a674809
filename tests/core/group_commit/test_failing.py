"""What fails in a shared transaction fails alone where it can, and honestly where it cannot."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session

import shared_writes
from crmkit.errors import DatabaseBusy, Refused, SessionMisused, WriteLost
from crmkit.outages import is_outage
from crmkit.shared_connection import SharedConnection
from shared_writes import INSERT, Numbers, finish, insert, send


class InsufficientNumbers(Refused):
    """Too many were taken."""


# SQLAlchemy's own remark on what some works here do.
pytestmark = pytest.mark.filterwarnings("ignore:transaction already deassociated")


@pytest.mark.parametrize("sql", ["COMMIT", "ROLLBACK", "COMMIT;BEGIN", "ROLLBACK;BEGIN IMMEDIATE"])
def test_ending_the_transaction_as_text_is_acknowledged_to_nobody_in_it(
    numbers: Numbers, sql: str
) -> None:
    raised = numbers.together([insert(1), insert(2), send(sql), insert(3), insert(4)])

    assert [type(each) for each in raised[:3]] == [WriteLost, WriteLost, SessionMisused]
    assert raised[3:] == [None, None]
    assert numbers.stored() - {1, 2} == {3, 4}
    assert is_outage(raised[0] or ValueError())


@pytest.mark.parametrize(
    "end",
    [
        lambda session: session.connection().commit(),
        lambda session: session.connection().get_transaction().rollback(),
        lambda session: session.get_transaction().commit(),
        lambda session: session.get_transaction().rollback(),
    ],
)
def test_ending_it_with_sqlalchemy_ends_ones_own_write_only(numbers: Numbers, end: Any) -> None:
    def work(session: Session) -> None:
        session.execute(INSERT, {"value": 2})
        end(session)

    raised = numbers.together([insert(1), work, insert(3)])

    assert [type(each) for each in raised] == [type(None), SessionMisused, type(None)]
    assert numbers.stored() >= {1, 3}


def test_a_connection_that_is_closed_loses_what_was_not_committed(numbers: Numbers) -> None:
    raised = numbers.together(
        [insert(1), lambda session: session.connection().invalidate(), insert(2)]
    )

    assert type(raised[0]) is WriteLost
    assert raised[1] is not None
    assert raised[2] is None
    assert numbers.stored() == {2}


def test_a_commit_that_fails_fails_everybody_in_it(numbers: Numbers) -> None:
    with numbers.database.write() as session:
        session.execute(
            text(
                "CREATE TABLE child (value INTEGER REFERENCES number (value)"
                " DEFERRABLE INITIALLY DEFERRED)"
            )
        )

    raised = numbers.together([insert(1), send("INSERT INTO child VALUES (99)"), insert(2)])

    assert [type(each) for each in raised] == [IntegrityError] * 3
    assert len({id(each) for each in raised}) == 3
    assert numbers.stored() == set()


def test_a_refusal_that_rests_on_what_was_not_stored_is_not_told(numbers: Numbers) -> None:
    def refuse(session: Session) -> None:
        taken = session.execute(text("SELECT count(*) FROM number")).scalar()
        raise InsufficientNumbers(f"{taken} taken")

    def take_twice() -> list[BaseException | None]:
        return numbers.together([insert(1), refuse, insert(2)])

    with patch.object(SharedConnection, "make_durable", side_effect=sqlite3.OperationalError("no")):
        first, refused, _ = take_twice()
    assert isinstance(first, OperationalError)
    assert isinstance(refused, OperationalError), "nothing was taken, so nobody can be refused"
    numbers.driver.give_up()

    _, refused, _ = take_twice()
    assert str(refused) == "1 taken"
    assert numbers.stored() == {1, 2}


def test_a_full_database_keeps_what_was_acknowledged_and_nothing_else(numbers: Numbers) -> None:
    numbers.driver.execute("CREATE TABLE big (x BLOB)")
    (pages,) = numbers.driver.execute("PRAGMA page_count").fetchone()
    numbers.driver.execute(f"PRAGMA max_page_count = {pages + 2}")
    big = send("INSERT INTO big VALUES (zeroblob(100000))")

    raised = numbers.together([insert(1), big, insert(2)])
    numbers.driver.execute("PRAGMA max_page_count = 100000")

    assert isinstance(raised[1], OperationalError)
    assert {value for value, each in ((1, raised[0]), (2, raised[2])) if not each} == (
        numbers.stored()
    )


def test_a_turn_that_does_not_come_up_is_told(numbers: Numbers) -> None:
    numbers.database.group.wait_seconds_max = 0.05
    raised = list[BaseException]()

    def late() -> None:
        try:
            numbers.write(2)
        except DatabaseBusy as error:
            raised.append(error)

    with numbers.database.write() as session:
        thread = Thread(target=late, daemon=True)
        thread.start()
        finish([thread])
        session.execute(INSERT, {"value": 1})

    assert "turn" in str(raised[0])
    assert numbers.stored() == {1}


def test_waiting_for_a_write_that_hangs_has_an_end(numbers: Numbers) -> None:
    numbers.database.group.wait_seconds_max = 0.5

    def hang(session: Session) -> None:
        session.execute(INSERT, {"value": 2})
        time.sleep(1.5)

    raised = numbers.together([insert(1), hang])

    assert [type(each) for each in raised] == [WriteLost, type(None)]
    assert numbers.stored() == {1, 2}


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let Ctrl+C do what it does, also where the tests were started in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_while_waiting_for_the_turn_blocks_nobody(numbers: Numbers) -> None:
    def interrupt() -> None:
        numbers.wait_until_queued(1)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    go, holding = Event(), Event()

    def hold() -> None:
        with numbers.database.write() as session:
            session.execute(INSERT, {"value": 1})
            holding.set()
            assert go.wait(60)

    threads = [Thread(target=each, daemon=True) for each in (hold, interrupt)]
    threads[0].start()
    assert holding.wait(60)
    threads[1].start()
    with pytest.raises(KeyboardInterrupt):
        numbers.write(2)
    go.set()
    finish(threads)

    assert numbers.stored() == {1}


FULL_DISK = """
import os, resource, sys
from threading import Thread
from crmkit.database import Database
from crmkit.outages import is_outage
from crmkit.shared_connection import SharedConnection
from shared_writes import Numbers, insert
database = Database(sys.argv[1])
database.group.seconds_max = 60.0
numbers = Numbers(database)
numbers.together([insert(1), insert(2)])
before = numbers.commits
wal = os.stat(f"{database.url.database}-wal").st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (wal, resource.RLIM_INFINITY))
raised = numbers.together([insert(value) for value in range(10, 26)])
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(numbers.commits - before, {type(each).__name__ for each in raised})
print(all(is_outage(each) for each in raised), sorted(numbers.stored()))
numbers.write(3)
print(sorted(numbers.stored()))
"""


def test_a_disk_that_is_full_at_the_commit_is_told_to_everybody(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, f"sqlite:///{tmp_path / 'numbers.sqlite3'}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(shared_writes.__file__).parent)},
    )

    assert done.stdout.splitlines() == [
        "1 {'OperationalError'}",
        "True [1, 2]",
        "[1, 2, 3]",
    ]
