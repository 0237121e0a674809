"""What a rehearsal of other rules says, against shops in which these rules were in force."""

import random
import shutil
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from contents import all_rows
from crmkit import Crm, CrmkitError, CustomerInput, CustomerRef, FixedClock, Report, Settings
from crmkit.migrating import upgrade
from crmkit.testing import NOON, CrmFactory, sale
from crmkit_loyalty import simulating
from crmkit_loyalty.adjusting import adjust
from crmkit_loyalty.cancelling import cancel
from crmkit_loyalty.errors import InsufficientPoints
from crmkit_loyalty.holds import redeem_held
from crmkit_loyalty.lots import AccountKey
from crmkit_loyalty.merging import Merge, merge
from crmkit_loyalty.models import Allocation, LedgerEntry, Lot
from crmkit_loyalty.redeemed import Caller
from crmkit_loyalty.redeeming import redeem
from crmkit_loyalty.redeeming_rules import Purchase
from crmkit_loyalty.redemption_models import Redemption
from crmkit_loyalty.rehearsed_figures import Points
from crmkit_loyalty.rewarding import redeem_reward
from crmkit_loyalty.rule_setting import set_rules
from crmkit_loyalty.settings import LoyaltySettings
from crmkit_loyalty.transferring import Transfer, transfer
from histories import NAMES, START, Happened, by_time, random_history
from retail_slice import retail_slice
from toml_text import section

ZONE = ZoneInfo("Asia/Shanghai")
DAYS = 60
PERIOD = (date(2026, 1, 20), date(2026, 3, 8))
SINCE, UNTIL = (datetime(2026, *day, tzinfo=ZONE).astimezone(UTC) for day in ((1, 20), (3, 9)))
ENDS = {1: date(2026, 1, 31), 2: date(2026, 2, 28), 3: date(2026, 3, 8)}
VISIT = {"name": "visit", "kind": "per_visit", "points": 5, "budget": 60}
PAYS = {"redemption": {"value": "0.5"}}
RULES: dict[str, dict[str, Any]] = {
    "plain": PAYS,
    "short": {
        "points_per_major_unit": "0.5", "lifetime_days": 12, "point_cost": "0.015",
        "redemption": {"value": "0.25", "refund_expired": "lost", "refund_order": "points_first"},
    },
    "restarting": {
        "lifetime_days": 9, "lifetime_restarts": True, "shortfall": "forgive",
        "redemption": {"value": "1", "earns": True, "refund_order": "money_first"},
    },
    "held": {"holding_days": 6, "lifetime_months": 1, "expected_redemption_share": "0.7", **PAYS},
    "rules": {
        **PAYS,
        "lifetime_days": 25,
        "rules": [
            {"name": "base", "kind": "per_amount", "points": 1, "customer_month_max": 500},
            VISIT,
            {"name": "weekend", "kind": "multiplier", "factor": 3, "of": ["base"],
             "weekdays": ["saturday", "sunday"]},
        ],
    },
    "stamps": {
        **PAYS,
        "point_kinds": {"stamps": {"lifetime_days": 5, "point_cost": 1}},
        "rules": [
            {"name": "base", "kind": "per_amount", "points": 2, "from_on": "2026-02-01"},
            {"name": "stamp", "kind": "per_quantity", "points": 1, "point_kind": "stamps"},
            VISIT,
        ],
    },
}  # fmt: skip


@dataclass(frozen=True)
class Adjusted:
    """Points given or taken by hand."""

    who: str
    points: int


@dataclass(frozen=True)
class Redeemed:
    """Points redeemed for a receipt or for nothing, at once or after they were held."""

    number: int
    who: str
    points: int
    receipt: str | None
    is_held: bool


@dataclass(frozen=True)
class Cancelled:
    """A redemption taken back, by its number among all."""

    number: int


