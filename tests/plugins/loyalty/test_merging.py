"""Points of two customers that become one's, and back."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from crmkit import IdempotencyMismatch, NotFound, ValidationFailed
from crmkit.testing import NOON
from crmkit_loyalty.blocking import set_block
from crmkit_loyalty.errors import AccountBlocked, AccountMerged, InsufficientPoints
from crmkit_loyalty.merging import Merge, merge
from crmkit_loyalty.moving_errors import NotMerged
from crmkit_loyalty.transferring import Transfer, transfer
from crmkit_loyalty.verifying import run as verify

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

TEA, BACK = ("tea", "1", "10.00"), ("tea", "-1", "10.00")
EARLY, LATE = "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"


@pytest.fixture
def till(till_factory: TillFactory) -> Till:
    terms = {"value": "0.01", "hold_minutes": 30}
    return till_factory(lifetime_months=12, redemption=terms, transfers={"allowed": True})


def join(till: Till, giver: str, receiver: str | None, key: str = "m", **more: Any) -> UUID:
    """Merge the points of one customer into another's; None undoes it."""
    into = till.ids[receiver] if receiver else None
    asked = Merge(till.ids[giver], into, more.pop("reason", "same person"), key)
    done: UUID = till.crm.write(
        lambda session: merge(
            session, asked, actor="bob", now=till.crm.clock.now(), settings=till.settings
        )
    )
    return done


def send(till: Till, giver: str, receiver: str, points: int, key: str) -> None:
    asked = Transfer(till.ids[giver], till.ids[receiver], "points", points, "gift", key)
    till.crm.write(
        lambda session: transfer(
            session, asked, actor="bob", now=till.crm.clock.now(), settings=till.settings
        )
    )


def left(till: Till, *who: str) -> Counter[datetime | None]:
    """Return the points in lots of some customers together, by their expiry."""
    found: Counter[datetime | None] = Counter()
    for each in who:
        for _, points, until in till.lots(each):
            found[until] += points
    return +found


def months(till: Till, who: str) -> list[int]:
    """Return the months in which a customer's points expire, in order."""
    return sorted(until.month for until in left(till, who) if until)


def accounts(till: Till, *who: str) -> list[tuple[int, int]]:
    return [till.account(each) for each in who]


def assert_sound(till: Till) -> None:
    assert till.differences() == []
    assert verify(till.crm).is_good


def test_all_points_go_along_and_keep_their_dates(till: Till) -> None:
    till.sell("ann", TEA, occurred_at=LATE)
    till.sell("ann", TEA, occurred_at=EARLY)
    till.adjust("ann", -3)
    till.sell("bob", TEA)
    before = left(till, "ann", "bob")

    join(till, "ann", "bob")

    assert accounts(till, "ann", "bob") == [(0, 0), (27, 0)]
    assert left(till, "bob") == before
    assert till.deltas("ann")[-2:] == [("merge_out", -7), ("merge_out", -10)]
    assert till.deltas("bob")[-2:] == [("merge_in", 7), ("merge_in", 10)]
    assert_sound(till)


def test_every_kind_and_pending_points_go_along(till_factory: TillFactory) -> None:
    till = till_factory(holding_days=14, point_kinds={"stamps": {}})
    till.sell("ann", TEA)
    till.adjust("ann", 5, point_kind="stamps")

    join(till, "ann", "bob")

    assert [(entry.point_kind, entry.points_delta) for entry in till.entries("bob")] == [
        ("points", 10), ("stamps", 5),
    ]  # fmt: skip
    assert till.active_dates("bob")[0] == NOON + timedelta(days=14)
    assert_sound(till)


@pytest.mark.parametrize("debtor", ["ann", "bob"])
def test_a_debt_of_one_is_paid_by_the_points_of_the_other(till: Till, debtor: str) -> None:
    sale = till.sell(debtor, TEA)
    till.adjust(debtor, -10)
    till.take_back(None, sale, BACK)
    till.adjust("bob" if debtor == "ann" else "ann", 25)

    join(till, "ann", "bob")

    assert accounts(till, "ann", "bob") == [(0, 0), (15, 0)]
    assert_sound(till)


def test_debts_of_both_add_up(till: Till) -> None:
    for who in ("ann", "bob"):
        sale = till.sell(who, TEA)
        till.adjust(who, -10)
        till.take_back(None, sale, BACK)

    join(till, "ann", "bob")
    assert accounts(till, "ann", "bob") == [(0, 0), (0, 20)]
    till.adjust("bob", 50)

    assert till.account("bob") == (30, 0)
    assert_sound(till)


