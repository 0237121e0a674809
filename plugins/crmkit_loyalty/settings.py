"""What a retailer can choose about the points programme: section `[plugin.loyalty]`."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from crmkit.money import AmountError, currency_digits
from crmkit.option_types import Currency, Zone
from crmkit_loyalty.earning_conflicts import check_together
from crmkit_loyalty.earning_errors import RuleFault
from crmkit_loyalty.earning_rules import EarningRule, Name, RuleSet, rule_set
from crmkit_loyalty.point_kinds import POINTS, PointKind, Rate, Terms
from crmkit_loyalty.rewards import Reward
from crmkit_loyalty.transfer_settings import TransferSettings

_FORMER = PointKind()


class LoyaltySettings(PointKind):
    """The rules of the points programme; each has a default that works.

    Attributes:
        points_per_major_unit: points for each unit of money (pound, yuan) spent on products.
        points_per_major_unit_of: other rates for single currencies, such as `{JPY = 0.01}`.
        rules: earning rules, each a table `[[plugin.loyalty.rules]]`; docs/points.md lists fields.
            Without any for sales, money spent on products earns as the two settings above say.
        timezone: decides when days end; the shops' zone of the main settings unless given.
        currency: of what points pay; the home currency of the main settings unless given.
        point_kinds: further kinds of points by name, such as stamps; each has the settings of
            `PointKind`. The ones given here beside are those of the kind `points`.
        transfers: whether customers can transfer points to each other, and how many.
        rewards: what points can be exchanged for, each a table `[[plugin.loyalty.rewards]]`.
        adjustment_points_max: most points one adjustment may add or take.
        adjustment_approval_above: adjustments of more points than these, given or taken, wait until
            a second person approves them; left out, none does.
        adjustment_reasons: codes of the reasons for which points may be adjusted by hand.
    """

    points_per_major_unit: Rate = Decimal(1)
    points_per_major_unit_of: Mapping[str, Rate] = Field(default_factory=dict)
    rules: tuple[EarningRule, ...] = Field(default=(), max_length=200)
    timezone: Zone = "UTC"
    currency: Currency = "CNY"
    point_kinds: Mapping[Name, PointKind] = Field(default_factory=dict)
    rewards: tuple[Reward, ...] = Field(default=(), max_length=1000)
    transfers: TransferSettings = TransferSettings()
    adjustment_points_max: int = Field(default=100_000, ge=1, le=10**12)
    adjustment_approval_above: int | None = Field(default=None, ge=0)
    adjustment_reasons: tuple[Name, ...] = Field(
        default=("goodwill", "correction", "fraud", "opening_balance"), min_length=1, max_length=100
    )

    @field_validator("points_per_major_unit_of")
    @classmethod
    def _known_currencies(cls, rates: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
        for currency in rates:
            try:
                currency_digits(currency)
            except AmountError as error:
                raise ValueError(f"{currency!r}: {error}") from None
        return rates

    @field_validator("point_kinds")
    @classmethod
    def _has_own_names(cls, kinds: Mapping[str, PointKind]) -> Mapping[str, PointKind]:
        if POINTS in kinds:
            raise ValueError(f"the settings of {POINTS!r} stand one level above")
        return kinds

    @model_validator(mode="after")
    def _rules_give_known_kinds(self) -> Self:
        for at, rule in enumerate(self.rules):
            if rule.point_kind not in self.terms:
                reason = f"the kinds of points are: {', '.join(self.terms)}"
                raise RuleFault(reason, "point_kind", rule.point_kind, at, rule.name)
        return self

    @model_validator(mode="after")
    def _rewards_cost_known_kinds(self) -> Self:
        names = [reward.name for reward in self.rewards]
        if len(set(names)) < len(names):
            raise ValueError(f"a reward's name stands twice: {', '.join(names)}")
        for reward in self.rewards:
            if reward.point_kind not in self.terms:
                known = ", ".join(self.terms)
                raise ValueError(
                    f"reward {reward.name!r} costs {reward.point_kind!r}; kinds: {known}"
                )
        return self

    def reward(self, name: str) -> Reward | None:
        """Return the reward of a name, if there is one."""
        return next((reward for reward in self.rewards if reward.name == name), None)

    @cached_property
    def zone(self) -> ZoneInfo:
        """Where days begin and end."""
        return ZoneInfo(self.timezone)

    @cached_property
    def terms(self) -> Mapping[str, Terms]:
        """What the book asks about each kind of points, `points` first."""
        return {
            name: self.kind(name).terms_in(self.timezone) for name in (POINTS, *self.point_kinds)
        }

    @cached_property
    def kinds_not_earning(self) -> Sequence[str]:
        """Kinds of points that pay for purchases, where what they pay earns nothing."""
        terms = {name: self.kind(name).redemption for name in self.terms}
        return [name for name, some in terms.items() if some is not None and not some.earns]

    def kind(self, name: str) -> PointKind:
        """Return the settings of a kind of points; a kind that is no more has the defaults."""
        return self if name == POINTS else self.point_kinds.get(name, _FORMER)

    def terms_of(self, kind: str) -> Terms:
        """Return what applies to a kind of points, also to one that is no more."""
        return self.terms.get(kind) or _FORMER.terms_in(self.timezone)

    @field_validator("rules")
    @classmethod
    def _fit_together(cls, rules: tuple[EarningRule, ...]) -> tuple[EarningRule, ...]:
        check_together(rules)
        return rules

    @cached_property
    def rule_set(self) -> RuleSet:
        """The earning rules, in the order in which they are asked, with their version."""
        return rule_set(self.rules)

    def day_of(self, at: datetime) -> date:
        """Return the business day that an instant belongs to."""
        return at.astimezone(self.zone).date()

    def rate_for(self, currency: str) -> Decimal:
        """Return the points for each major unit of a currency."""
        return self.points_per_major_unit_of.get(currency, self.points_per_major_unit)
