"""Rules that give points for what is no sale: for signing up, and for interactions."""

from typing import Any, TypeAlias

import pytest
from sqlmodel import select

from crmkit import CustomerInput, InteractionInput, PluginError
from crmkit.inputs import CustomerRef
from crmkit.testing import NOON, CrmFactory
from crmkit_loyalty.earning_models import EarningRuleSet
from crmkit_loyalty.settings import LoyaltySettings
from earning_checker import points_from

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

WELCOME: dict[str, Any] = {"name": "welcome", "kind": "sign_up", "points": 100}
REVIEW: dict[str, Any] = {
    "name": "reviews", "kind": "interaction", "points": 20, "interaction_kinds": ["review"],
}  # fmt: skip
BIRTHDAY: dict[str, Any] = {"name": "birthday", "kind": "birthday", "points": 50}
BASE: dict[str, Any] = {"name": "base", "kind": "per_amount", "points": 1}
GIFT: dict[str, Any] = {"name": "gift", "kind": "bonus", "points": 5}
TWICE: dict[str, Any] = {"name": "twice", "kind": "multiplier", "factor": 2}


def contact(external_id: str, who: str | None = "ann", **more: Any) -> InteractionInput:
    values: dict[str, Any] = {"kind": "review", "occurred_at": NOON, **more}
    customer = CustomerRef(external_id=who) if who else None
    return InteractionInput("till", external_id, customer=customer, **values)


def given(till: Till, who: str) -> list[tuple[str, int]]:
    return [(entry.rule, entry.points_delta) for entry in till.entries(who)]


def test_a_new_customer_gets_points_once(till_factory: TillFactory) -> None:
    till = till_factory(rules=[WELCOME])  # which makes ann and bob known

    till.enrol("ann")
    till.crm.upsert_customers([CustomerInput("till", "ann", display_name="Ann")])

    assert given(till, "ann") == given(till, "bob") == [("welcome", 100)]
    (entry,) = till.entries("ann")
    assert (entry.source, entry.source_id, entry.occurred_at) == ("customer", till.ids["ann"], NOON)
    assert till.account("ann") == (100, 0)
    assert till.differences() == []


def test_a_customer_whom_a_sale_makes_known_signs_up_before_it(till_factory: TillFactory) -> None:
    till = till_factory(rules=[WELCOME, BASE])
    sale = till.document("sale", "eve", [("tea", "1", "30.00")])

    till.crm.record_transactions([sale], create_missing_customers=True)
    till.crm.record_transactions([sale], create_missing_customers=True)
    till.enrol("eve")

    assert given(till, "eve") == [("welcome", 100), ("base", 30)]
    assert till.differences() == []


def test_an_entry_says_what_it_was_given_for_and_by_which_rules(till_factory: TillFactory) -> None:
    till = till_factory(rules=[{**REVIEW, "customer_day_max": 30}])

    till.crm.record_interactions([contact("1"), contact("2")])

    first, second = till.entries("ann")
    version = LoyaltySettings.model_validate(
        {"rules": [{**REVIEW, "customer_day_max": 30}]}
    ).rule_set.version
    assert first.source == "interaction"
    assert second.explanation == {
        "version": 2, "rule": "reviews", "kind": "interaction",
        "formula": "min(points, left of each limit)", "business_on": "2026-06-15",
        "unit": "review", "units": "1", "points": "20", "rounding": "floor",
        "limits": [
            {"limit": "customer_day_max", "period": "2026-06-15", "max": 30, "left": 10}
        ],
        "rules_version": version,
    }  # fmt: skip
    assert points_from(first.explanation) == first.points_delta == 20
    assert points_from(second.explanation) == second.points_delta == 10
    with till.crm.read() as session:
        assert [each.version for each in session.exec(select(EarningRuleSet)).all()] == [version]
    assert till.differences() == []


def test_interactions_give_points_once_to_whom_they_were_with(till_factory: TillFactory) -> None:
    till = till_factory(rules=[REVIEW])

    till.crm.record_interactions([contact("1"), contact("1"), contact("2", "bob")])
    till.crm.record_interactions([contact("1"), contact("3", None), contact("4", kind="call")])

    assert given(till, "ann") == given(till, "bob") == [("reviews", 20)]


