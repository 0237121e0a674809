"""`crmkit tiers simulate`: what tiers would be under other rules, beside those of today."""

from collections.abc import Mapping
from typing import Any

from crmkit import Chart, Crm, Findings, Matrix, Option, Report
from crmkit.rehearsing import open_copy, read_period, read_section, told_of
from crmkit_tiers.moves import Moves, moves_between
from crmkit_tiers.rehearsal import Rehearsed, rehearse

OPTIONS = (
    Option("rules", "file", "File with a section [plugin.tiers]: the new rules.", is_required=True),
    Option("from", "date", "First day to tell of.", is_required=True),
    Option("to", "date", "Last day to tell of.", is_required=True),
)

Place = tuple[str, str]
"""Tier set and tier."""


def run(crm: Crm, values: Mapping[str, Any]) -> Report:
    """Rehearse the shop's history by the rules of today and by new ones; writes nothing to it.

    Raises:
        SettingsError: the file of rules cannot be read.
        PluginError: the rules are wrong.
        BadPeriod: the days are.
    """
    new = read_section(values["rules"], "tiers")
    period = read_period(values["from"], values["to"], crm.clock.now(), crm.settings.zone)
    with (
        crm.read(unhurried=True) as shop,
        open_copy(crm, shop, "tiers", crm.settings.plugin.get("tiers", {})) as old_copy,
        open_copy(crm, shop, "tiers", new) as new_copy,
    ):
        before, after = (rehearse(crm, shop, copy, period) for copy in (old_copy, new_copy))
        with old_copy.read() as left, new_copy.read() as right:
            moves = moves_between(left, right, before.settings.sets, after.settings.sets)
        return Report(
            True,
            (
                Findings(
                    "sizes", ("on", "tier_set", "tier", "today", "new"), _sizes(before, after)
                ),
                Findings(
                    "moves",
                    ("tier_set", "today", "new", "customers"),
                    _counts(before, after, moves),
                ),
                Findings("customers", ("tier_set", "customer", "today", "new"), moves.listed),
                Findings(
                    "left_out",
                    ("customer", "tier_set", "tier", "given_on"),
                    after.left_out,
                ),
            ),
            notes=(told_of(period, values["rules"]),),
            charts=_charts(before, after),
            matrices=_matrices(before, after, moves),
        )


def _charts(before: Rehearsed, after: Rehearsed) -> list[Chart]:
    """Return how many customers hold each tier at the ends of months."""
    days = sorted(before.sizes)
    return [
        Chart(
            f"Customers in {tier} of {name} at the end of each month",
            [f"{day:%Y-%m}" for day in days],
            {
                side: [made.sizes[day].get((name, tier), 0) for day in days]
                for side, made in (("today's rules", before), ("new rules", after))
            },
        )
        for name, tier in _places(before, after)
    ]


def _matrices(before: Rehearsed, after: Rehearsed, moves: Moves) -> list[Matrix]:
    """Return where the customers of each tier set would be."""
    places = _places(before, after)
    matrices = []
    for name in dict.fromkeys(name for name, _ in places):
        tiers = [tier for of_set, tier in places if of_set == name]
        counts = [[moves.counts.get((name, was, is_), 0) for is_ in tiers] for was in tiers]
        matrices.append(
            Matrix(
                f"Customers of {name} by tier", "today's rules", "new rules", tiers, tiers, counts
            )
        )
    return matrices


def _places(before: Rehearsed, after: Rehearsed) -> list[Place]:
    """Return all tiers, lowest first in their sets; what only the old rules have comes last."""
    places = {
        (name, tier.name): None
        for made in (after, before)
        for name, tier_set in made.settings.sets.items()
        for tier in tier_set.tiers
    }
    return sorted(places, key=lambda place: place[0])


def _sizes(before: Rehearsed, after: Rehearsed) -> list[tuple[Any, ...]]:
    return [
        (day, *place, sizes.get(place, 0), after.sizes[day].get(place, 0))
        for day, sizes in sorted(before.sizes.items())
        for place in _places(before, after)
    ]


def _counts(before: Rehearsed, after: Rehearsed, moves: Moves) -> list[tuple[Any, ...]]:
    """Return how many there are of each pair of tiers, those who stay included."""
    rank = {place: number for number, place in enumerate(_places(before, after))}
    counted = [(*pair, customers) for pair, customers in moves.counts.items()]
    return sorted(
        counted,
        key=lambda row: (row[0], *(rank.get((row[0], tier or ""), -1) for tier in row[1:3])),
    )
