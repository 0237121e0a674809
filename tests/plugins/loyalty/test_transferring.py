"""Points that one customer gives to another."""

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
from crmkit_loyalty.errors import AccountBlocked, InsufficientPoints
from crmkit_loyalty.lots import open_lot
from crmkit_loyalty.moving_errors import TransferLimitReached, TransfersNotAllowed
from crmkit_loyalty.moving_rules import spendable
from crmkit_loyalty.transferring import Transfer, transfer
from crmkit_loyalty.verifying import run as verify

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

TEA = ("tea", "1", "10.00")
SEND = """
mutation ($input: TransferPointsInput!) { transferPoints(input: $input) {
  __typename
  ... on TransferPointsSuccess {
    given { pointsDelta balanceAfter actor } received { kind pointsDelta balanceAfter reason }
  }
  ... on TransferLimitReachedProblem { requested most }
  ... on InsufficientPointsProblem { available requested }
  ... on Problem { code }
} }
"""


@pytest.fixture
def till(till_factory: TillFactory) -> Till:
    return till_factory(transfers={"allowed": True}, lifetime_months=12)


def send(till: Till, giver: str, receiver: str, points: Any, key: str = "k", **more: Any) -> Any:
    values = {"point_kind": "points", "reason": "birthday", "settings": till.settings, **more}
    asked = Transfer(
        till.ids[giver], till.ids[receiver], values["point_kind"], points, values["reason"], key
    )
    return till.crm.write(
        lambda session: transfer(
            session, asked, actor="bob", now=till.crm.clock.now(), settings=values["settings"]
        )
    )


def set_block_of(till: Till, who: str, *, blocks: bool = True) -> None:
    till.crm.write(
        lambda session: set_block(
            session, till.ids[who], blocks=blocks, reason="stolen", key=f"b{blocks}",
            actor="bob", now=till.crm.clock.now(),
        )
    )  # fmt: skip


def left(till: Till, *who: str) -> Counter[datetime | None]:
    """Return the points in lots of some customers together, by their expiry."""
    found: Counter[datetime | None] = Counter()
    for each in who:
        for _, points, until in till.lots(each):
            found[until] += points
    return +found


def assert_sound(till: Till) -> None:
    assert till.differences() == []
    assert verify(till.crm).is_good


def test_points_that_expire_first_go_first_and_keep_their_dates(till: Till) -> None:
    till.sell("ann", TEA, occurred_at="2026-03-01T00:00:00Z")
    till.sell("ann", TEA, occurred_at="2026-01-01T00:00:00Z")
    before = left(till, "ann", "bob")

    given = send(till, "ann", "bob", 15)

    assert till.deltas("bob") == [("transfer_in", 10), ("transfer_in", 5)]
    assert [until.month for _, _, until in till.lots("bob")] == [1, 3]
    assert left(till, "ann", "bob") == before
    assert (given.kind, given.points_delta, given.balance_after) == ("transfer_out", -15, 5)
    assert (given.actor, given.reason, given.source) == ("bob", "birthday", "transfer")
    assert {entry.source_id for entry in till.entries("bob")} == {given.source_id}
    assert given.explanation == {"version": 1, "to": till.ids["bob"].hex}
    assert_sound(till)


def test_points_of_equal_dates_arrive_in_one_entry(till: Till) -> None:
    for _ in range(3):
        till.sell("ann", TEA)

    send(till, "ann", "bob", 25)

    assert till.deltas("bob") == [("transfer_in", 25)]


def test_pending_points_stay_and_holding_dates_go_along(till_factory: TillFactory) -> None:
    till = till_factory(transfers={"allowed": True}, holding_days=14)
    till.sell("ann", TEA)
    till.sell("ann", TEA, occurred_at=(NOON - timedelta(days=20)).isoformat())

    with pytest.raises(InsufficientPoints) as refused:
        send(till, "ann", "bob", 11)
    send(till, "ann", "bob", 10)

    assert (refused.value.available, refused.value.requested) == (10, 11)
    assert till.active_dates("bob") == [NOON - timedelta(days=6)]
    assert_sound(till)


def test_points_that_have_expired_cannot_be_given_whether_or_not_the_job_ran(till: Till) -> None:
    till.sell("ann", TEA, occurred_at="2025-01-01T00:00:00Z")
    till.sell("ann", TEA)

    with pytest.raises(InsufficientPoints):
        send(till, "ann", "bob", 11)
    send(till, "ann", "bob", 10)

    assert (till.balance("ann"), till.balance("bob")) == (0, 10)
    assert_sound(till)


