"""What follows a write runs once it is durable, and cannot undo it."""

import logging
from threading import get_ident

import pytest
from sqlmodel import func, select

from crmkit import Crm, Refused
from crmkit.models import Transaction
from crmkit.testing import sale


def stored(crm: Crm) -> int:
    with crm.read() as session:
        return session.scalar(select(func.count()).select_from(Transaction)) or 0


def test_what_follows_a_write_finds_it_stored_in_the_same_thread(crm: Crm) -> None:
    seen: list[tuple[int, int]] = []

    with crm.database.write() as session:
        session.after_commit(lambda: seen.append((stored(crm), get_ident())))
        crm.record_transactions([sale("1")], session=session)
        assert seen == []

    assert seen == [(1, get_ident())]


def test_what_follows_a_write_may_write_itself(crm: Crm) -> None:
    with crm.database.write() as session:
        crm.record_transactions([sale("1")], session=session)
        session.after_commit(lambda: crm.record_transactions([sale("2")]))

    assert stored(crm) == 2


def test_nothing_follows_a_write_that_fails(crm: Crm) -> None:
    followed: list[int] = []

    def work() -> None:
        with crm.database.write() as session:
            session.after_commit(lambda: followed.append(1))
            raise Refused("no")

    with pytest.raises(Refused):
        work()

    assert followed == []


def test_what_follows_a_write_cannot_undo_it(crm: Crm, caplog: pytest.LogCaptureFixture) -> None:
    followed: list[int] = []

    with caplog.at_level(logging.ERROR, "crmkit"), crm.database.write() as session:
        crm.record_transactions([sale("1")], session=session)
        session.after_commit(lambda: followed.append(1 // 0))
        session.after_commit(lambda: followed.append(2))

    assert stored(crm) == 1
    assert followed == [2]
    assert "ZeroDivisionError" in caplog.text
