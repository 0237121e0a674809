"""Kinds of points, such as points, stamps and cashback, and what a retailer can choose for each."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from crmkit_loyalty.lifetime import Lifetime, Period

POINTS = "points"
"""The kind that every programme has."""

Rate = Annotated[Decimal, Field(ge=0, le=1_000, max_digits=10, decimal_places=6)]
Share = Annotated[Decimal, Field(ge=0, le=1, decimal_places=6)]


class RedemptionTerms(BaseModel):
    """How points pay for purchases.

    Attributes:
        value: what one point pays, in major units of the home currency.
        points_min: least points of one redemption.
        points_step: a redemption is a multiple of this.
        share_max: most of a purchase that points may pay, from 0 to 1.
        hold_minutes: after this time a hold lets its points go by itself.
        refund_order: of a purchase that was paid partly by points, what comes back first when some
            goods do: points and money in `proportion`, `money_first` or `points_first`.
        refund_expired: what becomes of points that come back after they expired: they are `lost`,
            or come back for `refund_days`: `reinstate`.
        refund_days: days that reinstated points are good.
        earns: whether what was paid by points earns points, too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Annotated[Decimal, Field(gt=0, le=1_000, max_digits=10, decimal_places=6)]
    points_min: int = Field(default=1, ge=1, le=10**12)
    points_step: int = Field(default=1, ge=1, le=10**12)
    share_max: Annotated[Decimal, Field(gt=0, le=1, decimal_places=6)] = Decimal(1)
    hold_minutes: int = Field(default=30, ge=1, le=60 * 24 * 30)
    refund_order: Literal["proportion", "money_first", "points_first"] = "proportion"
    refund_expired: Literal["lost", "reinstate"] = "reinstate"
    refund_days: int = Field(default=30, ge=1, le=3_660)
    earns: bool = False


class PointKind(BaseModel):
    """One kind of points; each setting has a default that works.

    Attributes:
        lifetime_months: calendar months until points expire. Without any lifetime they never do.
        lifetime_days: the same in calendar days; 0 only together with `lifetime_ends_with`.
        lifetime_ends_with: the lifetime is rounded up to the end of the `day`, `month`, `quarter`
            or `year` in which it ends.
        lifetime_restarts: whether each purchase that earns gives all points of the customer their
            lifetime anew, so that points of those who keep buying do not expire.
        last_day: instead of a lifetime: points earned until this day are good until its end,
            later ones for ever.
        holding_days: days after which earned points can be spent; until then they are pending.
        shortfall: what happens when goods come back whose points are spent: `debt` is paid off
            by the points earned next, `forgive` gives the missing points away.
        point_cost: what one point is expected to cost when it is redeemed, in major units of the
            home currency.
        expected_redemption_share: which part of the points is expected to be redeemed, 0 to 1.
        redemption: how points pay for purchases; without it they do not, and may still serve to
            qualify for tiers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lifetime_months: int | None = Field(default=None, ge=1, le=1200)
    lifetime_days: int | None = Field(default=None, ge=0, le=36_500)
    lifetime_ends_with: Period | None = None
    lifetime_restarts: bool = False
    last_day: date | None = None
    holding_days: int = Field(default=0, ge=0, le=3_660)
    shortfall: Literal["debt", "forgive"] = "debt"
    point_cost: Rate = Decimal("0.01")
    expected_redemption_share: Share = Decimal(1)
    redemption: RedemptionTerms | None = None

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

    def terms_in(self, zone: str) -> "Terms":
        """Return what the book asks about points of this kind.

        Args:
            zone: where days begin and end.
        """
        lifetime = Lifetime(
            self.lifetime_months,
            self.lifetime_days,
            self.lifetime_ends_with,
            self.lifetime_restarts,
            self.last_day,
            zone,
        )
        return Terms(lifetime, timedelta(days=self.holding_days), self.shortfall == "forgive")


class Terms(NamedTuple):
    """What the book asks about a kind of points.

    Attributes:
        lifetime: how long points are good.
        holding: how long after they were earned they can be spent.
        forgives: whether points that are missing when goods come back are given away.
    """

    lifetime: Lifetime
    holding: timedelta
    forgives: bool
