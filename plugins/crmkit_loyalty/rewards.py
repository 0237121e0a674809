"""The catalogue of rewards: what points can be exchanged for, at which price and when. Pure."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from crmkit.money import currency_digits
from crmkit_loyalty.point_kinds import POINTS

Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")]
Price = Annotated[int, Field(ge=1, le=10**12)]


class RewardKind(StrEnum):
    """What a reward is."""

    GOODS = "goods"
    DISCOUNT = "discount"
    COUPON = "coupon"


class Reward(BaseModel):
    """Something that points can be exchanged for.

    Attributes:
        name: as it is stored with every redemption; another reward needs another name.
        title: as customers read it.
        kind: `goods` to take away, a `discount` on the next purchase, or a `coupon` with a code of
            its own.
        points: what it costs.
        point_kind: the kind of points it costs.
        tier_points: for each tier set, what it costs those who hold a tier; the lowest counts.
        sku: the article, for goods.
        value: what a discount or a coupon is worth, in major units of the home currency.
        from_on: first business day on which it can be had; None means since ever.
        until_on: last business day; None means for ever.
        stock: how many there are in all; None means any number.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    title: str = Field(min_length=1, max_length=200)
    kind: RewardKind
    points: Price
    point_kind: Name = POINTS
    tier_points: Mapping[Name, Mapping[Name, Price]] = Field(default_factory=dict)
    sku: str | None = Field(default=None, min_length=1, max_length=200)
    value: Annotated[Decimal, Field(gt=0, le=10**9, decimal_places=6)] | None = None
    from_on: date | None = None
    until_on: date | None = None
    stock: int | None = Field(default=None, ge=0, le=10**9)

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        wanted, other = ("sku", "value") if self.kind == RewardKind.GOODS else ("value", "sku")
        if getattr(self, wanted) is None or getattr(self, other) is not None:
            raise ValueError(f"kind {self.kind.value!r} needs {wanted}, and has no {other}")
        if self.from_on and self.until_on and self.until_on < self.from_on:
            raise ValueError(f"it can never be had: {self.until_on} is before {self.from_on}")
        return self

    def can_be_had_on(self, day: date) -> bool:
        """Tell whether it can be had on a business day."""
        return (self.from_on or day) <= day <= (self.until_on or day)

    def value_minor(self, currency: str) -> int:
        """Return what a discount or a coupon is worth, in minor units; 0 for goods."""
        return int((self.value or Decimal()).scaleb(currency_digits(currency)))

    def price(self, tiers: Mapping[str, str] | None) -> int:
        """Return what it costs.

        Args:
            tiers: the tiers the customer holds, by tier set; None if nobody knows.
        """
        held = (tiers or {}).items()
        prices = [
            self.tier_points[name].get(tier) for name, tier in held if name in self.tier_points
        ]
        return min([self.points, *(price for price in prices if price is not None)])
