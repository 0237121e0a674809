"""The rules, as a shopkeeper would check them on paper; thresholds are those of `CLUB`."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit_tiers.conditions import FigureKey
from crmkit_tiers.evaluation import evaluate
from crmkit_tiers.settings import TierSet
from crmkit_tiers.states import Cause, Moment, Source, State

SPEND = FigureKey("core.net_spend", "lifetime")
TODAY = date(2026, 6, 15)
END = date(2026, 12, 31)


def tier_set(**policies: Any) -> TierSet:
    def spend(amount: int) -> dict[str, Any]:
        return {"metric": "core.net_spend", "at_least": amount}

    tiers = [
        {"name": "member"},
        {"name": "silver", "entry": spend(500), "stay": spend(300)},
        {"name": "gold", "entry": spend(1000), "stay": spend(800)},
    ]
    yearly = {"review": "fixed_date", "review_on": "12-31"}
    return TierSet.model_validate({"currency": "CNY", "tiers": tiers, **yearly, **policies})


def held(tier: str, **more: Any) -> State:
    values = {"since_on": date(2026, 1, 1), "joined_on": date(2024, 3, 1), "valid_until_on": END}
    return State(tier, **{**values, **more})


def told(
    rules: TierSet, state: State | None, spent: int, moment: Moment
) -> tuple[str, str, date | None] | None:
    figures = {SPEND: Decimal(spent)}
    decision = evaluate(rules, state, figures, moment, date(2024, 3, 1))
    return decision and (decision.cause, decision.state.tier, decision.state.valid_until_on)


NOW = Moment(TODAY)
YEAR_END = Moment(END, ends_period=True, is_review=True)
NEXT_END = date(2027, 12, 31)


@pytest.mark.parametrize(
    ("state", "spent", "moment", "outcome"),
    [
        # Getting in: the limit itself is enough, a fen less is not.
        (None, 499, NOW, ("joined", "member", None)),
        (None, 500, NOW, ("joined", "silver", END)),
        (held("member"), 499, NOW, None),
        (held("member"), 500, NOW, ("upgrade", "silver", END)),
        (held("member"), 1000, NOW, ("upgrade", "gold", END)),
        (held("silver"), 999, NOW, None),
        # Between reviews nobody falls, however little is left.
        (held("gold"), 0, NOW, None),
        # At the year's end staying is cheaper than getting in.
        (held("gold"), 800, YEAR_END, ("kept", "gold", NEXT_END)),
        (held("gold"), 799, YEAR_END, ("downgrade", "silver", NEXT_END)),
        (held("gold"), 499, YEAR_END, ("downgrade", "member", None)),
        (held("silver"), 300, YEAR_END, ("kept", "silver", NEXT_END)),
        (held("silver"), 1000, YEAR_END, ("upgrade", "gold", NEXT_END)),
        # A tier that the settings know no more gives way to the one that fits.
        (held("bronze"), 0, NOW, ("upgrade", "member", None)),
    ],
)
def test_a_tier_follows_from_what_was_spent(
    state: State | None, spent: int, moment: Moment, outcome: Any
) -> None:
    assert told(tier_set(), state, spent, moment) == outcome


def test_what_changes_at_the_end_of_a_period_changes_the_day_after() -> None:
    decision = evaluate(tier_set(), held("gold"), {SPEND: Decimal(0)}, YEAR_END, TODAY)

    assert decision is not None
    assert decision.state.since_on == date(2027, 1, 1)


@pytest.mark.parametrize(
    ("downgrade", "spent", "tier"),
    [
        ("fitting", 0, "member"), ("one_step", 0, "silver"), ("none", 0, "gold"),
        ("one_step", 600, "silver"),
    ],
)  # fmt: skip
def test_how_far_a_customer_falls_is_a_setting(downgrade: str, spent: int, tier: str) -> None:
    rules = tier_set(downgrade=downgrade)

    outcome = told(rules, held("gold"), spent, YEAR_END)

    assert outcome is not None
    assert outcome[1] == tier


def test_with_upgrades_at_period_end_a_customer_waits_for_it() -> None:
    rules = tier_set(upgrade="at_period_end")

    assert told(rules, None, 1000, NOW) == ("joined", "member", END)
    assert told(rules, held("member"), 1000, NOW) is None
    assert told(rules, held("member"), 1000, YEAR_END) == ("upgrade", "gold", NEXT_END)


def test_days_of_grace_come_between_a_failed_review_and_the_fall() -> None:
    rules = tier_set(grace_days=30)
    failed = evaluate(rules, held("gold"), {SPEND: Decimal(700)}, YEAR_END, TODAY)

    assert failed is not None
    risky = failed.state
    assert (failed.cause, risky.tier) == (Cause.AT_RISK, "gold")
    assert risky.at_risk_until_on == risky.review_on == date(2027, 1, 30)
    # Too little in January: nothing yet. Enough: kept, until the end of the year.
    january = Moment(date(2027, 1, 15))
    assert told(rules, risky, 799, january) is None
    assert told(rules, risky, 800, january) == ("kept", "gold", NEXT_END)
    # The 30th is over.
    over = Moment(date(2027, 1, 30), ends_period=True, is_review=True)
    assert told(rules, risky, 799, over) == ("downgrade", "silver", NEXT_END)
    assert told(rules, risky, 800, over) == ("kept", "gold", NEXT_END)


def test_reviews_at_once_let_a_customer_fall_on_the_day() -> None:
    rules = tier_set(review="at_once", review_on=None)
    moment = Moment(TODAY, is_review=True)
    gold = held("gold", valid_until_on=None)

    assert told(rules, gold, 800, moment) is None
    assert told(rules, gold, 799, moment) == ("downgrade", "silver", None)


ASSIGNED = held(
    "gold",
    source=Source.MANUAL,
    valid_until_on=date(2026, 9, 30),
    locked_until_on=date(2026, 9, 30),
)


def test_an_assigned_tier_can_rise_but_not_fall_before_its_end() -> None:
    silver = replace(ASSIGNED, tier="silver")

    assert told(tier_set(), ASSIGNED, 0, Moment(TODAY, is_review=True)) is None
    assert told(tier_set(), silver, 1000, NOW) == ("upgrade", "gold", END)
    risen = evaluate(tier_set(), silver, {SPEND: Decimal(1000)}, NOW, TODAY)
    assert risen is not None
    assert risen.state.locked_until_on == date(2026, 9, 30)


@pytest.mark.parametrize(
    ("spent", "outcome"),
    [(0, ("assignment_ended", "member", None)), (800, ("kept", "gold", END))],
)
def test_an_assigned_tier_ends_with_its_day_unless_it_is_deserved_by_then(
    spent: int, outcome: Any
) -> None:
    for downgrade in ("fitting", "none"):
        rules = tier_set(downgrade=downgrade, grace_days=30)
        if downgrade == "none":
            outcome = (*outcome[:2], None)
        last_day = Moment(date(2026, 9, 30), ends_period=True, is_review=True)

        assert told(rules, ASSIGNED, spent, last_day) == outcome


def test_a_frozen_tier_does_not_even_rise() -> None:
    frozen = replace(ASSIGNED, tier="member", frozen_reason="under inquiry")

    assert told(tier_set(), frozen, 5000, NOW) is None
    ended = Moment(date(2026, 9, 30), ends_period=True, is_review=True)
    assert told(tier_set(), frozen, 5000, ended) == ("upgrade", "gold", END)


def test_a_lock_puts_a_review_off() -> None:
    state = held("gold", locked_until_on=date(2027, 3, 31))

    assert state.review_on == date(2027, 3, 31)
    assert held("gold", locked_until_on=date(2026, 3, 31)).review_on == END


POLICIES = st.fixed_dictionaries(
    {
        "upgrade": st.sampled_from(["at_once", "at_period_end"]),
        "downgrade": st.sampled_from(["none", "one_step", "fitting"]),
        "review": st.sampled_from(["tier_anniversary", "membership_anniversary"]),
        "review_on": st.none(),
        "grace_days": st.integers(0, 60),
    }
)
SPENT = st.integers(0, 1500)
STATES = st.builds(
    held,
    st.sampled_from(["member", "silver", "gold"]),
    source=st.sampled_from(Source),
    locked_until_on=st.none() | st.just(END),
    frozen_reason=st.none() | st.just("under inquiry"),
)
MOMENTS = st.sampled_from([NOW, Moment(TODAY, is_review=True), YEAR_END])


@given(policies=POLICIES, state=st.none() | STATES, spent=SPENT, moment=MOMENTS)
def test_looking_twice_changes_nothing_the_second_time(
    policies: Any, state: State | None, spent: int, moment: Moment
) -> None:
    rules, figures = tier_set(**policies), {SPEND: Decimal(spent)}
    first = evaluate(rules, state, figures, moment, TODAY)

    if first is not None:
        after = first.state
        assert after.review_on is None or after.review_on >= moment.as_of_on
        again = Moment(moment.effective_on)
        second = evaluate(rules, after, figures, again, TODAY)
        assert second is None or policies["upgrade"] == "at_once"
        if second is not None:  # what a lock had held up, or a fall by steps, rises at once
            assert rules.rank(second.state.tier) > rules.rank(after.tier)


@given(policies=POLICIES, state=STATES, spent=SPENT, more=SPENT, moment=MOMENTS)
def test_who_spends_more_never_holds_less(
    policies: Any, state: State, spent: int, more: int, moment: Moment
) -> None:
    rules = tier_set(**policies)

    def rank(amount: int) -> int:
        decision = evaluate(rules, state, {SPEND: Decimal(amount)}, moment, TODAY)
        return rules.rank(decision.state.tier if decision else state.tier)

    assert rank(spent + more) >= rank(spent)


@given(policies=POLICIES, state=STATES, spent=SPENT)
def test_nobody_falls_between_reviews(policies: Any, state: State, spent: int) -> None:
    rules = tier_set(**policies)
    decision = evaluate(rules, state, {SPEND: Decimal(spent)}, NOW, TODAY)

    assert decision is None or rules.rank(decision.state.tier) > rules.rank(state.tier)


@given(policies=POLICIES, state=STATES, spent=SPENT, moment=MOMENTS)
def test_no_rule_lowers_a_locked_tier(
    policies: Any, state: State, spent: int, moment: Moment
) -> None:
    locked = replace(state, locked_until_on=date(2027, 6, 30))
    rules = tier_set(**policies)
    decision = evaluate(rules, locked, {SPEND: Decimal(spent)}, moment, TODAY)

    assert decision is None or rules.rank(decision.state.tier) > rules.rank(locked.tier)
