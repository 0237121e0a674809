"""What a retailer can choose about the points programme: section `[plugin.loyalty]`."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from crmkit.money import AmountError, currency_digits
from crmkit_loyalty.earning_conflicts import check_together
from crmkit_loyalty.earning_rules import EarningRule, RuleSet, rule_set
from crmkit_loyalty.lifetime import Lifetime, Period

Rate = Annotated[Decimal, Field(ge=0, le=1_000, max_digits=10, decimal_places=6)]

Share = Annotated[Decimal, Field(ge=0, le=1, decimal_places=6)]


class LoyaltySettings(BaseModel):
    """The rules of the points programme; each has a default that works.

    Attributes:
        points_per_major_unit: points for each unit of money (pound, yuan) spent on products.
        points_per_major_unit_of: other rates for single currencies, such as `{JPY = 0.01}`.
        rules: earning rules, each a table `[[plugin.loyalty.rules]]`; docs/points.md lists fields.
            Without any, money spent on products earns as the two settings above say.
        lifetime_months: calendar months until points expire. Without any lifetime they never do.
        lifetime_days: the same in calendar days; 0 only together with `lifetime_ends_with`.
        lifetime_ends_with: the lifetime is rounded up to the end of the `day`, `month`, `quarter`
            or `year` in which it ends.
        lifetime_restarts: whether each purchase that earns gives all points of the customer their
            lifetime anew, so that points of those who keep buying do not expire.
        last_day: instead of a lifetime: points earned until this day are good until its end,
            later ones for ever.
        timezone: decides when days end; the shops' zone of the main settings unless given.
        shortfall: what happens when goods come back whose points are spent: `debt` is paid off
            by the points earned next, `forgive` gives the missing points away.
        point_cost: what one point is expected to cost when it is redeemed, in major units of the
            home currency.
        expected_redemption_share: which part of the points is expected to be redeemed, 0 to 1.
        adjustment_points_max: most points one adjustment may add or take.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    points_per_major_unit: Rate = Decimal(1)
    points_per_major_unit_of: Mapping[str, Rate] = Field(default_factory=dict)
    rules: tuple[EarningRule, ...] = Field(default=(), max_length=200)
    lifetime_months: int | None = Field(default=None, ge=1, le=1200)
    lifetime_days: int | None = Field(default=None, ge=0, le=36_500)
    lifetime_ends_with: Period | None = None
    lifetime_restarts: bool = False
    last_day: date | None = None
    timezone: str = "UTC"
    shortfall: Literal["debt", "forgive"] = "debt"
    point_cost: Rate = Decimal("0.01")
    expected_redemption_share: Share = Decimal(1)
    adjustment_points_max: int = Field(default=100_000, ge=1, le=10**12)

    @field_validator("points_per_major_unit_of")
    @classmethod
    def _known_currencies(cls, rates: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
        for currency in rates:
            try:
                currency_digits(currency)
            except AmountError as error:
                raise ValueError(f"{currency!r}: {error}") from None
        return rates

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("not an IANA time zone such as Asia/Shanghai") from None
        return value

    @model_validator(mode="after")
    def _one_lifetime(self) -> Self:
        given = [self.lifetime_months, self.lifetime_days, self.last_day]
        if sum(each is not None for each in given) > 1:
            raise ValueError("give one of lifetime_months, lifetime_days and last_day")
        has_lifetime = self.lifetime_months is not None or self.lifetime_days is not None
        if (self.lifetime_ends_with is not None or self.lifetime_restarts) and not has_lifetime:
            raise ValueError(
                "lifetime_ends_with and lifetime_restarts need a lifetime in months or days"
            )
        if self.lifetime_days == 0 and self.lifetime_ends_with is None:
            raise ValueError("lifetime_days = 0 needs lifetime_ends_with, or nobody has points")
        return self

    def lifetime(self) -> Lifetime:
        """Return how long points are good."""
        return Lifetime(
            self.lifetime_months,
            self.lifetime_days,
            self.lifetime_ends_with,
            self.lifetime_restarts,
            self.last_day,
            self.timezone,
        )

    @field_validator("rules")
    @classmethod
    def _fit_together(cls, rules: tuple[EarningRule, ...]) -> tuple[EarningRule, ...]:
        check_together(rules)
        return rules

    @cached_property
    def rule_set(self) -> RuleSet:
        """The earning rules, in the order in which they are asked, with their version."""
        return rule_set(self.rules)

    def rate_for(self, currency: str) -> Decimal:
        """Return the points for each major unit of a currency."""
        return self.points_per_major_unit_of.get(currency, self.points_per_major_unit)