def test_goods_of_the_old_customer_take_their_own_points_from_the_new_one(till: Till) -> None:
    sale = till.sell("ann", TEA, occurred_at=LATE)
    till.sell("bob", TEA, occurred_at=EARLY)
    join(till, "ann", "bob")

    back = till.take_back(None, sale, BACK)

    assert accounts(till, "ann", "bob") == [(0, 0), (10, 0)]
    assert months(till, "bob") == [1]  # of bob's own tea
    assert_sound(till)
    till.void(back)
    assert accounts(till, "ann", "bob") == [(0, 0), (20, 0)]
    assert months(till, "bob") == [1, 3]
    assert_sound(till)


def test_what_was_spent_meanwhile_becomes_a_debt_of_the_new_customer(till: Till) -> None:
    sale = till.sell("ann", TEA)
    join(till, "ann", "bob")
    till.redeem("bob", 10)

    till.take_back(None, sale, BACK)

    assert accounts(till, "ann", "bob") == [(0, 0), (0, 10)]
    assert_sound(till)


def test_what_was_spent_meanwhile_is_forgiven_if_the_settings_say_so(
    till_factory: TillFactory,
) -> None:
    till = till_factory(shortfall="forgive")
    sale = till.sell("ann", TEA)
    join(till, "ann", "bob")
    till.adjust("bob", -4)

    till.take_back(None, sale, BACK)

    assert accounts(till, "ann", "bob") == [(0, 0), (0, 0)]
    assert ("reversal", 4) in till.deltas("ann")
    assert_sound(till)


@pytest.mark.parametrize("job", [True, False])
def test_points_that_expired_after_the_merge_are_not_taken_back(till: Till, job: bool) -> None:
    sale = till.sell("ann", TEA, occurred_at=EARLY)
    till.sell("bob", TEA)
    join(till, "ann", "bob")
    till.crm.clock.advance(datetime.fromisoformat("2027-01-02T00:00:00+00:00") - NOON)
    if job:
        till.crm.run_job("loyalty.expiry")

    till.take_back(None, sale, BACK, occurred_at=till.crm.clock.now().isoformat())

    assert sum(points for _, points in till.deltas("bob")) >= 10
    assert till.account("bob")[1] == 0
    assert till.account("ann") == (0, 0)
    assert_sound(till)


def test_what_the_old_customer_buys_later_is_for_the_new_one(till: Till) -> None:
    join(till, "ann", "bob")

    till.sell("ann", ("tea", "1", "30.00"))
    till.take_back("ann", None, BACK)

    assert accounts(till, "ann", "bob") == [(0, 0), (20, 0)]
    assert_sound(till)


def test_holds_and_redemptions_of_the_old_customer_end_with_the_new_one(till: Till) -> None:
    till.adjust("ann", 60)
    paid = till.sell("ann", ("tea", "1", "20.00"))
    redeemed = till.redeem("ann", 20, paid)
    kept, let_go = (till.redeem("ann", 10, holds=True) for _ in range(2))
    join(till, "ann", "bob")
    assert accounts(till, "ann", "bob") == [(0, 0), (40, 0)]

    till.redeem_held(kept)
    till.release(let_go)
    assert accounts(till, "ann", "bob") == [(0, 0), (50, 0)]
    till.cancel(redeemed)

    assert accounts(till, "ann", "bob") == [(0, 0), (70, 0)]
    assert_sound(till)


def test_nobody_spends_gives_or_blocks_points_by_the_old_name(till: Till) -> None:
    till.adjust("bob", 50)
    till.enrol("cleo")
    join(till, "ann", "bob")

    def block() -> None:
        till.crm.write(
            lambda session: set_block(
                session, till.ids["ann"], blocks=True, reason="stolen", key="b", actor="bob",
                now=till.crm.clock.now(),
            )
        )  # fmt: skip

    for attempt in (
        lambda: till.redeem("ann", 1),
        lambda: till.redeem("ann", 1, holds=True),
        lambda: till.adjust("ann", 1),
        lambda: send(till, "ann", "cleo", 1, "t"),
        lambda: send(till, "bob", "ann", 1, "t"),
        lambda: join(till, "ann", "cleo", "again"),
        lambda: join(till, "cleo", "ann"),
        lambda: join(till, "bob", "ann"),
        block,
    ):
        with pytest.raises(AccountMerged) as refused:
            attempt()
        assert (refused.value.customer_id, refused.value.into) == (till.ids["ann"], till.ids["bob"])
    assert till.balance("bob") == 50


