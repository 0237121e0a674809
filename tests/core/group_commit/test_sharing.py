"""Writes that wait for one another share a commit, and are answered after it."""

import random
import time
from threading import Barrier, Event, Thread

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session

from crmkit import Crm
from crmkit.database import Database
from crmkit.migrating.turns import migrating
from crmkit.testing import sale
from shared_writes import INSERT, Numbers, fail, finish, insert, until


def test_writes_that_wait_for_one_another_share_one_commit(numbers: Numbers) -> None:
    before = numbers.commits

    raised = numbers.together([insert(value) for value in range(16)])

    assert raised == [None] * 16
    assert numbers.stored() == set(range(16))
    assert numbers.commits - before == 1


def test_a_write_alone_is_committed_at_once(numbers: Numbers) -> None:
    before = numbers.commits

    for value in range(3):
        numbers.write(value)

    assert numbers.commits - before == 3


def test_no_more_writes_share_a_commit_than_allowed(numbers: Numbers) -> None:
    numbers.database.group.writes_max = 4
    before = numbers.commits

    numbers.together([insert(value) for value in range(16)])

    assert numbers.commits - before == 4


def test_a_transaction_that_took_long_takes_nobody_else_in(numbers: Numbers) -> None:
    numbers.database.group.seconds_max = 0.0
    before = numbers.commits

    numbers.together([insert(value) for value in range(5)])

    assert numbers.commits - before == 5


def test_no_write_is_answered_before_a_reader_finds_it(numbers: Numbers) -> None:
    ready, missing = Barrier(16), list[int]()

    def client(number: int) -> None:
        ready.wait()
        for turn in range(20):
            numbers.write(number * 100 + turn)
            if number * 100 + turn not in numbers.stored():
                missing.append(number * 100 + turn)

    before = numbers.commits
    threads = [Thread(target=client, args=(number,), daemon=True) for number in range(16)]
    for thread in threads:
        thread.start()
    finish(threads)

    assert missing == []
    assert numbers.commits - before < 16 * 20


def test_what_is_done_but_not_committed_is_neither_seen_nor_answered(numbers: Numbers) -> None:
    found: list[object] = []

    def look(session: Session) -> None:
        found.append(session.execute(text("SELECT value FROM number")).scalars().all())
        time.sleep(0.1)
        found.extend((numbers.stored(), list(numbers.answered)))

    assert numbers.together([insert(1), look]) == [None, None]
    assert found == [[1], set(), []]
    assert numbers.stored() == {1}


def test_a_write_that_fails_is_nobody_elses_business(numbers: Numbers) -> None:
    errors = [ZeroDivisionError(), KeyboardInterrupt(), SystemExit()]

    raised = numbers.together(
        [
            fail(errors[0], 10),
            insert(1),
            fail(errors[1], 11),
            insert(1),
            insert(2),
            fail(errors[2], 12),
        ]
    )

    assert [raised[0], raised[2], raised[5]] == errors
    assert isinstance(raised[3], IntegrityError)
    assert [raised[1], raised[4]] == [None, None]
    assert numbers.stored() == {1, 2}


def test_savepoints_inside_a_shared_transaction_are_the_writes_own(numbers: Numbers) -> None:
    def work(session: Session) -> None:
        session.execute(INSERT, {"value": 1})
        with session.begin_nested() as savepoint:
            session.execute(INSERT, {"value": 2})
            savepoint.rollback()
        with session.begin_nested():
            session.execute(INSERT, {"value": 3})

    assert numbers.together([insert(0), work, insert(4)]) == [None] * 3
    assert numbers.stored() == {0, 1, 3, 4}