@dataclass(frozen=True)
class Told:
    """What came of points, found without the code of the rehearsal.

    Attributes:
        points: issued, taken back, expired, redeemed and by hand, by month, kind and rule.
        earned: by kind and customer.
        left: by kind, and by kind and month of expiry.
    """

    points: Mapping[tuple[date, str, str], tuple[int, ...]]
    earned: Mapping[tuple[str, str], int]
    left: Counter[str]
    by_month: Counter[tuple[str, tuple[int, int] | None]]


class Shop:
    """A shop whose clock follows what happens."""

    def __init__(self, crm: Crm, clock: FixedClock, names: Sequence[str] = NAMES) -> None:
        self.crm = crm
        self._clock = clock
        results = crm.upsert_customers([CustomerInput("till", name) for name in names])
        self.ids = {
            name: result.id for name, result in zip(names, results, strict=True) if result.id
        }
        self._redeemed: dict[int, UUID] = {}

    @property
    def options(self) -> LoyaltySettings:
        """The settings of the programme."""
        found = self.crm.registry["loyalty"].settings
        assert isinstance(found, LoyaltySettings)
        return found

    def record(self, happened: Happened) -> bool:
        """Let one thing happen; tells whether it was taken."""
        try:
            self._record(happened)
        except InsufficientPoints:
            return False
        return True

    def record_as_kept(self, happened: Happened) -> None:
        """Let one thing happen; of what cannot be taken, as many points as there are."""
        asked = happened.by_hand
        try:
            self._record(happened)
        except InsufficientPoints as refused:
            if refused.available:
                sign = -1 if isinstance(asked, Adjusted) else 1
                less = replace(asked, points=sign * refused.available)
                self._record(replace(happened, by_hand=less))

    def _record(self, happened: Happened) -> None:
        asked, at = happened.by_hand, happened.at
        caller = Caller("eve", at, f"k{at}")
        if happened.document is not None:
            self.crm.record_transactions([happened.document])
        elif isinstance(asked, Adjusted):
            self.crm.write(
                lambda session: adjust(
                    session, self.ids[asked.who], asked.points, reason_code="goodwill",
                    reason="asked", key=caller.key, actor="eve", now=at, settings=self.options,
                )
            )  # fmt: skip
        elif isinstance(asked, Redeemed):
            self._redeem(asked, caller)
        elif asked.number in self._redeemed:
            id_ = self._redeemed[asked.number]
            self.crm.write(lambda session: cancel(session, id_, "no", caller, self.options))

    def _redeem(self, asked: Redeemed, caller: Caller) -> None:
        account = AccountKey(self.ids[asked.who], "points")
        bought = Purchase(None, asked.receipt and "till", asked.receipt)

        def work(session: Session) -> Redemption:
            made = redeem(
                session, account, asked.points, bought, caller, self.options, holds=asked.is_held
            )
            if asked.is_held:
                later = Caller("eve", caller.now + timedelta(minutes=1), f"{caller.key} held")
                made = redeem_held(session, made.id, None, bought, later, self.options)
            return made

        self._redeemed[asked.number] = self.crm.write(work).id

    def expire_at(self, at: datetime) -> None:
        """Run the job as if it were some time."""
        self._clock.advance(at - self._clock.now())
        self.crm.run_job("loyalty.expiry")

    def told(self) -> Told:
        """Read the points book as it stands at the end."""
        with self.crm.read() as session:
            entries = {each.id: each for each in session.exec(select(LedgerEntry)).all()}
            lots = session.exec(select(Lot)).all()
            uses = session.exec(select(Allocation)).all()
        names = {id_: name for name, id_ in self.ids.items()}
        points: defaultdict[tuple[date, str, str], list[int]] = defaultdict(lambda: [0] * 5)
        earned: Counter[tuple[str, str]] = Counter()
        for entry in entries.values():
            if not SINCE <= entry.occurred_at < UNTIL:
                continue
            place = _place(entry, entries)
            key = (ENDS[entry.occurred_at.astimezone(ZONE).month], entry.point_kind)
            sign = -1 if place in (1, 2, 3) else 1
            points[(*key, _origin(entry, entries).rule)][place] += sign * entry.points_delta
            if place in (0, 1):
                earned[entry.point_kind, names[entry.customer_id]] += entry.points_delta
            else:
                earned[entry.point_kind, names[entry.customer_id]] += 0
        used = Counter[Any]()
        for use in uses:
            used[use.lot_id] += use.points
        left: Counter[str] = Counter()
        by_month: Counter[tuple[str, tuple[int, int] | None]] = Counter()
        for lot in lots:
            month = None
            if lot.expires_at is not None:
                last = (lot.expires_at - timedelta(microseconds=1)).astimezone(ZONE)
                month = last.year, last.month
            left[lot.point_kind] += lot.points - used[lot.id]
            by_month[lot.point_kind, month] += lot.points - used[lot.id]
        return Told({key: tuple(some) for key, some in points.items()}, earned, left, by_month)


