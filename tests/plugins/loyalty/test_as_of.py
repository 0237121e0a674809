"""Points of a past instant, against what stood there at that instant."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest
from sqlalchemy import event
from sqlmodel import select

from crmkit import Actor, CustomerRef, InteractionInput
from crmkit.testing import NOON
from crmkit_loyalty.errors import InsufficientPoints
from crmkit_loyalty.models import Allocation, Lot, LoyaltyAccount
from crmkit_schema.requests import GraphQLRequest
from crmkit_schema.runtime import ComposedSchema

Till: TypeAlias = Any
TillFactory: TypeAlias = Callable[..., Till]

QUERY = """query ($at: DateTime!, $known: DateTime) { customers { nodes { id loyalty {
  asOf(at: $at, knownAt: $known) {
    pointKind balance pending debt lots { points left activeFrom expiresAt }
  }
} } } }"""
DAY = timedelta(days=1)
STAMP = {"name": "stamp", "kind": "per_quantity", "points": 1, "point_kind": "stamps"}
PROGRAMMES: dict[str, dict[str, Any]] = {
    "short": {"lifetime_days": 6, "holding_days": 2, "redemption": {"value": "0.01"}},
    "restarting": {"lifetime_days": 5, "lifetime_restarts": True, "redemption": {"value": "0.01"}},
    "forgiving": {"lifetime_days": 9, "shortfall": "forgive", "redemption": {"value": "0.01"}},
    "two kinds": {
        "rules": [{"name": "base", "kind": "per_amount", "points": 1}, STAMP],
        "point_kinds": {"stamps": {"lifetime_days": 3}},
        "redemption": {"value": "0.01"},
    },
}
Figures = dict[str, tuple[Any, ...]]


class Desk:
    """Asks as an administrator."""

    def __init__(self, till: Till) -> None:
        self._till, self._schema = till, ComposedSchema(till.crm)

    def ask(self, at: datetime, known: datetime | None = None) -> dict[str, Any]:
        """Return what the answer says, by the customer's name."""
        admin = Actor("test", "admin", self._till.crm.roles["admin"])
        given = {"at": at.isoformat(), "known": known and known.isoformat()}
        answer = self._schema.execute(GraphQLRequest(QUERY, given), admin)
        assert answer.errors == [], answer.errors
        assert answer.data is not None
        names = {id_.hex: name for name, id_ in self._till.ids.items()}
        return {
            names[node["id"][-32:]]: node["loyalty"]["asOf"]
            for node in answer.data["customers"]["nodes"]
        }

    def as_of(self, who: str, at: datetime, known: datetime | None = None) -> Figures:
        """Return balance, debt and lots by kind."""
        return {
            each["pointKind"]: (
                int(each["balance"]),
                int(each["debt"]),
                sorted(
                    (
                        int(lot["points"]),
                        int(lot["left"]),
                        _read(lot["activeFrom"]),
                        _read(lot["expiresAt"]),
                    )
                    for lot in each["lots"]
                ),
            )
            for each in self.ask(at, known)[who]
        }


def _read(at: str | None) -> datetime:
    return datetime.fromisoformat(at) if at else datetime.max.replace(tzinfo=UTC)


def now_at(till: Till, who: str) -> Figures:
    """Return what is stored of a customer now, once everything due has expired."""
    till.crm.run_job("loyalty.expiry")
    figures: Figures = {}
    never = datetime.max.replace(tzinfo=UTC)
    with till.crm.read() as session:
        wanted = select(LoyaltyAccount).where(LoyaltyAccount.customer_id == till.ids[who])
        for account in session.exec(wanted).all():
            lots = []
            for lot in session.exec(
                select(Lot).where(
                    Lot.customer_id == account.customer_id, Lot.point_kind == account.point_kind
                )
            ).all():
                uses = session.exec(select(Allocation).where(Allocation.lot_id == lot.id)).all()
                left = lot.points - sum(use.points for use in uses)
                if left:
                    lots.append((lot.points, left, lot.active_from, lot.expires_at or never))
            if account.last_entry_id is not None:
                figures[account.point_kind] = (account.balance, account.debt, sorted(lots))
    return figures


class Days:
    """Lets things happen at the time of the clock, each at an instant of its own."""

    def __init__(self, till: Till, seed: int) -> None:
        self.till, self._rng = till, random.Random(seed)
        self._left: dict[str, int] = {}
        self._prices: dict[str, str] = {}

    def pass_one(self) -> None:
        """Let a day pass on which up to three things happen."""
        for _ in range(self._rng.randint(0, 3)):
            self.till.crm.clock.advance(timedelta(minutes=self._rng.randint(1, 300)))
            what = self._rng.choice(
                (self._sell, self._sell, self._return, self._adjust, self._redeem)
            )
            try:
                what(self._rng.choice(("ann", "bob")), self.till.crm.clock.now())
            except InsufficientPoints:
                continue
        self.till.crm.clock.advance(timedelta(hours=self._rng.randint(5, 40)))

    def _sell(self, who: str, now: datetime) -> None:
        pieces, price = self._rng.randint(1, 4), str(self._rng.randint(10, 90))
        receipt = self.till.sell(who, ("tea", str(pieces), price), occurred_at=now)
        self._left[receipt], self._prices[receipt] = pieces, price

    def _return(self, who: str, now: datetime) -> None:
        some = [receipt for receipt, left in self._left.items() if left]
        if some:
            receipt = self._rng.choice(some)
            back = self._rng.randint(1, self._left[receipt])
            self._left[receipt] -= back
            item = ("tea", str(-back), self._prices[receipt])
            again = self.till.take_back(who, receipt, item, occurred_at=now)
            if self._rng.random() < 0.3:
                self.till.crm.clock.advance(timedelta(minutes=1))
                self.till.void(again, occurred_at=self.till.crm.clock.now())
                self._left[receipt] += back

    def _adjust(self, who: str, _now: datetime) -> None:
        self.till.adjust(who, self._rng.choice((-40, 30, 60)))

    def _redeem(self, who: str, _now: datetime) -> None:
        receipt = self._rng.choice([None, *self._left])
        self.till.redeem(who, self._rng.randint(5, 80), receipt)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", PROGRAMMES)
