"""What a retailer can choose about tiers: section `[plugin.tiers]`."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from crmkit.option_types import Currency
from crmkit_tiers.conditions import Condition, FigureKey

Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")]
Benefit = bool | Decimal | str


class Tier(BaseModel):
    """One tier of a set.

    Attributes:
        name: as it is stored and answered.
        entry: what it takes to get in; the first tier has none, everybody starts there.
        stay: what it takes to keep the tier at a review; the entry condition unless given.
        point_multiplier: what points earned in this tier are multiplied by.
        benefits: what the tier is worth otherwise: any names, such as `free_delivery`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    entry: Condition | None = None
    stay: Condition | None = None
    point_multiplier: Decimal = Field(
        default=Decimal(1), ge=0, le=1000, max_digits=10, decimal_places=6
    )
    benefits: Mapping[Name, Benefit] = Field(default_factory=dict)


class TierSet(BaseModel):
    """Tiers in order, lowest first, and how customers move between them.

    Attributes:
        currency: of the money that conditions are about.
        tiers: the tiers, lowest first.
        upgrade: `at_once`, or `at_period_end` with the next review.
        downgrade: at a review whose condition fails: `none`, `one_step`, or the `fitting` tier.
        review: when staying is looked at: `at_once`, the `tier_anniversary`, the
            `membership_anniversary`, or a `fixed_date` in each year.
        review_on: last day of each period of a fixed date, as month and day, such as `12-31`.
        grace_days: days to make good after a review that failed.
        on_return: when goods that come back count: `at_review`, `at_once`, or `never`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    currency: Currency
    tiers: tuple[Tier, ...] = Field(min_length=1, max_length=50)
    upgrade: Literal["at_once", "at_period_end"] = "at_once"
    downgrade: Literal["none", "one_step", "fitting"] = "fitting"
    review: Literal["at_once", "tier_anniversary", "membership_anniversary", "fixed_date"] = (
        "tier_anniversary"
    )
    review_on: str | None = None
    grace_days: int = Field(default=0, ge=0, le=180)
    on_return: Literal["at_review", "at_once", "never"] = "at_review"

    @field_validator("review_on")
    @classmethod
    def _a_day_of_every_year(cls, value: str | None) -> str | None:
        if value is not None:
            if not re.fullmatch("[0-9]{2}-[0-9]{2}", value, re.ASCII):
                raise ValueError("write it as month and day, like 12-31")
            try:
                date.fromisoformat(f"2001-{value}")
            except ValueError:
                raise ValueError("there is no such day in every year") from None
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> "TierSet":
        names = [tier.name for tier in self.tiers]
        if len(set(names)) < len(names):
            raise ValueError(f"a tier's name stands twice: {', '.join(names)}")
        if self.tiers[0].entry or self.tiers[0].stay:
            raise ValueError(f"the first tier, {names[0]!r}, is for everybody: no conditions there")
        for tier in self.tiers[1:]:
            if tier.entry is None:
                raise ValueError(f"tier {tier.name!r} needs an entry condition")
            _check_stay(tier)
        if (self.review == "fixed_date") != (self.review_on is not None):
            raise ValueError("review_on belongs to review = 'fixed_date', and to no other")
        if self.upgrade == "at_period_end" and self.review == "at_once":
            raise ValueError("upgrade = 'at_period_end' needs a review that ends periods")
        if self.downgrade == "one_step" and "at_once" in (self.review, self.on_return):
            raise ValueError("downgrade = 'one_step' needs reviews on days, none at once")
        return self

    def rank(self, name: str) -> int:
        """Return a tier's place, lowest 0; -1 for a tier that is no more."""
        return self._ranks.get(name, -1)

    @cached_property
    def _ranks(self) -> Mapping[str, int]:
        return {tier.name: rank for rank, tier in enumerate(self.tiers)}

    @cached_property
    def keys(self) -> tuple[FigureKey, ...]:
        """Every figure that some condition is about."""
        return tuple(dict.fromkeys(leaf.key for _, leaf in self.leaves()))

    @property
    def moves_daily(self) -> bool:
        """Whether a day that passes may lower tiers: windows move on, and reviews are at once."""
        fades = any(key.window in ("calendar_year", "rolling") for key in self.keys)
        return self.review == "at_once" and fades

    @cached_property
    def rules(self) -> str:
        """The whole set as JSON, as it is kept for those who look at old changes."""
        return orjson.dumps(
            self.model_dump(mode="json", by_alias=True, exclude_defaults=True),
            option=orjson.OPT_SORT_KEYS,
        ).decode()

    @cached_property
    def version(self) -> str:
        """Short digest of the rules: other rules have another."""
        return hashlib.sha256(self.rules.encode()).hexdigest()[:16]

    def leaves(self) -> Iterator[tuple[str, Condition]]:
        """Give all conditions on metrics, each with its path as settings write it."""
        for position, tier in enumerate(self.tiers):
            for word in ("entry", "stay"):
                condition: Condition | None = getattr(tier, word)
                if condition is not None:
                    yield from condition.leaves(f"tiers.{position}.{word}")


class TiersSettings(BaseModel):
    """The tier sets of a retailer.

    Attributes:
        sets: tier sets by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sets: Mapping[Name, TierSet] = Field(default_factory=dict)


def _check_stay(tier: Tier) -> None:
    """Refuse a stay condition that asks for more of a figure than getting in does."""
    if tier.entry is None or tier.stay is None:
        return
    asked = {leaf.key: leaf.at_least for path, leaf in tier.entry.leaves() if ".not" not in path}
    for path, leaf in tier.stay.leaves():
        least = asked.get(leaf.key)
        if ".not" in path or least is None or leaf.at_least is None:
            continue
        if leaf.at_least > least:
            raise ValueError(
                f"tier {tier.name!r}: staying asks for {leaf.at_least} of {leaf.metric}, "
                f"getting in only for {least}"
            )
