"""Earning rules as data: what a retailer writes into `[[plugin.loyalty.rules]]`."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, model_validator

from crmkit.models import LineKind
from crmkit.option_types import Currency
from crmkit_loyalty.earning_errors import RuleFault
from crmkit_loyalty.earning_kinds import HAPPENINGS, Kind, check_fields
from crmkit_loyalty.point_kinds import POINTS

Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")]
Word = Annotated[str, Field(min_length=1, max_length=200)]
_SORTED = PlainSerializer(sorted, return_type=list[str])  # the same rules, the same text
Words = Annotated[frozenset[Word], Field(min_length=1), _SORTED]
Names = Annotated[frozenset[Name], _SORTED]
Positive = Annotated[Decimal, Field(gt=0, le=10**9, max_digits=18, decimal_places=6)]
Most = Annotated[int, Field(ge=1, le=10**12)]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip


class EarningRule(BaseModel):
    """One way to earn points.

    Attributes:
        name: as it is stored with every entry; another meaning needs another name.
        kind: what points are given for: each major unit of money, each sale, each line, each unit
            of quantity, or once for a sale whatever multiplies others (`bonus`); a `multiplier`
            gives none and multiplies what the others give, apart from bonuses. Or a customer who
            is new (`sign_up`), a `birthday`, or an `interaction`; nothing multiplies these.
        points: for each of them; not for a multiplier. Of what is no sale, a whole number.
        point_kind: the kind of points it gives, such as stamps.
        interaction_kinds: interactions of these kinds count; only `interaction` has them.
        every: only this many together count, such as 10 for "points for each full 10 yuan".
        factor: of a multiplier.
        of: rules that a multiplier multiplies; none named means all.
        rounding: how the points of a transaction become whole, after everything multiplied them.
        from_on: first business day; None means since ever.
        until_on: last business day; None means for ever.
        stores: only sales of these stores.
        weekdays: only business days that are one of these.
        tiers: for each tier set named here, only customers who hold one of these tiers.
        segments: only customers who are in one of these segments.
        currency: only sales in this currency.
        amount_min: least amount, in major units, of the lines that count.
        skus: only lines of these articles; with categories or brands, lines that fit all.
        categories: only lines of these categories.
        brands: only lines of these brands.
        except_skus: no lines of these articles.
        except_categories: no lines of these categories.
        without_discounted: no lines that a discount was taken off.
        without_tax: the tax contained in a line does not count.
        line_kinds: kinds of lines that count; fees, shipping and vouchers do not unless named.
        priority: the higher comes first; equal ones in the order written.
        group: of the rules of a group only the first that fits a sale counts.
        sale_max: most points of this rule for one sale.
        customer_day_max: most points of this rule for a customer on one business day.
        customer_month_max: the same for a calendar month.
        customer_year_max: the same for a calendar year.
        budget: most points of this rule in all; when they are given the rule stops.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    kind: Kind
    points: Positive | None = None
    point_kind: Name = POINTS
    interaction_kinds: Words | None = None
    every: Positive | None = None
    factor: Annotated[Decimal, Field(ge=0, le=1000, max_digits=10, decimal_places=6)] | None = None
    of: Names = frozenset()
    rounding: Literal["floor", "half_up", "ceiling"] = "floor"
    from_on: date | None = None
    until_on: date | None = None
    stores: Words | None = None
    weekdays: Annotated[frozenset[Weekday], Field(min_length=1), _SORTED] | None = None
    tiers: Mapping[Name, Annotated[Names, Field(min_length=1)]] = Field(default_factory=dict)
    segments: Words | None = None
    currency: Currency | None = None
    amount_min: Positive | None = None
    skus: Words | None = None
    categories: Words | None = None
    brands: Words | None = None
    except_skus: Annotated[frozenset[Word], _SORTED] = frozenset()
    except_categories: Annotated[frozenset[Word], _SORTED] = frozenset()
    without_discounted: bool = False
    without_tax: bool = False
    line_kinds: Annotated[frozenset[LineKind], Field(min_length=1), _SORTED] = frozenset(
        {LineKind.PRODUCT}
    )
    priority: int = Field(default=0, ge=-1000, le=1000)
    group: Name | None = None
    sale_max: Most | None = None
    customer_day_max: Most | None = None
    customer_month_max: Most | None = None
    customer_year_max: Most | None = None
    budget: Most | None = None

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> "EarningRule":
        check_fields(
            self.kind,
            {
                name
                for name, field in type(self).model_fields.items()
                if getattr(self, name) != field.get_default(call_default_factory=True)
            },
        )
        if self.kind in HAPPENINGS and self.points is not None and self.points % 1:
            raise RuleFault(f"points of kind {self.kind!r} are a whole number", "points")
        return self

    @model_validator(mode="after")
    def _can_match(self) -> "EarningRule":
        if self.from_on and self.until_on:
            days = (self.until_on - self.from_on).days + 1
            if days < 1:
                reason = f"it can never match: {self.until_on} is before {self.from_on}"
                raise RuleFault(reason, "until_on")
            on = {WEEKDAYS[(self.from_on + timedelta(n)).weekday()] for n in range(min(days, 7))}
            if self.weekdays is not None and not on & self.weekdays:
                reason = "it can never match: none of its weekdays lies in its window"
                raise RuleFault(reason, "weekdays")
        for field in ("skus", "categories"):
            only, never = getattr(self, field), getattr(self, f"except_{field}")
            if only is not None and only <= never:
                reason = f"it can never match: except_{field} excludes all of its {field}"
                raise RuleFault(reason, f"except_{field}")
        return self


class RuleSet(NamedTuple):
    """All earning rules, in the order in which they are asked.

    Attributes:
        rules: those about sales.
        happenings: those about what is no sale.
        text: all of them as JSON, as they are kept for those who look at old entries.
        version: short digest of the text: other rules have another.
    """

    rules: tuple[EarningRule, ...]
    happenings: tuple[EarningRule, ...]
    text: str
    version: str


def rule_set(rules: Sequence[EarningRule]) -> RuleSet:
    """Return rules with what identifies them."""
    told = [rule.model_dump(mode="json", exclude_defaults=True) for rule in rules]
    text = orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode()
    ordered = in_order(rules)
    return RuleSet(
        tuple(rule for rule in ordered if rule.kind not in HAPPENINGS),
        tuple(rule for rule in ordered if rule.kind in HAPPENINGS),
        text,
        hashlib.sha256(text.encode()).hexdigest()[:16],
    )


def in_order(rules: Sequence[EarningRule]) -> tuple[EarningRule, ...]:
    """Return rules by priority, the highest first; equal ones as they stand."""
    return tuple(sorted(rules, key=lambda rule: -rule.priority))