def test_received_points_expire_as_they_would_have(till: Till) -> None:
    till.sell("ann", TEA)
    send(till, "ann", "bob", 10)
    till.crm.clock.advance(timedelta(days=366))

    till.crm.run_job("loyalty.expiry")

    assert till.deltas("bob") == [("transfer_in", 10), ("expiry", -10)]
    assert_sound(till)


def test_only_purchases_after_it_give_received_points_their_lifetime_anew(
    till_factory: TillFactory,
) -> None:
    till = till_factory(transfers={"allowed": True}, lifetime_days=100, lifetime_restarts=True)
    till.sell("ann", TEA, occurred_at=(NOON - timedelta(days=50)).isoformat())
    till.sell("bob", TEA, occurred_at=(NOON - timedelta(days=10)).isoformat())
    send(till, "ann", "bob", 10)
    received = NOON + timedelta(days=50)
    assert received in left(till, "bob")

    till.sell("bob", TEA, occurred_at=(NOON - timedelta(days=5)).isoformat())
    assert received in left(till, "bob")
    till.crm.clock.advance(timedelta(days=3))
    till.sell("bob", TEA, occurred_at=till.crm.clock.now().isoformat())

    assert left(till, "bob") == {NOON + timedelta(days=103): 40}
    assert_sound(till)


def test_lost_lots_of_received_points_get_their_dates_again(till: Till) -> None:
    till.sell("ann", TEA, occurred_at="2026-03-01T00:00:00Z")
    send(till, "ann", "bob", 10)
    before = left(till, "bob")
    sql = (
        "DELETE FROM loyalty_lot WHERE entry_id IN"
        " (SELECT id FROM loyalty_ledger_entry WHERE kind = 'transfer_in')"
    )
    with till.crm.database.write() as session:
        session.execute(text(sql))
    assert till.differences()

    till.rebuild()

    assert left(till, "bob") == before
    assert_sound(till)


def test_points_given_to_a_debtor_pay_the_debt_first(till: Till) -> None:
    sale = till.sell("bob", TEA)
    till.adjust("bob", -10)
    till.take_back(None, sale, ("tea", "-1", "10.00"))
    till.sell("ann", ("pot", "1", "30.00"))

    send(till, "ann", "bob", 15)

    assert till.account("bob") == (5, 0)
    assert_sound(till)


def test_goods_that_come_back_are_the_givers_affair(till: Till) -> None:
    sale = till.sell("ann", TEA)
    send(till, "ann", "bob", 10)

    till.take_back(None, sale, ("tea", "-1", "10.00"))

    assert (till.account("ann"), till.account("bob")) == ((0, 10), (10, 0))
    assert_sound(till)


def test_held_points_stay_until_their_time_is_over(till_factory: TillFactory) -> None:
    terms = {"value": "0.01", "hold_minutes": 30}
    till = till_factory(transfers={"allowed": True}, redemption=terms)
    till.adjust("ann", 30)
    till.redeem("ann", 20, holds=True)

    with pytest.raises(InsufficientPoints) as refused:
        send(till, "ann", "bob", 11)
    assert refused.value.available == 10

    till.crm.clock.advance(timedelta(minutes=30))
    send(till, "ann", "bob", 30)
    assert (till.balance("ann"), till.balance("bob")) == (0, 30)
    assert_sound(till)


def test_other_kinds_are_given_by_themselves(till_factory: TillFactory) -> None:
    till = till_factory(transfers={"allowed": True}, point_kinds={"stamps": {}})
    till.adjust("ann", 5, point_kind="stamps")
    till.adjust("ann", 7)

    send(till, "ann", "bob", 5, point_kind="stamps")

    assert [(entry.point_kind, entry.points_delta) for entry in till.entries("bob")] == [
        ("stamps", 5)
    ]
    assert till.balance("ann") == 7
    assert_sound(till)


