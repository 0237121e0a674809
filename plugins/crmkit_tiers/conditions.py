"""Conditions of tiers: and, or and not over figures. Pure."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

Window = Literal["lifetime", "calendar_year", "rolling", "since_joining", "since_tier"]
Amount = Annotated[Decimal, Field(ge=-(10**12), le=10**12, max_digits=18, decimal_places=6)]


class FigureKey(NamedTuple):
    """What a figure is: a metric over a window.

    Attributes:
        days: length of a rolling window; None for the others.
    """

    metric: str
    window: Window
    days: int | None = None


Figures = Mapping[FigureKey, Decimal]


class Condition(BaseModel):
    """A figure that must reach an amount, or other conditions put together.

    Attributes:
        metric: name of a registered metric, such as `core.net_spend`.
        window: the days that count: `lifetime`, the `calendar_year`, a `rolling` number of days,
            `since_joining` or `since_tier`, the day the present tier was entered.
        days: length of a rolling window, the last day included.
        at_least: the least the figure must be, in units of the metric; money in major units.
        all: conditions of which every one must hold.
        any: conditions of which one must hold.
        negated: a condition that must not hold; written `not`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True)

    metric: str | None = None
    window: Window = "lifetime"
    days: int | None = Field(default=None, ge=1, le=36_600)
    at_least: Amount | None = None
    all: tuple["Condition", ...] = ()
    any: tuple["Condition", ...] = ()
    negated: "Condition | None" = Field(default=None, alias="not")

    @model_validator(mode="after")
    def _is_one_thing(self) -> "Condition":
        ways = (self.metric is not None, self.all != (), self.any != (), self.negated is not None)
        if sum(ways) != 1:
            raise ValueError("give one of metric, all, any and not")
        if (self.metric is None) != (self.at_least is None):
            raise ValueError("metric and at_least belong together")
        if (self.window == "rolling") != (self.days is not None):
            raise ValueError("days belong to a rolling window, and to no other")
        return self

    @cached_property
    def key(self) -> FigureKey:
        """The figure that a condition on a metric is about."""
        return FigureKey(self.metric or "", self.window, self.days)

    def parts(self) -> tuple["Condition", ...]:
        """Return the conditions it is made of; none if it is about a metric."""
        return (*self.all, *self.any, *((self.negated,) if self.negated else ()))

    def leaves(self, path: str = "") -> Iterator[tuple[str, "Condition"]]:
        """Give the conditions on metrics inside it, each with its path as settings write it."""
        if self.metric is not None:
            yield path, self
        for word, some in (("all", self.all), ("any", self.any)):
            for position, each in enumerate(some):
                yield from each.leaves(f"{path}.{word}.{position}")
        if self.negated is not None:
            yield from self.negated.leaves(f"{path}.not")


def holds(condition: Condition, figures: Figures) -> bool:
    """Tell whether a condition holds; an amount is reached when it is met exactly."""
    if condition.at_least is not None:
        return figures[condition.key] >= condition.at_least
    if condition.negated is not None:
        return not holds(condition.negated, figures)
    if condition.all:
        return all(holds(each, figures) for each in condition.all)
    return any(holds(each, figures) for each in condition.any)
