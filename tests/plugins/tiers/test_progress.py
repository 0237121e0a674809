"""What is missing, as a shop assistant would tell a customer."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from crmkit_tiers.conditions import FigureKey
from crmkit_tiers.progress import Gap, progress
from crmkit_tiers.settings import TierSet
from crmkit_tiers.states import Source, State
from tier_sets import CLUB, club

TODAY, END = date(2026, 6, 15), date(2026, 12, 31)
YEAR = FigureKey("core.net_spend", "calendar_year")
SILVER = State("silver", date(2025, 5, 1), date(2024, 3, 1), END)


def yearly(**policies: Any) -> TierSet:
    fixed = {"review": "fixed_date", "review_on": "12-31"}
    return TierSet.model_validate(club("calendar_year", **{**fixed, **policies}))


def missing(gaps: tuple[Gap, ...]) -> list[tuple[int, date | None]]:
    return [(int(gap.missing), gap.until_on) for gap in gaps]


def test_it_tells_what_is_missing_to_rise_to_stay_and_by_when() -> None:
    told = progress(yearly(), SILVER, {YEAR: Decimal(120)}, TODAY)

    assert (told.tier, told.next_tier, told.review_on) == ("silver", "gold", END)
    assert missing(told.to_rise) == [(880, END)]
    assert missing(told.to_stay) == [(180, END)]
    assert told.projected_tier == "member"


def test_what_is_met_is_missing_no_more() -> None:
    told = progress(yearly(), SILVER, {YEAR: Decimal(300)}, TODAY)

    assert told.to_stay == ()
    assert told.projected_tier == "silver"


def test_at_the_top_there_is_nothing_to_rise_to() -> None:
    told = progress(yearly(), replace(SILVER, tier="gold"), {YEAR: Decimal(900)}, TODAY)

    assert (told.next_tier, told.to_rise) == (None, ())


def test_who_was_never_looked_at_stands_in_the_first_tier() -> None:
    told = progress(yearly(), None, {YEAR: Decimal(0)}, TODAY)

    assert (told.tier, told.next_tier, told.projected_tier) == ("member", "silver", "member")
    assert missing(told.to_rise) == [(500, END)]


def test_days_of_grace_move_the_last_day() -> None:
    risky = replace(SILVER, at_risk_on=END, at_risk_until_on=date(2027, 1, 31))

    told = progress(yearly(grace_days=31), risky, {YEAR: Decimal(250)}, date(2027, 1, 10))

    assert missing(told.to_stay) == [(50, date(2027, 1, 31))]
    assert told.projected_tier == "member"


def test_where_upgrades_wait_for_the_period_its_end_is_the_last_day() -> None:
    rules = TierSet.model_validate({**CLUB, "upgrade": "at_period_end"})
    figures = {FigureKey("core.net_spend", "lifetime"): Decimal(600)}

    told = progress(rules, SILVER, figures, TODAY)

    assert missing(told.to_rise) == [(400, END)]
    met = progress(rules, SILVER, {**figures, next(iter(figures)): Decimal(1000)}, TODAY)
    assert (met.tier, met.to_rise, met.projected_tier) == ("silver", (), "gold")


def test_an_assigned_tier_is_projected_beyond_its_end() -> None:
    given = replace(SILVER, source=Source.MANUAL, locked_until_on=END)

    assert progress(yearly(), given, {YEAR: Decimal(299)}, TODAY).projected_tier == "member"
    assert progress(yearly(), given, {YEAR: Decimal(300)}, TODAY).projected_tier == "silver"


def test_open_conditions_have_their_place_and_what_must_not_be_is_left_out() -> None:
    spend = {"metric": "core.net_spend", "at_least": 100}
    visits = {"metric": "core.purchase_days", "at_least": 3, "window": "rolling", "days": 30}
    gold = {"all": [spend, {"any": [visits, spend]}, {"not": spend}]}
    rules = TierSet.model_validate(
        {"currency": "CNY", "tiers": [{"name": "member"}, {"name": "gold", "entry": gold}]}
    )
    figures = {
        FigureKey("core.net_spend", "lifetime"): Decimal(40),
        FigureKey("core.purchase_days", "rolling", 30): Decimal(1),
    }

    told = progress(rules, None, figures, TODAY)

    assert [(gap.path, int(gap.missing), gap.until_on) for gap in told.to_rise] == [
        ("all.0", 60, None),
        ("all.1.any.0", 2, None),
        ("all.1.any.1", 60, None),
    ]
