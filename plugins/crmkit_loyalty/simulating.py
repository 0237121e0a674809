"""`crmkit loyalty simulate`: what points would be under other rules, beside those of today."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from crmkit import Chart, Crm, Findings, Option, Report
from crmkit.money import currency_digits
from crmkit.rehearsing import Period, open_copy, read_period, read_section, told_of
from crmkit_loyalty.gains import Difference, compare
from crmkit_loyalty.rehearsal import copy_set_rules, rehearse
from crmkit_loyalty.rehearsed_figures import (
    Left,
    Origin,
    Points,
    by_customer,
    by_origin,
    cost_minor,
    left_at_end,
)
from crmkit_loyalty.settings import LoyaltySettings

OPTIONS = (
    Option(
        "rules", "file", "File with a section [plugin.loyalty]: the new rules.", is_required=True
    ),
    Option("from", "date", "First day to tell of.", is_required=True),
    Option("to", "date", "Last day to tell of.", is_required=True),
)


@dataclass(frozen=True, slots=True)
class Side:
    """What came of points under some rules.

    Attributes:
        points: what happened to them in the period.
        left: what is left of each kind at its end.
        digits: decimals of the home currency.
    """

    settings: LoyaltySettings
    points: Mapping[Origin, Points]
    left: Mapping[str, Left]
    digits: int

    def kinds(self) -> set[str]:
        """Return the kinds of points of which there is something to tell."""
        return {origin.point_kind for origin in self.points} | set(self.left)

    def totals(self, kind: str) -> Mapping[str, Any]:
        """Return the figures of one kind of points; money in major units."""
        total = Points()
        for origin, points in self.points.items():
            if origin.point_kind == kind:
                total += points
        left = self.left.get(kind, Left())
        earned = cost_minor(total.issued - total.taken_back, kind, self.settings, self.digits)
        return {
            **total._asdict(),
            "left": left.points,
            "cost_of_what_was_earned": self._major(earned),
            "liability": self._major(left.cost_minor),
        }

    def _major(self, minor: int) -> Decimal:
        return Decimal(minor).scaleb(-self.digits)


def run(crm: Crm, values: Mapping[str, Any]) -> Report:
    """Rehearse the shop's history by the rules of today and by new ones; writes nothing to it.

    Raises:
        SettingsError: the file of rules cannot be read.
        PluginError: the rules are wrong.
        BadPeriod: the days are.
    """
    new = read_section(values["rules"], "loyalty")
    period = read_period(values["from"], values["to"], crm.clock.now(), crm.settings.zone)
    digits = currency_digits(crm.settings.currency)
    with (
        crm.read(unhurried=True) as shop,
        open_copy(crm, shop, "loyalty", crm.settings.plugin.get("loyalty", {})) as old_copy,
        open_copy(crm, shop, "loyalty", new) as new_copy,
    ):
        copy_set_rules(shop, old_copy)
        settings = [rehearse(shop, copy, period) for copy in (old_copy, new_copy)]
        with old_copy.read() as left, new_copy.read() as right:
            before, after = (
                Side(
                    each,
                    by_origin(session, period),
                    left_at_end(session, period, each, digits),
                    digits,
                )
                for session, each in zip((left, right), settings, strict=True)
            )
            counts, listed = compare(by_customer(left, period), by_customer(right, period))
        note = told_of(period, values["rules"])
        return _report(before, after, period, note, counts, listed)


def _report(
    before: Side,
    after: Side,
    period: Period,
    note: str,
    counts: Mapping[tuple[str, str], int],
    listed: Sequence[Difference],
) -> Report:
    kinds = sorted(before.kinds() | after.kinds())
    totals = [
        (kind, figure, today, after.totals(kind)[figure])
        for kind in kinds
        for figure, today in before.totals(kind).items()
    ]
    by_rule = []
    for origin in sorted(before.points.keys() | after.points.keys()):
        today, new = before.points.get(origin, Points()), after.points.get(origin, Points())
        pairs = [each for pair in zip(today, new, strict=True) for each in pair]
        by_rule.append((*origin, *pairs))
    columns = [f"{name}_{side}" for name in Points._fields for side in ("today", "new")]
    gains = [
        (kind, *(counts.get((kind, what), 0) for what in ("gain", "lose", "same")))
        for kind in kinds
    ]
    customers = [(*each, each.points) for each in listed]
    charts = [_chart(before, after, period, kind) for kind in kinds]
    return Report(
        True,
        (
            Findings("totals", ("point_kind", "figure", "today", "new"), totals),
            Findings("points", ("month_until", "point_kind", "rule", *columns), by_rule),
            Findings("gains", ("point_kind", "gain", "lose", "same"), gains),
            Findings(
                "customers", ("point_kind", "customer", "today", "new", "difference"), customers
            ),
        ),
        notes=(note,),
        charts=charts,
    )


def _chart(before: Side, after: Side, period: Period, kind: str) -> Chart:
    """Return the points of a kind that rules issued in each month."""
    ends = period.month_ends()
    issued = {
        name: [
            sum(
                points.issued
                for origin, points in side.points.items()
                if (origin.until, origin.point_kind) == (end, kind)
            )
            for end in ends
        ]
        for name, side in (("today's rules", before), ("new rules", after))
    }
    return Chart(f"{kind}: issued in each month", [f"{end:%Y-%m}" for end in ends], issued)
