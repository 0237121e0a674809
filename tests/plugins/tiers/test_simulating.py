"""What a rehearsal of other tiers says, against shops in which these tiers were in force."""

import random
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from contents import all_rows
from crmkit import (
    Crm,
    CrmkitError,
    CustomerInput,
    CustomerRef,
    FixedClock,
    Report,
    Settings,
    table_of,
)
from crmkit.migrating import upgrade
from crmkit.models import CustomerExternalId
from crmkit.rehearsing import BadPeriod
from crmkit.testing import CrmFactory, sale
from crmkit_tiers import simulating
from crmkit_tiers.assigning import assign, read_assignment
from crmkit_tiers.models import TierMembership
from crmkit_tiers.settings import TiersSettings
from histories import NAMES, START, Happened, by_time, random_history
from retail_slice import retail_slice
from tier_sets import CLUB, club
from toml_text import section

ZONE = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
DAYS = 60
PERIOD = (date(2026, 1, 20), date(2026, 3, 8))
ENDS = (date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 8))
RULES: dict[str, dict[str, Any]] = {
    "lifetime": CLUB,
    "rolling, at once": club("rolling", 30, review="at_once", downgrade="fitting"),
    "rolling, grace": club("rolling", 20, review="fixed_date", review_on="02-15", grace_days=10),
    "never": club("calendar_year", on_return="never", upgrade="at_period_end"),
    "since the tier": club(
        "since_tier", review="fixed_date", review_on="03-02", downgrade="one_step"
    ),
}


@dataclass(frozen=True)
class Assigned:
    """A tier given by hand."""

    who: str
    tier: str
    until_on: date
    freezes: bool


class Shop:
    """A shop whose clock follows what happens."""

    def __init__(self, crm: Crm, clock: FixedClock, names: Sequence[str] = NAMES) -> None:
        self.crm = crm
        self._clock = clock
        results = crm.upsert_customers([CustomerInput("till", name) for name in names])
        self.ids = {name: result.id for name, result in zip(names, results, strict=True)}

    def record(self, happened: Happened) -> None:
        """Let one thing happen."""
        if happened.document is not None:
            self.crm.record_transactions([happened.document])
        if isinstance(happened.by_hand, Assigned):
            self._assign(happened.by_hand, happened.at)

    def _assign(self, asked: Assigned, at: datetime) -> None:
        options = self.crm.registry["tiers"].settings
        assert isinstance(options, TiersSettings)
        wanted = read_assignment(
            options, "club", asked.tier, asked.until_on, "asked", f"k{at}", freezes=asked.freezes
        )
        self.crm.write(
            lambda session: assign(
                session, self.ids[asked.who], wanted, actor="eve", now=at,  # type: ignore[arg-type]
                today=at.astimezone(ZONE).date(), settings=options,
                metrics=self.crm.registry.metrics,
            )
        )  # fmt: skip

    def review_at(self, at: datetime) -> None:
        """Run the job as if it were some time."""
        self._clock.advance(at - self._clock.now())
        self.crm.run_job("tiers.review")

    def tiers(self) -> dict[str, str]:
        """Return who holds what, by the customer's name."""
        held, known = table_of(TierMembership), table_of(CustomerExternalId)
        statement = select(known.c.external_id, held.c.tier).join(
            held, held.c.customer_id == known.c.customer_id
        )
        with self.crm.read() as session:
            return dict(session.execute(statement).all())


class Shops:
    """Opens shops with certain tiers, on files of their own."""

    def __init__(self, empty: Path, folder: Path) -> None:
        self._empty = empty
        self._folder = folder
        self._number = 0
        self.names: Sequence[str] = NAMES

    def open(self, rules: Mapping[str, Any]) -> Shop:
        self._number += 1
        path = self._folder / f"{self._number}.sqlite3"
        shutil.copyfile(self._empty, path)
        clock = FixedClock(START + DAYS * DAY)
        return Shop(
            Crm(_settings(self._folder, f"sqlite:///{path}", rules), clock=clock), clock, self.names
        )

    def in_force(
        self, rules: Mapping[str, Any], history: Sequence[Happened]
    ) -> tuple[dict[date, Counter[str]], dict[str, str]]:
        """Let a history happen under some rules, with a review each morning.

        Returns:
            How many hold each tier at the ends of months, and who holds what at the end.
        """
        shop = self.open(rules)
        sizes: dict[date, Counter[str]] = {}
        with shop.crm:
            morning = START.astimezone(ZONE).date()
            for at, happened in by_time(history):
                morning = self._mornings(shop, morning, at.astimezone(ZONE).date(), sizes)
                if at.astimezone(ZONE).date() <= PERIOD[1]:
                    shop.record(happened)
            self._mornings(shop, morning, PERIOD[1] + DAY, sizes)
            return sizes, shop.tiers()

    def _mornings(
        self, shop: Shop, morning: date, day: date, sizes: dict[date, Counter[str]]
    ) -> date:
        while morning <= min(day, PERIOD[1]):
            if morning - DAY in ENDS:
                sizes[morning - DAY] = Counter(shop.tiers().values())
            shop.review_at(datetime.combine(morning, time(), ZONE))
            morning += DAY
        if day > PERIOD[1]:
            sizes.setdefault(PERIOD[1], Counter(shop.tiers().values()))
        return morning