def test_the_same_key_gives_the_first_answer_for_ever(till: Till) -> None:
    till.adjust("ann", 30)
    first = send(till, "ann", "bob", 10)
    off = till.settings.model_copy(update={"transfers": type(till.settings.transfers)()})

    assert send(till, "ann", "bob", 10, settings=off).model_dump() == first.model_dump()

    till.enrol("cleo")
    others: list[dict[str, Any]] = [{"points": 11}, {"receiver": "cleo"}, {"reason": "other"}]
    for change in others:
        with pytest.raises(IdempotencyMismatch):
            send(till, "ann", **{"receiver": "bob", "points": 10, **change})
    till.adjust("bob", 5)
    send(till, "bob", "cleo", 5)  # a key belongs to its giver
    assert (till.balance("ann"), till.balance("bob")) == (20, 10)


def test_transfers_are_off_unless_they_are_allowed(till_factory: TillFactory) -> None:
    till = till_factory()
    till.adjust("ann", 30)

    with pytest.raises(TransfersNotAllowed):
        send(till, "ann", "bob", 10)


def test_a_transfer_and_a_month_have_a_most(till_factory: TillFactory) -> None:
    limits = {"allowed": True, "points_max": 20, "customer_month_max": 50}
    till = till_factory(transfers=limits, timezone="Asia/Shanghai")
    till.crm.clock.advance(datetime.fromisoformat("2026-11-30T15:59:00+00:00") - NOON)
    till.adjust("ann", 200)

    with pytest.raises(TransferLimitReached) as refused:
        send(till, "ann", "bob", 21)
    assert (refused.value.requested, refused.value.most) == (21, 20)
    for number in range(2):
        send(till, "ann", "bob", 20, f"n{number}")
    with pytest.raises(TransferLimitReached) as refused:
        send(till, "ann", "bob", 11)
    assert refused.value.most == 10
    send(till, "ann", "bob", 10, "last")

    till.crm.clock.advance(timedelta(minutes=1))  # December in Shanghai
    send(till, "ann", "bob", 20)
    assert till.balance("bob") == 70


@pytest.mark.parametrize("who", ["ann", "bob"])
def test_blocked_points_are_neither_given_nor_received(till: Till, who: str) -> None:
    till.adjust("ann", 30)
    set_block_of(till, who)

    with pytest.raises(AccountBlocked) as refused:
        send(till, "ann", "bob", 10)

    assert refused.value.customer_id == till.ids[who]
    set_block_of(till, who, blocks=False)
    send(till, "ann", "bob", 10)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"receiver": "ann"}, "toCustomerId"),
        ({"points": 0}, "points"),
        ({"points": -5}, "points"),
        ({"points": True}, "points"),
        ({"point_kind": "miles"}, "pointKind"),
        ({"reason": " "}, "reason"),
        ({"key": ""}, "idempotencyKey"),
    ],
)
def test_a_request_outside_the_limits_is_refused(
    till: Till, change: dict[str, Any], field: str
) -> None:
    till.adjust("ann", 30)

    with pytest.raises(ValidationFailed) as refused:
        send(till, "ann", **{"receiver": "bob", "points": 10, **change})

    assert [problem.field for problem in refused.value.problems] == [field]


@pytest.mark.parametrize("missing", ["giver", "receiver"])
def test_both_customers_must_exist(till: Till, missing: str) -> None:
    till.ids["nobody"] = UUID(int=7)
    till.adjust("ann", 30)

    with pytest.raises(NotFound):
        send(till, **{"giver": "ann", "receiver": "ann", missing: "nobody"}, points=5)


def test_opposite_transfers_at_once_neither_deadlock_nor_lose_a_point(till: Till) -> None:
    till.adjust("ann", 100)
    till.adjust("bob", 100)

    def work(number: int) -> Any:
        pair = ("ann", "bob") if number % 2 else ("bob", "ann")
        return send(till, *pair, 3, f"k{number}")

    with ThreadPoolExecutor(24) as pool:
        assert len(list(pool.map(work, range(48)))) == 48

    assert (till.balance("ann"), till.balance("bob")) == (100, 100)
    assert_sound(till)


def test_many_who_give_the_same_points_at_once_give_them_once(till: Till) -> None:
    till.adjust("ann", 100)
    till.enrol("cleo")

    def work(number: int) -> bool:
        try:
            send(till, "ann", ("bob", "cleo")[number % 2], 30, f"k{number}")
        except InsufficientPoints:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, range(16))).count(True) == 3

    assert till.balance("ann") == 10
    assert till.balance("bob") + till.balance("cleo") == 90
    assert_sound(till)


