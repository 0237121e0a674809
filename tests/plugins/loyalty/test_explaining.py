"""Every entry can be computed again from its explanation."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any, TypeAlias

import pytest

from crmkit_loyalty.errors import InsufficientPoints
from crmkit_loyalty.redeeming_errors import RedemptionEnded
from points_checker import delta_from, value_from

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

RULES = [
    {"name": "base", "kind": "per_amount", "points": 1},
    {"name": "pairs", "kind": "per_quantity", "points": 5, "every": 2, "skus": ["tea"]},
    {"name": "gift", "kind": "bonus", "points": 7, "amount_min": 20, "customer_month_max": 50},
    {"name": "happy", "kind": "multiplier", "factor": "1.5", "weekdays": ["monday", "friday"]},
]
ENTRIES = 1_000


def play(till: Till, random: Random) -> None:
    """Let random things happen until there are entries enough."""
    names = [f"c{number}" for number in range(20)]
    till.enrol(*names)
    sales: list[tuple[str, list[int]]] = []
    held: list[Any] = []
    steps: list[Any] = [
        _sell,
        _sell,
        _bring_back,
        _bring_back,
        _loose,
        _adjust,
        _redeem,
        _hold,
        _end,
        _wait,
    ]
    while sum(len(till.entries(name)) for name in names) < ENTRIES:
        for _ in range(100):
            random.choice(steps)(till, random, random.choice(names), sales, held)


def _sell(till: Till, random: Random, who: str, sales: Any, _held: Any) -> None:
    pieces = [random.randrange(1, 4), random.randrange(1, 4)]
    prices = [f"{random.randrange(100, 3000) / 100:.2f}" for _ in pieces]
    items = [(sku, str(n), p) for sku, n, p in zip(("tea", "cup"), pieces, prices, strict=True)]
    receipt = till.sell(who, *items, occurred_at=till.crm.clock.now())
    sales.append((receipt, pieces, prices))
    if random.random() < 0.5 and till.available(who) > 10:
        till.redeem(who, random.randrange(1, till.available(who)), receipt)


def _bring_back(till: Till, random: Random, _who: str, sales: Any, _held: Any) -> None:
    if not sales:
        return
    receipt, pieces, prices = sales.pop(random.randrange(len(sales)))
    line = random.randrange(2)
    goods = ("tea", "cup")[line], f"-{random.randrange(1, pieces[line] + 1)}", prices[line]
    now = till.crm.clock.now()
    back = till.take_back(None, receipt, goods, occurred_at=now)
    if random.random() < 0.3:
        till.void(back, occurred_at=now)


def _loose(till: Till, random: Random, who: str, *_: Any) -> None:
    goods = ("cup", "-1", f"{random.randrange(100, 5000) / 100:.2f}")
    till.take_back(who, None, goods, occurred_at=till.crm.clock.now())


def _adjust(till: Till, random: Random, who: str, *_: Any) -> None:
    with suppress(InsufficientPoints):
        till.adjust(who, random.choice([-30, -10, 20, 50]))


def _redeem(till: Till, random: Random, who: str, *_: Any) -> None:
    if till.available(who) > 1:
        till.redeem(who, random.randrange(1, till.available(who)))


def _hold(till: Till, random: Random, who: str, _sales: Any, held: Any) -> None:
    if till.available(who) > 1:
        held.append(till.redeem(who, random.randrange(1, till.available(who)), holds=True))


def _end(till: Till, random: Random, _who: str, _sales: Any, held: Any) -> None:
    if held:
        with suppress(RedemptionEnded):  # its time was over
            random.choice([till.release, till.redeem_held])(held.pop())


def _wait(till: Till, random: Random, *_: Any) -> None:
    till.crm.clock.advance(timedelta(days=random.randrange(1, 30)))
    till.crm.run_job("loyalty.expiry")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("rules", [[], RULES], ids=["without rules", "by rules"])
def test_1000_random_entries_follow_from_their_explanations(
    till_factory: TillFactory, rules: list[dict[str, Any]]
) -> None:
    terms = {"value": "0.0125", "hold_minutes": 43_200}
    till = till_factory(lifetime_days=90, redemption=terms, rules=rules)
    play(till, Random(len(rules)))

    checked: Counter[tuple[str, str]] = Counter()
    for who in till.ids:
        before = 0
        for entry in till.entries(who):
            told = entry.explanation
            found = delta_from(entry.kind, entry.rule, told, before)
            assert found == entry.points_delta, (entry.kind, entry.rule, told)
            if entry.kind == "redemption":
                assert told["value_minor"] == value_from(told)
            checked[entry.kind, entry.rule] += 1
            before = entry.balance_after
    assert checked.total() >= ENTRIES
    kinds = {kind for kind, _ in checked}
    assert kinds == {
        "accrual", "adjustment", "expiry", "hold", "redemption", "release", "reversal",
    }  # fmt: skip
    assert {"give_back", "proportional", "undo"} <= {rule for _, rule in checked}