def _settings(folder: Path, url: str, rules: Mapping[str, Any]) -> Settings:
    return Settings.load(
        folder, database_url=url, plugins=("tiers",), timezone=str(ZONE),
        plugin={"tiers": {"sets": {"club": rules}}},
    )  # fmt: skip


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file with all tables and nothing in them."""
    folder = tmp_path_factory.mktemp("empty")
    path = folder / "empty.sqlite3"
    with Crm(_settings(folder, f"sqlite:///{path}", CLUB)) as crm:
        upgrade(crm.database, crm.registry)
    return path


@pytest.fixture
def shops(empty: Path, tmp_path: Path) -> Shops:
    return Shops(empty, tmp_path)


def simulate(crm: Crm, folder: Path, rules: Mapping[str, Any]) -> Report:
    """Ask what other rules would have made of a shop."""
    file = folder / "new.toml"
    file.write_text(section("tiers", {"sets": {"club": rules}}), encoding="utf-8")
    return simulating.run(crm, {"rules": file, "from": PERIOD[0], "to": PERIOD[1]})


def rows(report: Report, name: str) -> list[tuple[Any, ...]]:
    (found,) = (each for each in report.findings if each.name == name)
    return [tuple(row) for row in found.rows]


def with_assignments(rng: random.Random, history: list[Happened]) -> list[Happened]:
    """Add tiers given by hand, in the order of their time, as only the clock says when."""
    made = list(history)
    for minute in sorted(rng.sample(range(DAYS * 24 * 60), 4)):
        at = START + timedelta(minutes=minute, seconds=30)
        until_on = at.date() + rng.randint(1, 40) * DAY
        tier = rng.choice(("member", "silver", "gold"))
        made.append(
            Happened(at, by_hand=Assigned(rng.choice(NAMES), tier, until_on, rng.random() < 0.3))
        )
    return made


def check(
    shop: Shop, shops: Shops, folder: Path, today: str, new: str, history: list[Happened]
) -> None:
    """Compare what a rehearsal says with shops in which either rules were in force."""
    report = simulate(shop.crm, folder, RULES[new])

    sizes_before, before = shops.in_force(RULES[today], history)
    sizes_after, after = shops.in_force(RULES[new], history)
    names = {id_: name for name, id_ in shop.ids.items()}
    assert rows(report, "sizes") == [
        (end, "club", tier, sizes_before[end][tier], sizes_after[end][tier])
        for end in ENDS
        for tier in ("member", "silver", "gold")
    ]
    moved = Counter((before[name], after[name]) for name in before)
    assert {row[1:3]: row[3] for row in rows(report, "moves")} == moved
    assert {(names[row[1]], *row[2:]) for row in rows(report, "customers")} == {
        (name, before[name], after[name]) for name in before if before[name] != after[name]
    }


@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, 10**6),
    today=st.sampled_from(sorted(RULES)),
    new=st.sampled_from(sorted(RULES)),
)
def test_a_rehearsal_says_exactly_what_the_rules_make_of_the_same_history(
    seed: int, today: str, new: str, shops: Shops, tmp_path: Path
) -> None:
    rng = random.Random(seed)
    history = random_history(rng, DAYS, 30)
    history = with_assignments(rng, history)
    shop = shops.open(RULES[today])
    with shop.crm:
        for happened in history:
            shop.record(happened)

        check(shop, shops, tmp_path, today, new, history)


@pytest.mark.parametrize("seed", [1])
def test_it_does_so_on_either_database(
    seed: int, crm_factory: CrmFactory, clock: FixedClock, shops: Shops, tmp_path: Path
) -> None:
    rng = random.Random(seed)
    today, new = rng.sample(sorted(RULES), 2)
    crm = crm_factory(
        "tiers", timezone=str(ZONE), plugin={"tiers": {"sets": {"club": RULES[today]}}}
    )
    shop = Shop(crm, clock)
    history = with_assignments(rng, random_history(rng, DAYS, 50))
    for happened in history:
        shop.record(happened)

    check(shop, shops, tmp_path, today, new, history)


def test_nothing_is_written_and_the_same_answer_comes_twice(
    crm_factory: CrmFactory, clock: FixedClock, tmp_path: Path
) -> None:
    crm = crm_factory("tiers", timezone=str(ZONE), plugin={"tiers": {"sets": {"club": CLUB}}})
    shop = Shop(crm, clock)
    for happened in random_history(random.Random(5), DAYS, 40):
        shop.record(happened)
    before = all_rows(crm)

    first, second = (simulate(crm, tmp_path, RULES["rolling, grace"]) for _ in range(2))

    assert all_rows(crm) == before
    assert first == second


def test_a_tier_given_by_hand_that_the_new_rules_do_not_have_is_told(
    shops: Shops, tmp_path: Path
) -> None:
    shop = shops.open(CLUB)
    smaller = {**CLUB, "tiers": CLUB["tiers"][:2]}
    with shop.crm:
        shop.record(Happened(START, by_hand=Assigned("ann", "gold", date(2026, 9, 1), False)))

        report = simulate(shop.crm, tmp_path, smaller)

    assert rows(report, "left_out") == [(shop.ids["ann"], "club", "gold", date(2026, 1, 10))]
    assert rows(report, "moves") == [("club", "gold", None, 1)]


def test_a_tier_set_that_only_one_side_has_stands_beside_nothing(
    shops: Shops, tmp_path: Path
) -> None:
    shop = shops.open(CLUB)
    with shop.crm:
        shop.record(Happened(START, sale("1", customer="ann", occurred_at=START)))
        file = tmp_path / "new.toml"
        file.write_text(section("tiers", {"sets": {"new": CLUB}}))

        report = simulating.run(shop.crm, {"rules": file, "from": PERIOD[0], "to": PERIOD[1]})

    assert rows(report, "moves") == [("club", "member", None, 1), ("new", None, "member", 1)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[plugin.tiers]\nset = 1", "setting plugin.tiers.set: Extra inputs are not permitted"),
        ("[plugin.loyalty]\n", r"no section \[plugin.tiers\]"),
        ("[plugin.tiers", "is not TOML"),
        (
            "[plugin.tiers.sets.club]\ncurrency = 'CNY'\n[[plugin.tiers.sets.club.tiers]]\n"
            "name = 'a'\n[[plugin.tiers.sets.club.tiers]]\nname = 'b'\n"
            "entry = {metric = 'core.net_spent', at_least = 1}",
            "there is no metric 'core.net_spent', but 'core.net_spend'",
        ),
    ],
)
def test_wrong_rules_are_refused_as_those_of_the_settings_are(
    text: str, told: str, shops: Shops, tmp_path: Path
) -> None:
    file = tmp_path / "new.toml"
    file.write_text(text)
    with shops.open(CLUB).crm as crm, pytest.raises(CrmkitError, match=told):
        simulating.run(crm, {"rules": file, "from": PERIOD[0], "to": PERIOD[1]})


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        (date(2026, 2, 1), date(2026, 1, 31), "the last day lies before the first"),
        (date(2026, 2, 1), date(2026, 3, 12), "the last day lies in the future"),
        (date(2016, 2, 1), date(2026, 2, 1), "take at most 120 months"),
    ],
)
def test_days_that_nobody_can_tell_of_are_refused(
    first: date, last: date, told: str, shops: Shops, tmp_path: Path
) -> None:
    file = tmp_path / "new.toml"
    file.write_text(section("tiers", {"sets": {"club": CLUB}}))
    with shops.open(CLUB).crm as crm, pytest.raises(BadPeriod, match=told):
        simulating.run(crm, {"rules": file, "from": first, "to": last})


def test_it_does_so_for_customers_of_online_retail(
    online_retail: Path, shops: Shops, tmp_path: Path
) -> None:
    history = retail_slice(online_retail, DAYS, every=25)
    refs = [each.document.customer for each in history if each.document]
    shops.names = sorted({str(ref.external_id) for ref in refs if isinstance(ref, CustomerRef)})
    shop = shops.open(RULES["lifetime"])
    with shop.crm:
        for happened in history:
            shop.record(happened)

        check(shop, shops, tmp_path, "lifetime", "rolling, grace", history)

    assert len(history) > 100
