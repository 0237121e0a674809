"""Earning rules without a shop: examples that a shopkeeper can check, and what always holds."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit import RecordedLine
from crmkit_loyalty.earning import Earned, earn
from crmkit_loyalty.earning_matching import Circumstances
from crmkit_loyalty.settings import LoyaltySettings
from earning_checker import points_from

SATURDAY = date(2026, 6, 6)
TEA = {"sku": "tea", "category": "drinks", "brand": "Leaf", "quantity": 2, "amount": "60.00"}
CUP = {"sku": "cup", "category": "china", "brand": "Kiln", "quantity": 1, "amount": "39.99"}
SALE = [TEA, CUP]


def line(position: int, each: dict[str, Any]) -> RecordedLine:
    minor = int(Decimal(each["amount"]) * 100)
    return RecordedLine(
        position, each.get("kind", "product"), each["sku"], None, each.get("category"),
        each.get("brand"), int(Decimal(each["quantity"]) * 1000), 0, each.get("discount", 0),
        each.get("tax", 0), minor, each.get("original_position"),
    )  # fmt: skip


def given_by(
    rules: list[dict[str, Any]], sale: list[dict[str, Any]], **around: Any
) -> list[Earned]:
    values = {"business_on": SATURDAY, "currency": "CNY", "store": "north", **around}
    lines = [line(position, each) for position, each in enumerate(sale, 1)]
    return earn(
        LoyaltySettings.model_validate({"rules": rules}).rule_set.rules,
        lines,
        Circumstances(**values),
    )


def points(rules: list[dict[str, Any]], *sale: dict[str, Any], **around: Any) -> list[Any]:
    return [
        (each.rule.name, each.line, each.points)
        for each in given_by(rules, list(sale) or SALE, **around)
    ]


def rule(kind: str, points: object = 1, name: str = "r", **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "points": points, **more}


def multiplier(factor: object, name: str = "m", **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": "multiplier", "factor": factor, **more}


EXAMPLES = [
    # Two teas for 60.00 and a cup for 39.99: 99.99 in all.
    pytest.param([rule("per_amount")], [("r", 0, 99)], id="a point for each yuan"),
    pytest.param([rule("per_amount", "0.5")], [("r", 0, 49)], id="half a point for each yuan"),
    pytest.param([rule("per_amount", 5, every=10)], [("r", 0, 45)], id="5 for each full 10 yuan"),
    pytest.param([rule("per_visit", 7)], [("r", 0, 7)], id="7 for coming"),
    pytest.param([rule("per_line", 3)], [("r", 1, 3), ("r", 2, 3)], id="3 for each line"),
    pytest.param([rule("per_quantity", 4)], [("r", 0, 12)], id="4 for each of 3 pieces"),
    pytest.param([rule("per_quantity", 4, skus=["tea"])], [("r", 0, 8)], id="4 for each tea"),
    pytest.param([rule("per_quantity", 9, every=2)], [("r", 0, 9)], id="9 for each full pair"),
    pytest.param([rule("per_amount", categories=["drinks"])], [("r", 0, 60)], id="drinks only"),
    pytest.param([rule("per_amount", brands=["Kiln"])], [("r", 0, 39)], id="one brand only"),
    pytest.param([rule("per_amount", except_skus=["tea"])], [("r", 0, 39)], id="all but tea"),
    pytest.param(
        [rule("per_amount", except_categories=["china"])], [("r", 0, 60)], id="all but china"
    ),
    pytest.param([rule("bonus", 50, amount_min="99.99")], [("r", 0, 50)], id="50 from 99.99"),
    pytest.param([rule("bonus", 50, amount_min="100")], [], id="50 from 100.00, not reached"),
    pytest.param([rule("per_amount", sale_max=40)], [("r", 0, 40)], id="at most 40 for a sale"),
    pytest.param(
        [rule("per_line", 3, sale_max=5)], [("r", 1, 3), ("r", 2, 2)], id="at most 5, over lines"
    ),
    pytest.param(
        [rule("per_amount"), rule("bonus", 50, "gift"), multiplier(2)],
        [("r", 0, 199), ("gift", 0, 50)],  # 99.99 x 2 = 199.98; nothing multiplies a bonus
        id="double points",
    ),
    pytest.param(
        [rule("per_amount"), rule("per_visit", 7, "v"), multiplier(3, of=["v"])],
        [("r", 0, 99), ("v", 0, 21)],
        id="a multiplier of one rule",
    ),
    pytest.param([rule("per_amount"), multiplier(0)], [], id="no points today"),
    pytest.param([rule("per_amount", rounding="half_up")], [("r", 0, 100)], id="to the nearest"),
    pytest.param(
        [rule("per_amount", "0.001", rounding="ceiling")], [("r", 0, 1)], id="rounded up"
    ),
    pytest.param([rule("per_amount", weekdays=["saturday"])], [("r", 0, 99)], id="Saturdays"),
    pytest.param([rule("per_amount", weekdays=["sunday"])], [], id="Sundays"),
    pytest.param([rule("per_amount", stores=["north"])], [("r", 0, 99)], id="this store"),
    pytest.param([rule("per_amount", stores=["south"])], [], id="another store"),
    pytest.param([rule("per_amount", currency="EUR")], [], id="another currency"),
    pytest.param(
        [rule("per_amount", from_on="2026-06-06", until_on="2026-06-06")],
        [("r", 0, 99)],
        id="both days of a window count",
    ),
    pytest.param([rule("per_amount", until_on="2026-06-05")], [], id="over since yesterday"),
    pytest.param([rule("per_amount", from_on="2026-06-07")], [], id="from tomorrow"),
    pytest.param(
        [rule("bonus", 5, "low", group="g", weekdays=["saturday"]),
         rule("bonus", 50, "high", group="g", priority=1, amount_min=50)],
        [("high", 0, 50)],
        id="the first of a group that fits",
    ),
    pytest.param(
        [rule("bonus", 5, "low", group="g"),
         rule("bonus", 50, "high", group="g", priority=1, amount_min=500)],
        [("low", 0, 5)],
        id="the next of a group if the first does not fit",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "expected"), EXAMPLES)
def test_a_shopkeeper_gets_what_the_rule_says(
    rules: list[dict[str, Any]], expected: list[Any]
) -> None:
    assert points(rules) == expected


def test_what_does_not_count_is_left_out() -> None:
    post = {"sku": "post", "kind": "shipping", "quantity": 1, "amount": "5.00"}
    cheap = {**TEA, "discount": 100, "tax": 1000}
    back = {**CUP, "quantity": -1, "amount": "-39.99", "original_position": 1}

    assert points([rule("per_amount")], TEA, post, back) == [("r", 0, 60)]
    kinds: dict[str, Any] = {"line_kinds": ["product", "shipping"]}
    assert points([rule("per_amount", **kinds)], TEA, post) == [("r", 0, 65)]
    assert points([rule("per_amount", without_discounted=True)], cheap, CUP) == [("r", 0, 39)]
    assert points([rule("per_amount", without_tax=True)], cheap) == [("r", 0, 50)]
    assert points([rule("per_visit", 7)], post) == []


def test_a_discount_line_makes_the_amount_smaller_if_it_counts() -> None:
    off = {"sku": "ten off", "kind": "discount", "quantity": 1, "amount": "-10.00"}
    kinds: dict[str, Any] = {"line_kinds": ["product", "discount"]}

    assert points([rule("per_amount", **kinds)], TEA, off) == [("r", 0, 50)]
    assert given_by([rule("per_amount", **kinds)], [TEA, off])[0].basis["lines"] == {"1": 6000}


def test_a_tier_filter_asks_who_knows_tiers_and_else_lets_everybody_in() -> None:
    gold = [rule("bonus", 50, tiers={"club": ["gold", "platinum"]})]

    assert points(gold, tiers={"club": "gold"}) == [("r", 0, 50)]
    assert points(gold, tiers={"club": "member"}) == []
    assert points(gold, tiers={}) == []
    assert points(gold, tiers=None) == [("r", 0, 50)]


def test_tiers_multiply_before_rounding_and_leave_bonuses_alone() -> None:
    rules = [rule("per_amount"), rule("bonus", 5, "gift"), multiplier("1.1")]

    found = given_by(rules, SALE, multiplied=[("club", "gold", Decimal("1.25"))])

    # 99.99 x 1.1 x 1.25 = 137.48625
    assert [(each.rule.name, each.points) for each in found] == [("r", 137), ("gift", 5)]
    assert found[0].basis["formula"] == "floor(units x points x factors x tiers)"


def test_the_basis_says_all_that_the_points_came_from() -> None:
    (found,) = given_by([rule("per_amount", 5, every=10, sale_max=30)], SALE)

    assert found.basis == {
        "version": 2,
        "rule": "r",
        "kind": "per_amount",
        "formula": "min(floor(floor(units / every) x points), sale_left)",
        "business_on": "2026-06-06",
        "unit": "CNY",
        "units": "99.99",
        "every": "10",
        "points": "5",
        "rounding": "floor",
        "sale_left": 30,
        "lines": {"1": 6000, "2": 3999},
    }


amounts = st.integers(0, 10**7).map(lambda minor: f"{minor / 100:.2f}")
sales = st.lists(
    st.fixed_dictionaries({
        "sku": st.sampled_from(["tea", "cup", "pot"]),
        "category": st.sampled_from(["drinks", "china", None]),
        "quantity": st.integers(1, 5000).map(lambda milli: f"{milli / 1000}"),
        "amount": amounts,
        "discount": st.sampled_from([0, 5]),
    }),
    min_size=1,
    max_size=5,
)  # fmt: skip
numbers = st.decimals("0.001", "50", places=3).map(str)
giving = st.builds(
    lambda kind, points, rounding, sale_max, only, every: rule(
        kind, points, rounding=rounding, sale_max=sale_max,
        **({"skus": only} if only else {}),
        **({"every": every} if every and kind in ("per_amount", "per_quantity") else {}),
    ),
    st.sampled_from(["per_amount", "per_visit", "per_line", "per_quantity", "bonus"]),
    numbers,
    st.sampled_from(["floor", "half_up", "ceiling"]),
    st.none() | st.integers(1, 500),
    st.none() | st.sets(st.sampled_from(["tea", "cup", "pot"]), min_size=1).map(sorted),
    st.none() | numbers,
)  # fmt: skip
rule_lists = st.tuples(
    st.lists(giving, min_size=1, max_size=4), st.lists(numbers.map(multiplier), max_size=2)
).map(
    lambda parts: [
        {**each, "name": f"{each['name']}{place}"}
        for place, each in enumerate([*parts[0], *parts[1]])
    ]
)


@given(rule_lists, sales)
def test_the_basis_alone_gives_the_points_again(
    rules: list[dict[str, Any]], sale: list[dict[str, Any]]
) -> None:
    multiplied = [("club", "gold", Decimal("1.25"))]

    for earned in given_by(rules, sale, multiplied=multiplied):
        assert points_from(earned.basis) == earned.points > 0
        assert all(weight > 0 for weight in earned.basis["lines"].values())
        assert earned.basis["lines"]


@given(rule_lists, sales)
def test_no_rule_gives_twice_for_a_line_or_more_than_its_most(
    rules: list[dict[str, Any]], sale: list[dict[str, Any]]
) -> None:
    found = given_by(rules, sale)

    assert len({(each.rule.name, each.line) for each in found}) == len(found)
    for each in rules:
        total = sum(earned.points for earned in found if earned.rule.name == each["name"])
        assert total <= (each.get("sale_max") or total)


@given(sales, amounts)
def test_who_spends_more_never_gets_less(sale: list[dict[str, Any]], amount: str) -> None:
    rules = [rule("per_amount", "0.7"), rule("per_amount", 3, "steps", every=20)]
    more = [*sale, {"sku": "pot", "quantity": 1, "amount": amount}]

    before, after = dict.fromkeys(["r", "steps"], 0), dict.fromkeys(["r", "steps"], 0)
    for sums, bought in ((before, sale), (after, more)):
        for earned in given_by(rules, bought):
            sums[earned.rule.name] += earned.points

    assert after["r"] >= before["r"]
    assert after["steps"] >= before["steps"]


@given(sales)
def test_one_point_for_each_yuan_is_what_the_setting_without_rules_gives(
    sale: list[dict[str, Any]],
) -> None:
    value = sum((Fraction(each["amount"]) for each in sale), Fraction())

    found = given_by([rule("per_amount")], sale)

    assert sum(each.points for each in found) == value // 1