def _place(entry: LedgerEntry, entries: Mapping[Any, LedgerEntry]) -> int:
    """Return which of issued, taken back, expired, redeemed and by hand an entry is."""
    if entry.source == "adjustment":
        return 4
    if entry.kind != "expiry" and _origin(entry, entries).kind == "redemption":
        return 3
    return {"accrual": 0, "reversal": 1, "adjustment": 1, "expiry": 2}[entry.kind]


def _origin(entry: LedgerEntry, entries: Mapping[Any, LedgerEntry]) -> LedgerEntry:
    before = entry.source_id if entry.kind == "expiry" else entry.reverses_entry_id
    return _origin(entries[before], entries) if before else entry


class Shops:
    """Opens shops with certain rules, on files of their own."""

    def __init__(self, empty: Path, folder: Path) -> None:
        self._empty = empty
        self._folder = folder
        self._number = 0
        self.names: Sequence[str] = NAMES

    def open(self, rules: Mapping[str, Any]) -> Shop:
        self._number += 1
        path = self._folder / f"{self._number}.sqlite3"
        shutil.copyfile(self._empty, path)
        clock = FixedClock(START + timedelta(DAYS))
        return Shop(
            Crm(_settings(self._folder, f"sqlite:///{path}", rules), clock=clock), clock, self.names
        )

    def in_force(self, rules: Mapping[str, Any], history: Sequence[Happened], seed: int) -> Told:
        """Let a history happen under some rules, with the job of expiry now and then."""
        shop, rng = self.open(rules), random.Random(seed)
        with shop.crm:
            for at, each in by_time(history):
                happened = each
                if isinstance(each.by_hand, Redeemed):
                    happened = replace(each, by_hand=replace(each.by_hand, is_held=False))
                if at < UNTIL:
                    if rng.random() < 0.1:
                        shop.expire_at(at)
                    shop.record_as_kept(happened)
            shop.expire_at(UNTIL - timedelta(microseconds=1))
            return shop.told()