def test_work_nobody_waits_for_shares_with_nobody(numbers: Numbers) -> None:
    before = numbers.commits

    def unhurried() -> None:
        with numbers.database.write(unhurried=True) as session:
            session.execute(INSERT, {"value": 2})

    with numbers.database.write() as session:
        session.execute(INSERT, {"value": 0})
        threads = [
            Thread(target=lambda: numbers.write(1), daemon=True),
            Thread(target=unhurried, daemon=True),
            Thread(target=lambda: numbers.write(3), daemon=True),
        ]
        for queued, thread in enumerate(threads, 1):
            thread.start()
            numbers.wait_until_queued(queued)
    finish(threads)

    assert numbers.stored() == {0, 1, 2, 3}
    assert numbers.commits - before == 3


def test_migrating_waits_for_the_turn(numbers: Numbers) -> None:
    done = Event()

    def migrate() -> None:
        with migrating(numbers.database) as connection:
            connection.exec_driver_sql("CREATE TABLE late (x INTEGER)")
        done.set()

    with numbers.database.write() as session:
        session.execute(INSERT, {"value": 0})
        thread = Thread(target=migrate, daemon=True)
        thread.start()
        numbers.wait_until_queued(1)
        assert not done.is_set()
    finish([thread])

    assert done.is_set()


def test_who_goes_past_the_turn_is_told_instead_of_believing_in_a_commit(
    numbers: Numbers,
) -> None:
    driver = numbers.driver
    numbers.write(1)
    with numbers.database.writer.connect() as bare:
        bare.exec_driver_sql("INSERT INTO number (value) VALUES (2)")
        bare.commit()
    driver.execute("BEGIN IMMEDIATE")
    driver.is_shared = True

    with pytest.raises(OperationalError), numbers.database.writer.connect() as bare:
        bare.exec_driver_sql("INSERT INTO number (value) VALUES (3)")
    with pytest.raises(driver.ProgrammingError, match="several"):
        driver.commit()

    assert driver.in_transaction
    driver.give_up()
    assert numbers.stored() == {1, 2}


@pytest.mark.parametrize("seed", range(3))
def test_exactly_what_was_acknowledged_is_stored(numbers: Numbers, seed: int) -> None:
    clients, turns = 32, 25
    acknowledged: set[int] = set()
    ready = Barrier(clients)
    numbers.database.group.seconds_max = 0.005

    def client(number: int) -> None:
        draw = random.Random(seed * 1000 + number)
        ready.wait()
        for turn in range(turns):
            values = [number * 1000 + turn * 10 + extra for extra in range(draw.randint(0, 3))]
            is_bad = draw.random() < 0.3
            try:
                with numbers.database.write(unhurried=draw.random() < 0.05) as session:
                    for value in values:
                        session.execute(INSERT, {"value": value})
                    if is_bad:
                        raise draw.choice([ValueError, SystemExit, KeyboardInterrupt])
            except (ValueError, SystemExit, KeyboardInterrupt):
                continue
            acknowledged.update(values)

    threads = [Thread(target=client, args=(number,), daemon=True) for number in range(clients)]
    for thread in threads:
        thread.start()
    finish(threads)

    assert numbers.stored() == acknowledged
    assert numbers.commits < clients * turns


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sales_of_many_clients_share_commits(crm: Crm) -> None:
    sent = list[str]()
    _trace(crm.database, sent)
    results = list[str]()

    def client(number: int) -> None:
        made = sale(f"T{number}", customer=f"c{number % 3}")
        recorded = crm.record_transactions([made], create_missing_customers=True)
        results.extend(each.outcome for each in recorded)

    with crm.database.write():
        threads = [Thread(target=client, args=(number,), daemon=True) for number in range(16)]
        for thread in threads:
            thread.start()
        until(lambda: len(crm.database.group._queue) == 16)
        crm.database.group.seconds_max = 60.0
    finish(threads)

    assert results == ["taken"] * 16
    assert sent.count("COMMIT") == 1


def _trace(database: Database, sent: list[str]) -> None:
    connection = database.writer.raw_connection()
    connection.driver_connection.set_trace_callback(sent.append)  # type: ignore[union-attr]
    connection.close()