def test_a_rule_may_give_another_kind_of_points(till_factory: TillFactory) -> None:
    rule = {**REVIEW, "points": 1, "point_kind": "stamps"}
    till = till_factory(rules=[WELCOME, rule], point_kinds={"stamps": {}})

    till.crm.record_interactions([contact("1")])

    assert [(entry.point_kind, entry.points_delta) for entry in till.entries("ann")] == [
        ("points", 100), ("stamps", 1),
    ]  # fmt: skip
    assert till.differences() == []


def test_interactions_may_have_to_be_about_some_article(till_factory: TillFactory) -> None:
    till = till_factory(
        rules=[
            {**REVIEW, "skus": ["tea", "cup"]},
            {**REVIEW, "name": "all", "except_skus": ["pot"]},
        ]
    )

    till.crm.record_interactions([contact("1", sku="tea"), contact("2", sku="pot"), contact("3")])

    assert given(till, "ann") == [("reviews", 20), ("all", 20), ("all", 20)]


def test_an_interaction_counts_on_its_own_day_whenever_it_comes_in(
    till_factory: TillFactory,
) -> None:
    rule = {**REVIEW, "from_on": "2026-06-01", "until_on": "2026-06-10", "weekdays": ["monday"]}
    till = till_factory(timezone="Asia/Shanghai", rules=[rule])

    till.crm.record_interactions([
        contact("1", occurred_at="2026-05-31T16:00:00Z"),  # Monday has begun in Shanghai
        contact("2", occurred_at="2026-06-01T16:00:00Z"),
        contact("3", occurred_at="2026-06-15T04:00:00Z"),
    ])  # fmt: skip

    assert len(given(till, "ann")) == 1


def test_of_a_group_the_first_rule_that_fits_gives(till_factory: TillFactory) -> None:
    till = till_factory(
        rules=[
            {**REVIEW, "group": "g"},
            {**REVIEW, "name": "first", "points": 70, "group": "g", "priority": 1, "skus": ["tea"]},
            {**WELCOME, "group": "g"},  # of another kind, so not in its way
        ]
    )

    till.crm.record_interactions([contact("1", sku="tea"), contact("2")])

    assert given(till, "ann") == [("welcome", 100), ("first", 70), ("reviews", 20)]


def test_a_budget_ends_what_a_rule_gives(till_factory: TillFactory) -> None:
    till = till_factory(rules=[{**WELCOME, "budget": 150}])

    assert given(till, "ann") == [("welcome", 100)]
    assert given(till, "bob") == [("welcome", 50)]
    till.enrol("eve")
    assert given(till, "eve") == []
    assert till.differences() == []


def test_with_rules_for_other_things_alone_money_earns_as_without_rules(
    till_factory: TillFactory,
) -> None:
    till = till_factory(rules=[WELCOME], points_per_major_unit=2)

    till.sell("ann", ("tea", "1", "30.00"))

    assert given(till, "ann") == [("welcome", 100), ("per_amount", 60)]


def test_what_is_no_sale_prolongs_no_points(till_factory: TillFactory) -> None:
    till = till_factory(rules=[REVIEW, BASE], lifetime_months=3, lifetime_restarts=True)
    till.sell("ann", ("tea", "1", "30.00"))

    till.crm.record_interactions([contact("1", occurred_at="2026-07-15T04:00:00Z")])
    till.sell("ann", ("tea", "1", "0.50"), occurred_at="2026-06-16T04:00:00Z")

    assert [until.date().isoformat() for _, _, until in till.lots("ann")] == [
        "2026-09-15", "2026-10-15",
    ]  # fmt: skip
    till.rebuild()
    assert till.differences() == []


def test_points_of_an_interaction_pay_a_debt_first(till_factory: TillFactory) -> None:
    till = till_factory(rules=[REVIEW, BASE])
    sale = till.sell("ann", ("tea", "1", "30.00"))
    till.adjust("ann", -25)
    till.take_back(None, sale, ("tea", "-1", "30.00"))
    assert till.account("ann") == (0, 25)

    till.crm.record_interactions([contact("1"), contact("2")])

    assert till.account("ann") == (15, 0)
    assert till.differences() == []