def _settings(folder: Path, url: str, rules: Mapping[str, Any]) -> Settings:
    return Settings.load(
        folder, database_url=url, plugins=("loyalty",), timezone=str(ZONE),
        plugin={"loyalty": dict(rules)},
    )  # fmt: skip


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file with all tables and nothing in them."""
    folder = tmp_path_factory.mktemp("empty")
    path = folder / "empty.sqlite3"
    with Crm(_settings(folder, f"sqlite:///{path}", {})) as crm:
        upgrade(crm.database, crm.registry)
    return path


@pytest.fixture
def shops(empty: Path, tmp_path: Path) -> Shops:
    return Shops(empty, tmp_path)


def simulate(crm: Crm, folder: Path, rules: Mapping[str, Any]) -> Report:
    """Ask what other rules would have made of a shop."""
    file = folder / "new.toml"
    file.write_text(section("loyalty", rules), encoding="utf-8")
    return simulating.run(crm, {"rules": file, "from": PERIOD[0], "to": PERIOD[1]})


def rows(report: Report, name: str) -> list[tuple[Any, ...]]:
    (found,) = (each for each in report.findings if each.name == name)
    return [tuple(row) for row in found.rows]


def by_hand(rng: random.Random, history: list[Happened]) -> list[Happened]:
    """Add what people did with points, in the order of their time, as only the clock tells."""
    made = list(history)
    sales = [each.document.external_id for each in history if each.document]
    for number, minute in enumerate(sorted(rng.sample(range(DAYS * 24 * 60), 14))):
        at, who = START + timedelta(minutes=minute, seconds=30), rng.choice(NAMES)
        asked: Any = Adjusted(who, rng.choice((1, 1, -1)) * rng.randint(1, 300))
        kind = rng.choice(("adjust", "redeem", "redeem", "cancel"))
        if kind == "redeem":
            receipt = rng.choice((None, *sales))
            asked = Redeemed(number, who, rng.randint(1, 200), receipt, rng.random() < 0.3)
        unpaid = [
            each.by_hand.number
            for each in made
            if isinstance(each.by_hand, Redeemed) and each.by_hand.receipt is None
        ]
        if kind == "cancel" and unpaid:
            asked = Cancelled(unpaid[-1])
        made.append(Happened(at, by_hand=asked))
    return made


def _cost(points: int, kind: str, rules: Mapping[str, Any]) -> Decimal:
    own = rules if kind == "points" else rules.get("point_kinds", {}).get(kind, {})
    exact = points * Decimal(own.get("point_cost", "0.01"))
    exact *= Decimal(own.get("expected_redemption_share", 1))
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _figures(told: Told, kind: str, rules: Mapping[str, Any]) -> dict[str, Any]:
    sums = [0] * 5
    for (_, one, _), some in told.points.items():
        if one == kind:
            sums = [x + y for x, y in zip(sums, some, strict=True)]
    months = [
        _cost(points, one, rules) for (one, _), points in told.by_month.items() if one == kind
    ]
    return {
        **dict(zip(Points._fields, sums, strict=True)),
        "left": told.left[kind],
        "cost_of_what_was_earned": _cost(sums[0] - sums[1], kind, rules),
        "liability": sum(months, Decimal()),
    }


def check(
    shop: Shop, shops: Shops, folder: Path, today: str, new: str, history: list[Happened], seed: int
) -> None:
    """Compare what a rehearsal says with shops in which either rules were in force."""
    report = simulate(shop.crm, folder, RULES[new])

    before = shops.in_force(RULES[today], history, seed)
    after = shops.in_force(RULES[new], history, seed + 1)
    nothing = (0,) * 5
    assert {row[:3]: (row[3::2], row[4::2]) for row in rows(report, "points")} == {
        key: (before.points.get(key, nothing), after.points.get(key, nothing))
        for key in before.points.keys() | after.points.keys()
    }
    names = {id_: name for name, id_ in shop.ids.items()}
    keys = before.earned.keys() | after.earned.keys()
    assert {(row[0], names[row[1]], *row[2:]) for row in rows(report, "customers")} == {
        (*key, was, is_, is_ - was)
        for key in keys
        for was, is_ in [(before.earned[key], after.earned[key])]
        if was != is_
    }
    for kind, gain, lose, same in rows(report, "gains"):
        changes = [after.earned[key] - before.earned[key] for key in keys if key[0] == kind]
        assert (gain, lose, same) == (
            sum(each > 0 for each in changes),
            sum(each < 0 for each in changes),
            changes.count(0),
        )
    for kind, figure, was, is_ in rows(report, "totals"):
        assert (was, is_) == (
            _figures(before, kind, RULES[today])[figure],
            _figures(after, kind, RULES[new])[figure],
        ), (kind, figure)


@settings(
    max_examples=4, deadline=None, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    seed=st.integers(0, 10**6),
    today=st.sampled_from(sorted(RULES)),
    new=st.sampled_from(sorted(RULES)),
)
def test_a_rehearsal_says_exactly_what_the_rules_make_of_the_same_history(
    seed: int, today: str, new: str, shops: Shops, tmp_path: Path
) -> None:
    rng = random.Random(seed)
    shop = shops.open(RULES[today])
    with shop.crm:
        wanted = by_hand(rng, random_history(rng, DAYS, 30))
        history = [happened for happened in wanted if shop.record(happened)]

        check(shop, shops, tmp_path, today, new, history, seed)


@pytest.mark.parametrize("new", sorted(RULES))
def test_it_does_so_for_each_kind_of_rules(new: str, shops: Shops, tmp_path: Path) -> None:
    rng = random.Random(new)
    shop = shops.open(RULES["plain"])
    with shop.crm:
        wanted = by_hand(rng, random_history(rng, DAYS, 30))
        history = [happened for happened in wanted if shop.record(happened)]

        check(shop, shops, tmp_path, "plain", new, history, 1)

    assert any(isinstance(each.by_hand, Redeemed) for each in history)


def test_it_does_so_on_either_database(
    crm_factory: CrmFactory, clock: FixedClock, shops: Shops, tmp_path: Path
) -> None:
    rng = random.Random(7)
    crm = crm_factory("loyalty", timezone=str(ZONE), plugin={"loyalty": RULES["rules"]})
    shop = Shop(crm, clock)
    wanted = by_hand(rng, random_history(rng, DAYS, 50))
    history = [happened for happened in wanted if shop.record(happened)]

    check(shop, shops, tmp_path, "rules", "short", history, 7)


def test_nothing_is_written_and_the_same_answer_comes_twice(
    crm_factory: CrmFactory, clock: FixedClock, tmp_path: Path
) -> None:
    crm = crm_factory("loyalty", timezone=str(ZONE), plugin={"loyalty": RULES["rules"]})
    shop = Shop(crm, clock)
    for happened in random_history(random.Random(5), DAYS, 30):
        shop.record(happened)
    before = all_rows(crm)

    first, second = (simulate(crm, tmp_path, RULES["short"]) for _ in range(2))

    assert all_rows(crm) == before
    assert first == second


def test_wrong_rules_are_refused_as_those_of_the_settings_are(shops: Shops, tmp_path: Path) -> None:
    with shops.open({}).crm as crm, pytest.raises(CrmkitError) as refused:
        simulate(crm, tmp_path, {"rules": [{"name": "a", "kind": "per_visit", "points": 0}]})

    with pytest.raises(CrmkitError) as at_start:
        Crm(_settings(tmp_path, "", {"rules": [{"name": "a", "kind": "per_visit", "points": 0}]}))
    assert str(refused.value) == str(at_start.value)
    assert "setting plugin.loyalty.rules.0.points: Input should be greater than 0" in str(
        refused.value
    )


def test_it_does_so_for_customers_of_online_retail(
    online_retail: Path, shops: Shops, tmp_path: Path
) -> None:
    history = retail_slice(online_retail, DAYS, every=25)
    refs = [each.document.customer for each in history if each.document]
    shops.names = sorted({str(ref.external_id) for ref in refs if isinstance(ref, CustomerRef)})
    shop = shops.open(RULES["plain"])
    with shop.crm:
        for happened in history:
            shop.record(happened)

        check(shop, shops, tmp_path, "plain", "rules", history, 3)

    assert len(history) > 100


def _sold(till: Any, *names: str) -> None:
    for name in names:
        till.sell(name, ("tea", "1", "100"), occurred_at=NOON)


def _totals(report: Report) -> dict[str, tuple[Any, Any]]:
    return {row[1]: (row[2], row[3]) for row in rows(report, "totals")}


def _in_june(till: Any, folder: Path, rules: Mapping[str, Any]) -> Report:
    file = folder / "new.toml"
    file.write_text(section("loyalty", rules), encoding="utf-8")
    june = {"from": date(2026, 6, 1), "to": date(2026, 6, 15)}
    return simulating.run(till.crm, {"rules": file, **june})


def test_a_transfer_brings_no_more_than_the_giver_had(till_factory: Any, tmp_path: Path) -> None:
    till = till_factory(transfers={"allowed": True})
    _sold(till, "ann")
    asked = Transfer(till.ids["ann"], till.ids["bob"], "points", 80, "gift", "k")
    till.crm.write(
        lambda session: transfer(
            session, asked, actor="eve", now=NOON + timedelta(minutes=1), settings=till.settings
        )
    )

    report = _in_june(till, tmp_path, {"points_per_major_unit": "0.5"})

    assert _totals(report)["left"] == (100, 50)
    assert _totals(report)["by_hand"] == (0, 0)


def test_rules_that_were_set_count_on_the_side_of_today(till_factory: Any, tmp_path: Path) -> None:
    till = till_factory()
    rules = [{"name": "triple", "kind": "per_amount", "points": 3}]
    till.crm.write(
        lambda session: set_rules(
            session, rules, None, key="k", actor="eve", now=NOON - timedelta(minutes=1),
            settings=till.settings, interaction_kinds=(),
        )
    )  # fmt: skip
    _sold(till, "ann")

    report = _in_june(till, tmp_path, {"points_per_major_unit": 2})

    assert _totals(report)["issued"] == (300, 200)


def test_points_for_what_is_no_sale_are_kept_as_they_were(
    crm_factory: CrmFactory, tmp_path: Path
) -> None:
    welcome = {"name": "welcome", "kind": "sign_up", "points": 10}
    base = {"name": "base", "kind": "per_amount", "points": 1}
    crm = crm_factory("loyalty", plugin={"loyalty": {"rules": [welcome, base]}})
    crm.upsert_customers([CustomerInput("till", "ann")])
    crm.record_transactions([sale("1", customer="ann", occurred_at=NOON)])
    file = tmp_path / "new.toml"
    file.write_text(section("loyalty", {"points_per_major_unit": 2}), encoding="utf-8")

    june = {"from": date(2026, 6, 1), "to": date(2026, 6, 15)}
    report = simulating.run(crm, {"rules": file, **june})

    assert _totals(report)["issued"] == (20, 30)


def test_points_that_pay_for_the_receipt_of_another_do_so_in_their_turn(
    shops: Shops, tmp_path: Path
) -> None:
    later = START + timedelta(hours=2)
    bought = sale("r", customer="bob", occurred_at=later)
    redeemed = Redeemed(1, "ann", 8, "r", is_held=False)
    history = [
        Happened(START, sale("first", customer="ann", occurred_at=START)),
        Happened(later, bought),
        Happened(START + timedelta(hours=1), by_hand=redeemed),
    ]
    shop = shops.open(RULES["plain"])
    with shop.crm:
        for happened in history:
            assert shop.record(happened)

        check(shop, shops, tmp_path, "plain", "short", history, 1)


def test_a_reward_is_had_again_only_if_its_points_are_there(
    till_factory: Any, tmp_path: Path
) -> None:
    mug = {"name": "mug", "title": "A mug", "kind": "goods", "points": 100, "sku": "MUG-1"}
    till = till_factory(rewards=[mug])
    _sold(till, "ann")
    caller = Caller("eve", NOON + timedelta(minutes=1), "k")
    till.crm.write(
        lambda session: redeem_reward(
            session, till.ids["ann"], "mug", caller, till.settings, till.crm.registry.services
        )
    )

    report = _in_june(till, tmp_path, {"points_per_major_unit": "0.5"})

    assert _totals(report)["redeemed"] == (100, 0)
    assert _totals(report)["left"] == (0, 50)


def test_merges_are_left_out(till_factory: Any, tmp_path: Path) -> None:
    till = till_factory()
    _sold(till, "ann")
    asked = Merge(till.ids["ann"], till.ids["bob"], "the same person", "k")
    at = NOON + timedelta(minutes=1)
    till.crm.write(
        lambda session: merge(session, asked, actor="eve", now=at, settings=till.settings)
    )

    report = _in_june(till, tmp_path, {"points_per_major_unit": 2})

    assert _totals(report)["left"] == (100, 200)
