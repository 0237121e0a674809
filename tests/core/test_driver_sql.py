"""Statements handed to the driver: values arrive as they are, and errors are SQLAlchemy's."""

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from crmkit import Crm, new_id, run_sql
from crmkit.models import TransactionKind

TEXTS = ["", "plain", "O'Brien", 'say "hi"', "back\\slash", "{a,b}", "NULL", "%s %%", "表情", None]
NUMBERS = [0, -1, 2**31, -(2**31), 2**63 - 1, -(2**63), None]


def _echoed(crm: Crm, type_: str, *values: object) -> list[object]:
    """Return what each value comes back as, from a statement that is not the session's first."""

    def work(session: Session) -> list[object]:
        run_sql(session, "SELECT 1")
        sql = f"SELECT CAST(? AS {type_})"
        return [run_sql(session, sql, value).fetchone()[0] for value in values]

    return crm.write(work)


def test_texts_come_back_as_they_were_given(crm: Crm) -> None:
    assert _echoed(crm, "text", *TEXTS) == TEXTS


def test_numbers_come_back_as_they_were_given(crm: Crm) -> None:
    assert _echoed(crm, "bigint", *NUMBERS) == NUMBERS


def test_a_text_that_postgresql_cannot_store_is_refused_and_not_cut_short(crm: Crm) -> None:
    if crm.database.dialect == "sqlite":
        assert _echoed(crm, "text", "a\0b") == ["a\0b"]
        return
    with pytest.raises(DBAPIError, match="NUL"):
        _echoed(crm, "text", "a\0b")


def test_an_error_is_raised_as_sqlalchemy_raises_it(crm: Crm) -> None:
    with pytest.raises(DBAPIError, match="no_such_table"):
        crm.write(lambda s: [run_sql(s, "SELECT 1"), run_sql(s, "SELECT * FROM no_such_table")])


def test_statements_are_prepared_again_after_somebody_dropped_them(crm: Crm) -> None:
    if crm.database.dialect == "sqlite":
        pytest.skip("SQLite keeps prepared statements to itself")
    assert _echoed(crm, "text", "a") == ["a"]
    tries = []

    def work(session: Session) -> object:
        tries.append(1)
        if len(tries) == 1:
            session.connection().exec_driver_sql("DEALLOCATE ALL")
        run_sql(session, "SELECT 1")
        return run_sql(session, "SELECT CAST(? AS text)", "b").fetchone()[0]

    assert crm.write(work) == "b"
    assert len(tries) == 2


def test_members_of_enumerations_are_stored_as_their_values(crm: Crm) -> None:
    assert _echoed(crm, "text", TransactionKind.SALE) == ["sale"]


def test_a_statement_that_begins_the_transaction_is_undone_with_it(crm: Crm) -> None:
    sql = "UPDATE customer SET display_name = ? WHERE source_unknown = ?"

    def fail(session: Session) -> None:
        insert = "INSERT INTO customer (id, display_name, lifecycle, lifecycle_since, created_at,"
        insert += " updated_at) VALUES (?, 'Ann', 'prospect', ?, ?, ?)"
        run_sql(session, insert, new_id().hex, *["2026-01-01 00:00:00.000000+00:00"] * 3)
        run_sql(session, sql, "a", "b")

    with pytest.raises(DBAPIError, match="source_unknown"):
        crm.write(fail)
    count = "SELECT count(*) FROM customer"
    assert crm.write(lambda session: run_sql(session, count).fetchone()[0]) == 0
