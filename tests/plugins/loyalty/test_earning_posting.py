"""What earning rules make of sales: an entry for each, which says where its points came from."""

import random
from typing import Any, TypeAlias

import pytest
from sqlalchemy import event
from sqlmodel import select

from crmkit import LineInput
from crmkit_loyalty.earning_models import EarningRuleSet
from crmkit_loyalty.settings import LoyaltySettings
from earning_checker import points_from

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

TEA = ("tea", "2", "30.00")
CUP = ("cup", "1", "39.99")  # with two teas: 99.99
BASE: dict[str, Any] = {"name": "base", "kind": "per_amount", "points": 1}
TEAS: dict[str, Any] = {"name": "teas", "kind": "per_quantity", "points": 10, "skus": ["tea"]}
LINES: dict[str, Any] = {"name": "lines", "kind": "per_line", "points": 3}
VISIT: dict[str, Any] = {"name": "visit", "kind": "per_visit", "points": 5}
ALL = [BASE, TEAS, LINES, VISIT]


def given(till: Till, who: str) -> list[tuple[str, int, int]]:
    return [(entry.rule, entry.line, entry.points_delta) for entry in till.entries(who)]


def rules_kept(till: Till) -> dict[str, Any]:
    with till.crm.read() as session:
        return {each.version: each.rules for each in session.exec(select(EarningRuleSet)).all()}


def test_each_rule_that_gives_points_has_an_entry_of_its_own(till_factory: TillFactory) -> None:
    till = till_factory(rules=ALL)

    till.sell("ann", TEA, CUP)

    assert given(till, "ann") == [
        ("base", 0, 99), ("teas", 0, 20), ("lines", 1, 3), ("lines", 2, 3), ("visit", 0, 5),
    ]  # fmt: skip
    assert till.account("ann") == (130, 0)
    assert till.differences() == []


def test_an_entry_names_its_rule_its_inputs_and_the_version_of_the_rules(
    till_factory: TillFactory,
) -> None:
    till = till_factory(rules=[BASE])

    till.sell("ann", TEA, CUP)

    (entry,) = till.entries("ann")
    version = LoyaltySettings.model_validate({"rules": [BASE]}).rule_set.version
    assert entry.explanation == {
        "version": 2, "rule": "base", "kind": "per_amount", "formula": "floor(units x points)",
        "business_on": "2026-06-15", "unit": "CNY", "units": "99.99", "points": "1",
        "rounding": "floor", "lines": {"1": 6000, "2": 3999}, "rules_version": version,
    }  # fmt: skip
    assert rules_kept(till) == {version: [{"name": "base", "kind": "per_amount", "points": "1"}]}


def test_a_sale_that_earns_nothing_keeps_no_rules(till_factory: TillFactory) -> None:
    till = till_factory(rules=[{**BASE, "stores": ["north"]}])

    till.sell("ann", TEA)

    assert given(till, "ann") == []
    assert rules_kept(till) == {}


def test_a_late_sale_earns_by_the_rules_of_its_own_day(till_factory: TillFactory) -> None:
    till = till_factory(
        rules=[
            {**BASE, "name": "old", "points": 2, "until_on": "2026-03-31"},
            {**BASE, "name": "new", "from_on": "2026-04-01"},
        ]
    )

    till.sell("ann", TEA, occurred_at="2026-04-01T12:00:00Z")
    till.sell("ann", TEA, occurred_at="2026-03-31T12:00:00Z")

    assert given(till, "ann") == [("new", 0, 60), ("old", 0, 120)]


def test_a_sale_sent_twice_earns_once(till_factory: TillFactory) -> None:
    till = till_factory(rules=ALL)
    document = till.document("sale", "ann", [TEA, CUP])

    till.record(document)
    till.record(document, document)

    assert till.balance("ann") == 130


def test_a_sale_attached_later_earns_by_the_rules(till_factory: TillFactory) -> None:
    till = till_factory(rules=ALL)
    sale = till.sell(None, TEA, CUP)
    till.take_back(None, sale, ("tea", "-1", "30.00"))

    till.attach("ann", sale)

    # 99 x 3000/9999 = 29.7; one of two teas: 10; half of the first line's 3: 1; 5 x 0.3: 1
    assert [points for _, points in till.deltas("ann")] == [99, 20, 3, 3, 5, -29, -10, -1, -1]
    assert till.differences() == []


