"""Bulk writes mean the same on both databases, however many rows there are."""

from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from crmkit import Crm, insert_rows, merge_rows, new_id, small_writes, wire_instant
from crmkit.bulk import write_sql
from crmkit.models import Customer, CustomerDay, CustomerMetrics, Interaction
from crmkit.testing import NOON

SIZES = [1, 199, 200, 5001]  # by INSERT, the last of them, the first by COPY, past every chunk
AWKWARD = [
    "plain",
    "tab\there",
    "new\nline",
    "back\\slash",
    "\\N",
    "quote'\"",
    "",
    "茶☕",
    "%s {} ?",
]
LATE = datetime(2199, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
INTERACTION = (
    "id", "kind", "source", "external_id", "occurred_at", "recorded_at", "direction", "content",
    "rating", "payload", "fingerprint",
)  # fmt: skip
CUSTOMER = (
    "id",
    "display_name",
    "birth_on",
    "lifecycle",
    "lifecycle_since",
    "created_at",
    "updated_at",
)

METRICS = (
    "customer_id", "currency", "sale_count", "return_count", "net_minor", "returned_minor",
    "quantity_milli", "purchase_day_count",
)  # fmt: skip


def customer(crm: Crm) -> UUID:
    id_, at = new_id(), wire_instant(NOON)
    row = (id_.hex, "Ann", "2000-02-29", "prospect", at, at, at)
    crm.write(lambda session: insert_rows(session, Customer, CUSTOMER, [row]))
    return id_


def interactions(count: int, start: int = 0) -> list[tuple[Any, ...]]:
    at = wire_instant(LATE)
    payload = orjson.dumps({"text": AWKWARD}).decode()
    return [
        (new_id().hex, "note", "bulk", str(n), at, at, "inbound", AWKWARD[n % len(AWKWARD)],
         None if n % 2 else 5, payload if n % 3 else None, "")
        for n in range(start, start + count)
    ]  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
def test_rows_come_back_as_they_went_in(crm: Crm, size: int) -> None:
    rows = interactions(size)

    crm.write(lambda session: insert_rows(session, Interaction, INTERACTION, rows))

    with crm.read() as session:
        found = session.exec(select(Interaction).order_by(col(Interaction.id))).all()
    assert [(each.id.hex, each.external_id, each.content) for each in found] == [
        (row[0], row[3], row[7]) for row in rows
    ]
    assert {each.occurred_at for each in found} == {LATE}
    assert all(each.rating == (None if int(each.external_id) % 2 else 5) for each in found)
    assert all(each.payload in (None, {"text": AWKWARD}) for each in found)


@pytest.mark.parametrize("size", SIZES)
def test_a_clash_is_the_same_error_by_whatever_way_rows_go(crm: Crm, size: int) -> None:
    crm.write(lambda session: insert_rows(session, Interaction, INTERACTION, interactions(1)))
    rows = [*interactions(size, start=1), *interactions(1)]

    with pytest.raises(IntegrityError):
        crm.write(lambda session: insert_rows(session, Interaction, INTERACTION, rows))

    with crm.read() as session:
        assert session.exec(select(func.count(col(Interaction.id)))).one() == 1


def test_days_and_texts_that_are_not_there_are_stored_exactly(crm: Crm) -> None:
    id_ = customer(crm)

    with crm.read() as session:
        stored = session.exec(select(Customer).where(col(Customer.id) == id_)).one()

    assert (stored.birth_on, stored.given_name) == (date(2000, 2, 29), None)
    assert stored.lifecycle_since == NOON


FIGURES = (
    "customer_id", "currency", "first_sale_at", "last_sale_at", "sale_count", "net_minor",
    "return_count", "returned_minor", "quantity_milli", "purchase_day_count",
)  # fmt: skip


def _fold(row: tuple[Any, ...], session: Session) -> None:
    merge_rows(session, CustomerMetrics, FIGURES, [row], FOLD)


FOLD: Any = {
    "first_sale_at": "least",
    "last_sale_at": "greatest",
    "sale_count": "add",
    "net_minor": "replace",
}


def test_rows_fold_into_those_that_are_there(crm: Crm) -> None:
    key = customer(crm).hex
    early, late = wire_instant(NOON), wire_instant(LATE)
    rows = [
        (key, "CNY", late, early, 1, 5, 1, 0, 0, 0),
        (key, "CNY", early, late, 2, -(2**62), 2, 0, 0, 0),
        (key, "CNY", None, None, 0, 2**62, 4, 0, 0, 0),
        (key, "JPY", None, None, 1, 1, 0, 0, 0, 0),
    ]

    for row in rows:
        crm.write(partial(_fold, row))

    with crm.read() as session:
        yuan, yen = session.exec(select(CustomerMetrics).order_by(col(CustomerMetrics.currency)))
    assert (yuan.first_sale_at, yuan.last_sale_at) == (NOON, LATE)
    assert (yuan.sale_count, yuan.net_minor, yuan.return_count) == (3, 2**62, 1)
    assert (yen.first_sale_at, yen.sale_count) == (None, 1)


def test_many_rows_fold_at_once(crm: Crm) -> None:
    key = customer(crm).hex
    columns = (
        "customer_id", "currency", "business_on", "sale_count", "net_minor", "return_count",
        "quantity_milli",
    )  # fmt: skip
    days = [date.fromordinal(730_000 + n).isoformat() for n in range(5001)]
    rows = [(key, "CNY", day, 1, n, 0, 0) for n, day in enumerate(days)]
    fold: Any = {"sale_count": "add", "net_minor": "add"}

    for _ in range(2):
        crm.write(lambda session: merge_rows(session, CustomerDay, columns, rows, fold))

    with crm.read() as session:
        count, net = session.exec(
            select(func.sum(CustomerDay.sale_count), func.sum(CustomerDay.net_minor))
        ).one()
    assert (count, net) == (2 * 5001, 2 * sum(range(5001)))


def test_no_rows_are_no_statement(crm: Crm) -> None:
    with crm.read() as session:  # where any writing statement would fail
        insert_rows(session, Customer, CUSTOMER, [])
        merge_rows(session, CustomerMetrics, FIGURES, [], FOLD)


@pytest.mark.parametrize("size", [1, 4, 5, 199, 200])
def test_small_writes_of_several_tables_are_written_together(crm: Crm, size: int) -> None:
    at = wire_instant(NOON)
    ids = [new_id().hex for _ in range(size)]
    rows = [(id_, "Ann", None, "prospect", at, at, at) for id_ in ids]
    sums = [(id_, "CNY", *[1] * (len(METRICS) - 2)) for id_ in ids]

    def work(session: Session) -> None:
        with small_writes(session, size):
            insert_rows(session, Customer, CUSTOMER, rows)
            merge_rows(session, CustomerMetrics, METRICS, sums, {"sale_count": "add"})

    crm.write(work)
    with crm.read() as session:
        assert session.exec(select(func.count()).select_from(Customer)).one() == size
        assert session.exec(select(func.sum(CustomerMetrics.sale_count))).one() == size


def test_small_writes_that_fail_leave_nothing(crm: Crm) -> None:
    id_, at = new_id().hex, wire_instant(NOON)
    row = (id_, "Ann", None, "prospect", at, at, at)

    def work(session: Session) -> None:
        with small_writes(session, 2):
            insert_rows(session, Customer, CUSTOMER, [row, row])

    with pytest.raises(IntegrityError):
        crm.write(work)
    with crm.read() as session:
        assert session.exec(select(func.count()).select_from(Customer)).one() == 0


def test_blocks_inside_others_and_statements_of_ones_own_are_part_of_them(crm: Crm) -> None:
    first, second, at = new_id(), new_id(), wire_instant(NOON)
    rows = [(id_.hex, "Ann", None, "prospect", at, at, at) for id_ in (first, second)]
    sums = [(second.hex, "CNY", *[1] * (len(METRICS) - 2))]
    promote = "UPDATE customer SET lifecycle = 'customer' WHERE id IN ?ids"

    crm.write(lambda session: insert_rows(session, Customer, CUSTOMER, rows[:1]))

    def work(session: Session) -> None:
        with small_writes(session, 2):
            insert_rows(session, Customer, CUSTOMER, rows[1:])
            with small_writes(session, 1):
                merge_rows(session, CustomerMetrics, METRICS, sums, {"sale_count": "add"})
                write_sql(session, promote, [first])

    crm.write(work)
    with crm.read() as session:
        found = session.exec(select(Customer.lifecycle).order_by(col(Customer.id))).all()
        assert found == ["customer", "prospect"]
        assert session.exec(select(func.sum(CustomerMetrics.sale_count))).one() == 1


@pytest.mark.parametrize("size", [1, 4, 5, 30])
@pytest.mark.parametrize("odd", ["", 'say "hi"', "back\\slash", '","', "{a,b}", "NULL", "表情"])
def test_texts_of_many_rows_come_back_as_they_were_given(crm: Crm, odd: str, size: int) -> None:
    at = wire_instant(NOON)
    names = [odd, *[f"Ann {number}" for number in range(size - 1)]]
    rows = [(new_id().hex, name, None, "prospect", at, at, at) for name in names]
    crm.write(lambda session: insert_rows(session, Customer, CUSTOMER, rows))
    with crm.read() as session:
        assert sorted(session.exec(select(Customer.display_name))) == sorted(names)
