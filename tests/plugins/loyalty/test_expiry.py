"""Points that expire: by their date, once, whenever the job runs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest

from crmkit_loyalty import expiry
from crmkit_loyalty.errors import InsufficientPoints
from crmkit_loyalty.verifying import run as verify

Till: TypeAlias = Any
TillFactory: TypeAlias = Callable[..., Till]

JOB = "loyalty.expiry"
COAT = ("coat", "1", "100.00")


def on(month: int, day: int = 15) -> datetime:
    """Return an instant in the months after June 2026, which is 0."""
    return datetime(2026 + (month + 5) // 12, (month + 5) % 12 + 1, day, 4, tzinfo=UTC)


def go_to(till: Till, at: datetime) -> None:
    till.crm.clock.advance(at - till.crm.clock.now())


def sell(till: Till, month: int, points: int, who: str = "ann") -> str:
    go_to(till, on(month))
    receipt: str = till.sell(who, ("tea", "1", f"{points}.00"), occurred_at=on(month))
    return receipt


def test_a_member_loses_what_is_left_of_each_purchase_a_year_later(
    till_factory: TillFactory,
) -> None:
    till = till_factory(lifetime_months=12)

    sell(till, 0, 100)  # June 2026: good until June 2027
    sell(till, 3, 60)  # September: good until September 2027
    till.adjust("ann", -30)  # the oldest pays: 70 and 60 are left
    go_to(till, on(12) - timedelta(microseconds=1))
    assert till.crm.run_job(JOB) == 0
    assert till.balance("ann") == 130

    go_to(till, on(12))
    till.crm.run_job(JOB)
    assert till.balance("ann") == 60

    go_to(till, on(15))
    till.crm.run_job(JOB)
    assert till.deltas("ann") == [
        ("accrual", 100), ("accrual", 60), ("adjustment", -30), ("expiry", -70), ("expiry", -60),
    ]  # fmt: skip
    assert [e.occurred_at for e in till.entries("ann")[3:]] == [on(12), on(15)]
    assert till.entries("ann")[3].explanation["left"] == 70
    assert till.account("ann") == (0, 0)
    assert verify(till.crm).is_good


def test_a_second_run_finds_nothing(till_factory: TillFactory) -> None:
    till = till_factory(lifetime_months=12)
    sell(till, 0, 100)
    sell(till, 1, 7)
    go_to(till, on(14))

    assert [till.crm.run_job(JOB) for _ in range(3)] == [2, 0, 0]
    assert till.deltas("ann")[2:] == [("expiry", -100), ("expiry", -7)]


def live(till: Till, who: str, *, runs: bool) -> Any:
    """Live through three years, with or without a job each month, and let all points expire."""
    receipts = []
    for month in range(36):
        go_to(till, on(month))
        if runs:
            till.crm.run_job(JOB)
        receipts.append(sell(till, month, 10 + month, who))
        if month % 3 == 2:
            till.adjust(who, -25)
        if month % 5 == 4:
            back = ("tea", "-1", f"{8 + month}.00")
            till.take_back(None, receipts[month - 2], back, occurred_at=on(month))
    go_to(till, on(60))
    till.crm.run_job(JOB)
    found = [(e.occurred_at, e.kind, e.points_delta) for e in till.entries(who)]
    return sorted(found), till.account(who), till.lots(who)


def test_a_job_that_is_late_posts_what_a_punctual_one_does(till_factory: TillFactory) -> None:
    till = till_factory(lifetime_months=6)
    late = live(till, "bob", runs=False)

    punctual = live(till, "ann", runs=True)

    assert late == punctual
    assert [kind for _, kind, _ in late[0]].count("expiry") >= 15
    assert late[1] == (0, 0)


def test_points_that_have_expired_cannot_be_spent_before_the_job_ran(
    till_factory: TillFactory,
) -> None:
    till = till_factory(lifetime_months=12)
    sell(till, 0, 100)
    sell(till, 6, 40)
    go_to(till, on(12))

    with pytest.raises(InsufficientPoints) as refused:
        till.adjust("ann", -41)
    assert refused.value.available == 40
    assert till.balance("ann") == 140  # a refusal writes nothing

    assert till.adjust("ann", -40).balance_after == 0
    assert till.deltas("ann")[2:] == [("expiry", -100), ("adjustment", -40)]
    assert till.crm.run_job(JOB) == 1
    assert till.account("ann") == (0, 0)
    assert verify(till.crm).is_good


def test_goods_without_a_receipt_take_no_points_that_have_expired(
    till_factory: TillFactory,
) -> None:
    till = till_factory(lifetime_months=12)
    sell(till, 0, 100)
    sell(till, 6, 40)
    go_to(till, on(12))

    till.take_back("ann", None, ("cup", "-1", "90.00"), occurred_at=on(12))

    assert till.deltas("ann")[2:] == [("expiry", -100), ("adjustment", -40)]


@pytest.mark.parametrize("ran", [True, False], ids=["job ran", "job is late"])
def test_a_return_takes_back_only_what_has_not_expired(
    till_factory: TillFactory, ran: bool
) -> None:
    till = till_factory(lifetime_months=12)
    go_to(till, on(0))
    sale = till.sell("ann", ("tea", "4", "25.00"), occurred_at=on(0))
    till.adjust("ann", -40)
    sell(till, 6, 500)
    go_to(till, on(13))
    if ran:
        till.crm.run_job(JOB)

    # 60 of the 100 expired. Half of the goods: 50 are due, and have expired. The rest: 100 are
    # due, 60 have expired, so the 40 that were spent go now.
    till.take_back(None, sale, ("tea", "-2", "25.00"), occurred_at=on(13))
    assert till.balance("ann") == 500
    till.take_back(None, sale, ("tea", "-2", "25.00"), occurred_at=on(13))

    assert till.balance("ann") == 460
    assert till.entries("ann")[-1].explanation == {
        "version": 1, "earned": 100, "share": "1", "taken": 0, "expired": 60,
    }  # fmt: skip
    assert verify(till.crm).is_good


@pytest.mark.parametrize("ran", [True, False], ids=["job ran", "job is late"])
def test_what_a_voided_return_gives_back_expires_when_it_would_have(
    till_factory: TillFactory, ran: bool
) -> None:
    till = till_factory(lifetime_months=12)
    go_to(till, on(0))
    sale = till.sell("ann", ("tea", "4", "25.00"), occurred_at=on(0))
    back = till.take_back(None, sale, ("tea", "-2", "25.00"), occurred_at=on(1))
    sell(till, 6, 500)
    go_to(till, on(13))
    till.void(back)
    if ran:
        till.crm.run_job(JOB)

    # All 100 have expired: 50 that were never gone, and 50 that came back too late.
    till.take_back(None, sale, ("tea", "-4", "25.00"), occurred_at=on(13))

    till.crm.run_job(JOB)
    assert till.balance("ann") == 500
    assert sum(points for kind, points in till.deltas("ann") if kind == "expiry") == -100
    assert verify(till.crm).is_good


def test_lots_made_again_take_expiry_from_where_it_was(till_factory: TillFactory) -> None:
    till = till_factory(lifetime_months=12)
    sell(till, 0, 100)
    sell(till, 3, 60)
    go_to(till, on(13))
    till.adjust("ann", -10)
    lots = till.lots("ann")
    with till.crm.database.write() as session:
        session.connection().exec_driver_sql("DELETE FROM loyalty_allocation")

    till.rebuild()

    assert till.lots("ann") == lots
    assert till.crm.run_job(JOB) == 1
    assert till.deltas("ann")[2:] == [("expiry", -100), ("adjustment", -10)]
    assert verify(till.crm).is_good


def test_a_page_costs_a_fixed_number_of_statements_and_pages_follow_until_all_is_done(
    till_factory: TillFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = till_factory(lifetime_months=12)
    names = [f"c{n}" for n in range(40)]
    till.enrol(*names)
    till.record(*(till.document("sale", name, [COAT]) for name in names))
    till.crm.clock.advance(timedelta(days=400))
    counted = []

    for size in (4, 30):
        monkeypatch.setattr(expiry, "LOTS_MAX", size)
        counted.append(count_statements(till, size))

    assert counted[0] == counted[1]
    monkeypatch.setattr(expiry, "LOTS_MAX", 4)
    assert till.crm.run_job(JOB) == 6
    assert {till.balance(name) for name in names} == {0}
    assert verify(till.crm).is_good


def count_statements(till: Till, size: int) -> int:
    from sqlalchemy import event

    from crmkit import JobRun

    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        seen.append(sql)

    now = till.crm.clock.now()
    event.listen(till.crm.database.writer, "before_cursor_execute", note)
    try:
        done = till.crm.write(
            lambda session: expiry.expire(session, JobRun(now, now.date()), till.settings)
        )
    finally:
        event.remove(till.crm.database.writer, "before_cursor_execute", note)
    assert done == size
    return len(seen)


def test_expiry_beside_sales_and_adjustments_loses_and_doubles_nothing(
    till_factory: TillFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "LOTS_MAX", 5)
    till = till_factory(lifetime_months=1)
    names = [f"c{n}" for n in range(20)]
    till.enrol(*names)
    old = [till.document("sale", name, [COAT]) for name in names for _ in range(3)]
    till.record(*old)
    till.crm.clock.advance(timedelta(days=60))
    now = till.crm.clock.now()
    new = [till.document("sale", name, [COAT], occurred_at=now) for name in names]

    def work(n: int) -> None:
        if n % 3 == 0:
            till.crm.run_job(JOB)
        elif n % 3 == 1:
            till.record(new[n // 3])
        else:
            try:
                till.adjust(names[n // 3], -10)
            except InsufficientPoints:
                till.adjust(names[n // 3], 1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(60)))
    till.crm.run_job(JOB)

    for name in names:
        expired = [points for kind, points in till.deltas(name) if kind == "expiry"]
        assert sum(expired) == -300
        assert till.balance(name) in (90, 101)
    assert verify(till.crm).is_good


def test_the_job_counts_every_lot_it_dealt_with(till_factory: TillFactory) -> None:
    till = till_factory(lifetime_months=12)
    till.record(*(till.document("sale", who, [COAT]) for who in ("ann", "bob") for _ in range(7)))
    till.adjust("ann", -150)  # a lot and a half is spent before
    till.crm.clock.advance(timedelta(days=400))

    assert till.crm.run_job(JOB) == 14
    assert [kind for kind, _ in till.deltas("ann")].count("expiry") == 6