def test_merges_of_merges_reach_the_last_customer(till: Till) -> None:
    till.enrol("cleo")
    sale = till.sell("ann", TEA, occurred_at=LATE)
    join(till, "ann", "bob")
    till.sell("bob", TEA, occurred_at=EARLY)
    join(till, "bob", "cleo")
    till.sell("ann", ("pot", "1", "5.00"))
    assert accounts(till, "ann", "bob", "cleo") == [(0, 0), (0, 0), (25, 0)]

    till.take_back(None, sale, BACK)

    assert accounts(till, "ann", "bob", "cleo") == [(0, 0), (0, 0), (15, 0)]
    assert months(till, "cleo") == [1, 6]
    assert_sound(till)


def test_the_same_request_changes_nothing_again(till: Till) -> None:
    till.adjust("ann", 10)
    till.enrol("cleo")
    first = join(till, "ann", "bob")

    assert join(till, "ann", "bob") == first
    for change in ({"receiver": "cleo"}, {"receiver": None}, {"reason": "other"}):
        values: dict[str, Any] = {"receiver": "bob", **change}
        with pytest.raises(IdempotencyMismatch):
            join(till, "ann", **values)
    assert join(till, "ann", None, "u") == first
    assert join(till, "ann", None, "u") == first
    assert join(till, "ann", "bob") == first
    assert accounts(till, "ann", "bob") == [(10, 0), (0, 0)]


def test_a_request_that_makes_no_sense_is_refused(till: Till) -> None:
    till.ids["nobody"] = UUID(int=7)
    for change in ({"giver": "bob"}, {"reason": " "}, {"key": ""}):
        values: dict[str, Any] = {"giver": "ann", "receiver": "bob", **change}
        with pytest.raises(ValidationFailed):
            join(till, **values)
    for pair in (("ann", "nobody"), ("nobody", "ann"), ("nobody", None)):
        with pytest.raises(NotFound):
            join(till, *pair)
    with pytest.raises(NotMerged):
        join(till, "ann", None)


def test_blocked_points_are_not_merged(till: Till) -> None:
    till.crm.write(
        lambda session: set_block(
            session, till.ids["bob"], blocks=True, reason="stolen", key="b", actor="bob",
            now=till.crm.clock.now(),
        )
    )  # fmt: skip

    for pair in (("ann", "bob"), ("bob", "ann")):
        with pytest.raises(AccountBlocked):
            join(till, *pair)


def test_undoing_gives_back_what_is_left_with_its_dates(till: Till) -> None:
    sale = till.sell("ann", TEA, occurred_at=LATE)
    till.sell("ann", TEA, occurred_at=EARLY)
    till.sell("bob", ("pot", "1", "30.00"))
    join(till, "ann", "bob")
    till.redeem("bob", 15)  # ten that ann had expire first, then five more of hers

    join(till, "ann", None, "u")

    assert accounts(till, "ann", "bob") == [(5, 0), (30, 0)]
    assert months(till, "ann") == [3]
    assert_sound(till)
    till.take_back(None, sale, BACK)
    till.sell("ann", ("pot", "1", "7.00"))
    assert accounts(till, "ann", "bob") == [(2, 0), (30, 0)]
    join(till, "ann", "bob", "m2")
    assert accounts(till, "ann", "bob") == [(0, 0), (32, 0)]
    assert_sound(till)


def test_a_merge_cannot_be_undone_while_the_new_customer_is_merged(till: Till) -> None:
    till.enrol("cleo")
    till.adjust("ann", 10)
    join(till, "ann", "bob")
    join(till, "bob", "cleo")

    with pytest.raises(AccountMerged):
        join(till, "ann", None, "u")
    join(till, "bob", None, "u")
    join(till, "ann", None, "u")

    assert accounts(till, "ann", "bob", "cleo") == [(10, 0), (0, 0), (0, 0)]
    assert_sound(till)


def test_opposite_merges_at_once_become_one(till: Till) -> None:
    till.adjust("ann", 10)
    till.adjust("bob", 20)

    def work(number: int) -> bool:
        try:
            join(till, *(("ann", "bob") if number % 2 else ("bob", "ann")), f"k{number}")
        except AccountMerged:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(work, range(12))).count(True) == 1

    assert sorted(accounts(till, "ann", "bob")) == [(0, 0), (30, 0)]
    assert_sound(till)


