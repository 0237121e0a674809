"""Waiting in vain is an outage that can be tried again; work nobody waits for takes its time."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from crmkit import Crm
from crmkit.outages import is_outage
from crmkit.testing import sale

on_postgres = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@on_postgres
def test_a_lock_that_does_not_become_free_is_an_outage(crm: Crm) -> None:
    crm.record_transactions([sale("1", customer="c")], create_missing_customers=True)
    lock = text("SELECT id FROM customer FOR UPDATE")

    with Session(crm.database.writer) as first, crm.database.writer.connect() as second:
        first.execute(lock)
        second.execute(text("SET LOCAL lock_timeout = '20ms'"))
        with pytest.raises(OperationalError) as raised:
            second.execute(lock)

    assert is_outage(raised.value)


@on_postgres
def test_a_statement_that_takes_too_long_is_an_outage(crm: Crm) -> None:
    with crm.database.writer.connect() as connection:
        connection.execute(text("SET LOCAL statement_timeout = '20ms'"))
        with pytest.raises(OperationalError) as raised:
            connection.execute(text("SELECT pg_sleep(1)"))

    assert is_outage(raised.value)


@pytest.mark.parametrize("statement", ["SELECT nothing FROM nowhere", "SELECT 1 WHERE"])
def test_a_statement_that_is_wrong_is_none(crm: Crm, statement: str) -> None:
    with pytest.raises(Exception, match=r"nowhere|syntax|incomplete") as raised:
        crm.write(lambda session: session.execute(text(statement)))

    assert not is_outage(raised.value)


def test_a_pool_without_a_free_connection_is_an_outage() -> None:
    assert is_outage(PoolTimeout("QueuePool limit of size 8 overflow 24 reached"))


@on_postgres
def test_work_nobody_waits_for_is_not_cut_off(crm: Crm) -> None:
    limit = text("SHOW statement_timeout")

    with crm.read() as hurried, crm.read(unhurried=True) as unhurried:
        limits = [hurried.scalar(limit), unhurried.scalar(limit)]
    limits.append(crm.write(lambda session: session.scalar(limit), unhurried=True))

    assert limits == ["15s", "0", "0"]
    with crm.read() as session:
        assert session.scalar(limit) == "15s"