def test_each_day_is_told_as_it_stood_then(name: str, seed: int, till_factory: TillFactory) -> None:
    till = till_factory(**PROGRAMMES[name])
    days, stood = Days(till, seed), []
    for _ in range(15):
        days.pass_one()
        stood.append((till.crm.clock.now(), {who: now_at(till, who) for who in ("ann", "bob")}))

    desk = Desk(till)
    for at, figures in stood:
        for who, then in figures.items():
            told = desk.as_of(who, at)
            assert {kind: told[kind] for kind in then} == then
            assert told == desk.as_of(who, at, known=at)
    assert any(lots for _, figures in stood for _, _, lots in figures["ann"].values())


def test_lots_expire_by_their_date_whether_or_not_the_job_ran(till_factory: TillFactory) -> None:
    till = till_factory(lifetime_days=10)
    till.sell("ann", ("tea", "1", "50"), occurred_at=NOON)
    ends, desk = NOON + 10 * DAY, Desk(till)

    before = [desk.as_of("ann", at)["points"][:2] for at in (ends - DAY / 9, ends, ends + DAY)]
    till.crm.clock.advance(20 * DAY)
    till.crm.run_job("loyalty.expiry")

    assert before == [(50, 0), (0, 0), (0, 0)]
    assert [desk.as_of("ann", at)["points"][:2] for at in (ends - DAY / 9, ends)] == before[:2]


def test_what_came_in_late_is_left_out_where_it_was_not_known_yet(
    till_factory: TillFactory,
) -> None:
    till = till_factory()
    desk = Desk(till)
    till.sell("ann", ("tea", "1", "50"), occurred_at=NOON)
    known = till.crm.clock.now()
    till.crm.clock.advance(DAY)
    till.sell("ann", ("tea", "1", "7"), occurred_at=NOON)

    assert desk.as_of("ann", NOON)["points"][0] == 57
    assert desk.as_of("ann", NOON, known)["points"][0] == 50
    assert desk.as_of("ann", NOON - DAY) == {"points": (0, 0, [])}


def test_pending_points_are_told_apart_as_they_were(till_factory: TillFactory) -> None:
    till = till_factory(holding_days=3)
    till.sell("ann", ("tea", "1", "50"), occurred_at=NOON)

    times = (NOON, NOON + 3 * DAY - DAY / 9, NOON + 3 * DAY)
    pending = [Desk(till).ask(at)["ann"][0]["pending"] for at in times]

    assert pending == [50, 50, 0]


def test_all_customers_of_a_page_take_one_statement(till_factory: TillFactory) -> None:
    till = till_factory()
    till.enrol(*(f"customer {number}" for number in range(20)))
    for who in till.ids:
        till.sell(who, ("tea", "1", "50"), occurred_at=NOON)
    desk, seen = Desk(till), list[str]()
    for engine in till.crm.database.engines[1:]:  # those that read
        event.listen(engine, "before_cursor_execute", lambda *given: seen.append(given[2]))

    desk.ask(NOON)

    assert sum("loyalty_ledger_entry" in statement for statement in seen) == 1


def test_points_of_the_past_need_the_permission_to_see_points(till: Till) -> None:
    query = '{ customers { nodes { loyalty { asOf(at: "2026-01-01T00:00:00Z") { balance } } } } }'
    nobody = Actor("test", "nobody", frozenset({"customer.read"}))

    answer = ComposedSchema(till.crm).execute(GraphQLRequest(query), nobody)

    assert answer.errors
    assert answer.errors[0]["extensions"]["code"] == "FORBIDDEN"


def test_only_purchases_had_given_points_their_lifetime_anew(till_factory: TillFactory) -> None:
    review = {"name": "r", "kind": "interaction", "points": 5, "interaction_kinds": ["review"]}
    base = {"name": "base", "kind": "per_amount", "points": 1}
    till = till_factory(rules=[base, review], lifetime_days=30, lifetime_restarts=True)
    till.sell("ann", ("tea", "1", "30.00"), occurred_at=NOON)
    whose = CustomerRef(external_id="ann")
    reviewed = InteractionInput("till", "1", NOON + 10 * DAY, "review", whose)
    till.crm.record_interactions([reviewed])
    till.sell("ann", ("tea", "1", "1.00"), occurred_at=NOON + 20 * DAY)
    desk = Desk(till)

    (points,) = desk.ask(NOON + 15 * DAY)["ann"]
    until = [lot["expiresAt"] for lot in points["lots"]]

    assert until == ["2026-07-15T04:00:00Z", "2026-07-25T04:00:00Z"]