def test_a_merge_beside_sales_and_redemptions_of_both_moves_every_point_once(till: Till) -> None:
    till.adjust("ann", 100)
    till.adjust("bob", 100)

    def work(number: int) -> int:
        who = ("ann", "bob")[number % 2]
        if number == 9:
            join(till, "ann", "bob")
        elif number % 4 < 2:
            till.record(till.document("sale", who, [TEA]))
            return 10
        else:
            with suppress(AccountMerged, InsufficientPoints):
                till.redeem(who, 3)
                return -3
        return 0

    with ThreadPoolExecutor(16) as pool:
        moved = sum(pool.map(work, range(32)))

    assert accounts(till, "ann", "bob") == [(0, 0), (200 + moved, 0)]
    assert_sound(till)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["sell", "sell", "back", "merge", "undo", "adjust", "send", "wait"]),
        st.sampled_from(["ann", "bob", "cleo"]),
        st.sampled_from(["ann", "bob", "cleo"]),
        st.integers(1, 40),
    ),
    min_size=6,
    max_size=24,
)


def test_no_merge_or_undoing_changes_what_all_customers_have_together(
    till_factory: TillFactory,
) -> None:
    till = till_factory(lifetime_months=3, transfers={"allowed": True})
    rounds = iter(range(1000))

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(STEPS)
    def run(steps: list[tuple[str, str, str, int]]) -> None:
        number, sales = next(rounds), []
        names = {name: f"{name}-{number}" for name in ("ann", "bob", "cleo")}
        till.enrol(*names.values())

        def total() -> int:
            return sum(p - d for p, d in accounts(till, *names.values()))

        for at, (verb, one, other, points) in enumerate(steps):
            before, now = total(), till.crm.clock.now().isoformat()
            if verb == "sell":
                sales.append(till.sell(names[one], ("tea", "1", f"{points}.00"), occurred_at=now))
            elif verb == "back" and sales:
                till.void(sales.pop(points % len(sales)), occurred_at=now)
            elif verb == "wait":
                till.crm.clock.advance(timedelta(days=points))
                till.crm.run_job("loyalty.expiry")
            else:
                with suppress(AccountMerged, InsufficientPoints, NotMerged, ValidationFailed):
                    if verb == "adjust":
                        till.adjust(names[one], points)
                        before += points
                    elif verb == "send":
                        send(till, names[one], names[other], points, f"t{at}")
                    elif verb == "merge":
                        join(till, names[one], names[other], f"k{at}")
                    else:
                        join(till, names[one], None, f"k{at}")
                assert total() == before
        assert_sound(till)

    run()


@pytest.mark.parametrize(
    ("sql", "count"),
    [("UPDATE loyalty_account SET merged_into = NULL", 1), ("DELETE FROM loyalty_account", 2)],
)
def test_a_planted_error_is_found_and_mended(till: Till, sql: str, count: int) -> None:
    till.adjust("bob", 10)
    join(till, "ann", "bob")
    with till.crm.database.write() as session:
        session.execute(text(sql))
    assert len(till.differences()) == count

    till.rebuild()

    assert till.differences() == []
    till.sell("ann", TEA)
    assert accounts(till, "ann", "bob") == [(0, 0), (20, 0)]


def test_lost_lots_of_merged_points_are_made_again(till: Till) -> None:
    sale = till.sell("ann", TEA, occurred_at=LATE)
    till.sell("bob", TEA, occurred_at=EARLY)
    join(till, "ann", "bob")
    till.redeem("bob", 5)
    till.take_back(None, sale, BACK)
    before = left(till, "ann", "bob")
    with till.crm.database.write() as session:
        for table in ("loyalty_allocation", "loyalty_lot"):
            session.execute(text(f"DELETE FROM {table}"))

    till.rebuild()

    assert left(till, "ann", "bob") == before
    assert_sound(till)


def test_the_api_merges_and_undoes(till: Till) -> None:
    till.adjust("ann", 10)
    ids = {name: f"cus_{till.ids[name].hex}" for name in ("ann", "bob")}
    merged = """
    mutation ($input: %sPointsInput!) { answer: %sPoints(input: $input) {
      ... on MergePointsSuccess { fromCustomer { loyalty { balance mergedInto { id } } } }
      ... on Problem { code }
    } }
    """

    def ask(word: str, key: str, **more: str) -> Any:
        given = {"fromCustomerId": ids["ann"], "reason": "same", "idempotencyKey": key, **more}
        return till.ask(merged % (word.capitalize(), word), input=given)["answer"]

    assert ask("unmerge", "0") == {"code": "NOT_MERGED"}
    assert ask("merge", "1", intoCustomerId=ids["bob"]) == {
        "fromCustomer": {"loyalty": {"balance": 0, "mergedInto": {"id": ids["bob"]}}}
    }
    assert ask("merge", "2", intoCustomerId=ids["bob"]) == {"code": "ACCOUNT_MERGED"}
    assert ask("unmerge", "3") == {"fromCustomer": {"loyalty": {"balance": 10, "mergedInto": None}}}