def test_goods_without_a_named_sale_take_what_goods_earn_and_no_visit(
    till_factory: TillFactory,
) -> None:
    till = till_factory(rules=ALL)
    till.sell("ann", TEA, CUP)

    returned = till.take_back("ann", None, ("tea", "-1", "30.00"))

    entry = till.entries("ann")[-1]
    assert (entry.kind, entry.points_delta) == ("adjustment", -43)  # 30 + 10 + 3
    assert entry.explanation["due"] == 43
    assert [points_from(each) for each in entry.explanation["rules"]] == [30, 10, 3]
    till.void(returned)
    assert till.balance("ann") == 130


def test_free_goods_earn_by_quantity(till_factory: TillFactory) -> None:
    till = till_factory(rules=[TEAS, BASE])
    sale = till.sell("ann", ("tea", "3", "0.00"))

    till.take_back(None, sale, ("tea", "-1", "0.00"))
    till.take_back(None, sale, ("tea", "-2", "0.00"))

    assert till.deltas("ann") == [("accrual", 30), ("reversal", -10), ("reversal", -20)]


def test_a_larger_batch_takes_no_more_statements(till_factory: TillFactory) -> None:
    till = till_factory(rules=ALL)
    till.sell("ann", TEA)

    def statements(size: int) -> int:
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
            if "loyalty_" in sql:
                seen.append(sql)

        sales = [till.document("sale", "ann", [TEA, CUP]) for _ in range(size)]
        returns = [
            till.document("return", None, [("tea", "-1", "30.00")], original=sale.external_id)
            for sale in sales
        ]
        event.listen(till.crm.database.writer, "before_cursor_execute", note)
        till.record(*sales, *returns)
        event.remove(till.crm.database.writer, "before_cursor_execute", note)
        return len(seen)

    assert 0 < statements(120) <= statements(60)


def test_a_thousand_entries_can_be_computed_again_from_what_they_say(
    till_factory: TillFactory,
) -> None:
    rules = [
        *ALL,
        {**BASE, "name": "steps", "every": "7.5", "points": "3.3", "rounding": "half_up"},
        {**BASE, "name": "china", "points": "0.37", "categories": ["china"], "sale_max": 40},
        {"name": "gift", "kind": "bonus", "points": 20, "amount_min": 50, "budget": 2000},
        {**TEAS, "name": "some", "customer_day_max": 90, "customer_month_max": 999},
        {"name": "summer", "kind": "multiplier", "factor": "1.15", "from_on": "2026-06-01"},
        {"name": "twice", "kind": "multiplier", "factor": 2, "of": ["teas", "lines"],
         "weekdays": ["monday", "wednesday"]},
    ]  # fmt: skip
    till = till_factory(rules=rules)
    chance = random.Random(20261128)
    documents = []
    for _ in range(300):
        day = f"{chance.randint(1, 28):02}"
        document = till.document(
            "sale", chance.choice(["ann", "bob"]), [],
            occurred_at=f"2026-{chance.choice(['05', '06'])}-{day}T12:00:00Z",
        )  # fmt: skip
        document.lines = [
            LineInput(
                chance.choice(["tea", "cup", "pot"]), f"{chance.randint(1, 9000) / 1000}",
                f"{chance.randint(1, 9000) / 100:.2f}", category=chance.choice(["china", "food"]),
            )
            for _ in range(chance.randint(1, 5))
        ]  # fmt: skip
        documents.append(document)
    till.record(*documents)

    entries = chance.sample([*till.entries("ann"), *till.entries("bob")], 1000)
    written = {each["name"]: each for rules_ in rules_kept(till).values() for each in rules_}

    assert {points_from(entry.explanation) - entry.points_delta for entry in entries} == {0}
    assert {entry.rule for entry in entries} == written.keys() - {"summer", "twice"}
    assert {entry.explanation["rules_version"] for entry in entries} == rules_kept(till).keys()
    for entry in entries:
        assert entry.explanation["points"] == written[entry.rule]["points"]
        for each in entry.explanation.get("factors", []):
            assert each["factor"] == written[each["rule"]]["factor"]
    assert till.differences() == []


@pytest.mark.parametrize("rule", ["base", "manual", "undo"])
def test_a_rule_may_have_any_name(till_factory: TillFactory, rule: str) -> None:
    till = till_factory(rules=[{**BASE, "name": rule}])
    sale = till.sell("ann", TEA)

    till.void(till.take_back(None, sale, ("tea", "-1", "30.00")))

    assert [points for _, points in till.deltas("ann")] == [60, -30, 30]