def test_after_a_block_nothing_more_is_given(till: Till) -> None:
    till.adjust("ann", 100)

    def work(number: int) -> bool:
        if number == 8:
            set_block_of(till, "ann")
            return False
        try:
            send(till, "ann", "bob", 1, f"k{number}")
        except AccountBlocked:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        given = list(pool.map(work, range(32))).count(True)

    assert (till.balance("ann"), till.balance("bob")) == (100 - given, given)
    with pytest.raises(AccountBlocked):
        send(till, "ann", "bob", 1, "late")
    assert_sound(till)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["sell", "send", "send", "send", "adjust", "wait", "expire"]),
        st.sampled_from(["ann", "bob", "cleo"]),
        st.sampled_from(["ann", "bob", "cleo"]),
        st.integers(1, 60),
    ),
    min_size=5,
    max_size=25,
)


def test_transfers_never_change_what_all_customers_have_together(till_factory: TillFactory) -> None:
    till = till_factory(transfers={"allowed": True}, lifetime_months=3, holding_days=5)
    rounds = iter(range(1000))

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(STEPS)
    def run(steps: list[tuple[str, str, str, int]]) -> None:
        number = next(rounds)
        names = {name: f"{name}-{number}" for name in ("ann", "bob", "cleo")}
        till.enrol(*names.values())
        for at, (verb, one, other, points) in enumerate(steps):
            before = left(till, *names.values())
            if verb == "sell":
                now = till.crm.clock.now().isoformat()
                till.sell(names[one], ("tea", "1", f"{points}.00"), occurred_at=now)
            elif verb == "adjust":
                till.adjust(names[one], points)
            elif verb == "wait":
                till.crm.clock.advance(timedelta(days=points))
            elif verb == "expire":
                till.crm.run_job("loyalty.expiry")
            elif one != other:
                with suppress(InsufficientPoints):
                    send(till, names[one], names[other], points, f"k{at}")
                now = till.crm.clock.now()
                assert all(n == before[at] for at, n in left(till, *names.values()).items())
                assert {at for at in before if at and at > now} <= set(left(till, *names.values()))
        assert_sound(till)

    run()


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 6), st.integers(1, 9))), st.data())
def test_what_is_chosen_adds_up_and_no_lot_gives_more_than_it_has(
    lots: list[tuple[int, int, int]], data: Any
) -> None:
    opened = sorted(
        open_lot(
            UUID(int=n),
            UUID(int=n),
            points,
            NOON + timedelta(since - 3),
            NOON + timedelta(until - 4),
        )
        for n, (points, since, until) in enumerate(lots)
    )
    active = sum(lot.left for lot in opened if lot.active_from <= NOON < lot.expires_at)
    wanted = data.draw(st.integers(0, active))

    chosen = spendable(opened, wanted, NOON)

    assert sum(moved.points for moved in chosen) == wanted
    assert len({moved.dates for moved in chosen}) == len(chosen)
    assert all(moved.active_from <= NOON < (moved.expires_at or NOON) for moved in chosen)


def test_the_api_transfers_points_and_tells_what_is_wrong(till_factory: TillFactory) -> None:
    till = till_factory(transfers={"allowed": True, "points_max": 20})
    till.adjust("ann", 15)

    def ask(points: int, **more: Any) -> Any:
        given = {
            "fromCustomerId": f"cus_{till.ids['ann'].hex}",
            "toCustomerId": f"cus_{till.ids['bob'].hex}",
            "points": points, "reason": "birthday", "idempotencyKey": f"k{points}", **more,
        }  # fmt: skip
        return till.ask(SEND, input=given)["transferPoints"]

    assert ask(10) == {
        "__typename": "TransferPointsSuccess",
        "given": {"pointsDelta": -10, "balanceAfter": 5, "actor": "test"},
        "received": [
            {"kind": "TRANSFER_IN", "pointsDelta": 10, "balanceAfter": 10, "reason": "birthday"}
        ],
    }
    assert (ask(21)["requested"], ask(21)["most"]) == (21, 20)
    assert (ask(6)["available"], ask(6)["requested"]) == (5, 6)
    assert ask(5, toCustomerId="cus_" + "0" * 32)["code"] == "NOT_FOUND"
    assert ask(5, toCustomerId="txn_" + "0" * 32)["code"] == "NOT_FOUND"
