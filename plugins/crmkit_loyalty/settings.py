"""What a retailer can choose about the points programme: section `[plugin.loyalty]`."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from crmkit.money import AmountError, currency_digits
from crmkit_loyalty.earning_conflicts import check_together
from crmkit_loyalty.earning_rules import EarningRule, RuleSet, rule_set

Rate = Annotated[Decimal, Field(ge=0, le=1_000, max_digits=10, decimal_places=6)]


class LoyaltySettings(BaseModel):
    """The rules of the points programme; each has a default that works.

    Attributes:
        points_per_major_unit: points for each unit of money (pound, yuan) spent on products.
        points_per_major_unit_of: other rates for single currencies, such as `{JPY = 0.01}`.
        rules: earning rules, each a table `[[plugin.loyalty.rules]]`; the plugin's README lists the
            fields. Without any, money spent on products earns as the two settings above say.
        lifetime_months: calendar months until points expire; None means never.
        shortfall: what happens when goods come back whose points are spent: `debt` is paid off
            by the points earned next, `forgive` gives the missing points away.
        adjustment_points_max: most points one adjustment may add or take.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    points_per_major_unit: Rate = Decimal(1)
    points_per_major_unit_of: Mapping[str, Rate] = Field(default_factory=dict)
    rules: tuple[EarningRule, ...] = Field(default=(), max_length=200)
    lifetime_months: int | None = Field(default=None, ge=1, le=1200)
    shortfall: Literal["debt", "forgive"] = "debt"
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
