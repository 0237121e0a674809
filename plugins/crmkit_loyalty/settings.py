"""What a retailer can choose about the points programme: section `[plugin.loyalty]`."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from crmkit.money import AmountError, currency_digits

Rate = Annotated[Decimal, Field(ge=0, le=1_000, max_digits=10, decimal_places=6)]


class LoyaltySettings(BaseModel):
    """The rules of the points programme; each has a default that works.

    Attributes:
        points_per_major_unit: points for each unit of money (pound, yuan) spent on products.
        points_per_major_unit_of: other rates for single currencies, such as `{JPY = 0.01}`.
        lifetime_months: calendar months until points expire; None means never.
        shortfall: what happens when goods come back whose points are spent: `debt` is paid off
            by the points earned next, `forgive` gives the missing points away.
        adjustment_points_max: most points one adjustment may add or take.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    points_per_major_unit: Rate = Decimal(1)
    points_per_major_unit_of: Mapping[str, Rate] = Field(default_factory=dict)
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

    def rate_for(self, currency: str) -> Decimal:
        """Return the points for each major unit of a currency."""
        return self.points_per_major_unit_of.get(currency, self.points_per_major_unit)