def test_a_larger_batch_of_interactions_takes_no_more_statements(
    till_factory: TillFactory, statements_about: Any
) -> None:
    till = till_factory(rules=[{**REVIEW, "customer_year_max": 10**6}])

    def taken(first: int, count: int) -> int:
        contacts = [contact(f"{first + n}", ("ann", "bob")[n % 2]) for n in range(count)]
        with statements_about(till.crm, "loyalty_") as found:
            till.crm.record_interactions(contacts)
        return len(found)

    taken(0, 2)  # opens the accounts
    assert 0 < taken(100, 60) == taken(200, 120)


def test_without_such_rules_a_batch_asks_once_whether_some_were_set(
    till_factory: TillFactory, statements_about: Any
) -> None:
    till = till_factory(rules=[BASE, BIRTHDAY, {**REVIEW, "interaction_kinds": ["visit"]}])

    with statements_about(till.crm, "loyalty_") as found:
        till.crm.record_interactions([contact("1"), contact("2"), contact("3", None)])
        till.enrol("eve", "zoe")
        till.enrol("eve")
        till.crm.record_interactions([contact("4", None)])

    assert len(found) == 2


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ([{**WELCOME, "stores": ["north"]}], "rules.0.*'sign_up' has no stores"),
        ([{**BIRTHDAY, "amount_min": 5}], "rules.0.*'birthday' has no amount_min"),
        ([{**REVIEW, "rounding": "ceiling"}], "rules.0.*'interaction' has no rounding"),
        ([{**REVIEW, "sale_max": 5}], "rules.0.*'interaction' has no sale_max"),
        ([{**WELCOME, "skus": ["tea"]}], "rules.0.*'sign_up' has no skus"),
        ([{**WELCOME, "points": "1.5"}], "rules.0.*whole number"),
        ([{**WELCOME, "interaction_kinds": ["review"]}], "rules.0.*'sign_up' has no interaction"),
        ([{**BASE, "interaction_kinds": ["review"]}], "rules.0.*belong to interaction"),
        ([{**REVIEW, "interaction_kinds": []}], "rules.0.interaction_kinds"),
        ([{"name": "r", "kind": "interaction", "points": 1}], "rules.0.*needs interaction_kinds"),
        ([{**REVIEW, "points": None}], "rules.0.*needs points"),
        ([BASE, WELCOME, {**TWICE, "of": ["welcome"]}], r"rules.2 \(twice\).of"),
        ([WELCOME, TWICE], "multipliers only"),
        (
            [{**REVIEW, "group": "g"}, {**REVIEW, "name": "b", "group": "g", "skus": ["tea"]}],
            r"rules.1 \(b\).group: it can never match",
        ),
    ],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused(rules: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(ValueError, match=f"(?s){told}"):
        LoyaltySettings.model_validate({"rules": rules})


def test_an_interaction_kind_that_nobody_registers_stops_the_start(
    crm_factory: CrmFactory,
) -> None:
    rules = [BASE, {**REVIEW, "interaction_kinds": ["review", "revue"]}]
    told = r"rules.1 \(reviews\).interaction_kinds: nobody registers 'revue'; there are: call, "

    with pytest.raises(PluginError, match=told):
        crm_factory("loyalty", plugin={"loyalty": {"rules": rules}})


def test_rules_that_can_have_their_turn_are_taken() -> None:
    rules = [
        {**REVIEW, "group": "g", "skus": ["tea"]},
        {**REVIEW, "name": "calls", "group": "g", "interaction_kinds": ["call", "visit"]},
        {**WELCOME, "group": "g"},
        {**BIRTHDAY, "group": "g", "customer_year_max": 50, "tiers": {"club": ["gold"]}},
        {**GIFT, "group": "g"},
    ]

    settings = LoyaltySettings.model_validate({"rules": rules})

    assert [rule.name for rule in settings.rule_set.rules] == ["gift"]
    assert len(settings.rule_set.happenings) == 4
