"""What points earned at some moment are multiplied by: the service `tiers.multiplier`."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from crmkit import Service, table_of
from crmkit_tiers.models import TierChange, TierMembership
from crmkit_tiers.settings import TiersSettings

_CHUNK = 500
_change, _membership = table_of(TierChange), table_of(TierMembership)

Wanted = tuple[UUID, datetime]
"""A customer and a moment."""
Multiplier = tuple[str, str, Decimal]
"""Tier set, tier, and what it multiplies points by."""
Spell = tuple[datetime, str]
"""Since when a tier was held."""


def multiplier_service(settings: TiersSettings) -> Service:
    """Return the service, bound to the tier sets of one application."""

    def call(session: Session, wanted: Sequence[Wanted]) -> list[list[Multiplier]]:
        return multipliers(session, settings, wanted)

    return Service(
        "tiers.multiplier",
        1,
        "Takes a session and pairs of a customer's id and a moment; gives for each pair, in order, "
        "the tiers held just before it that multiply points: set, tier, and factor.",
        call,
    )


def multipliers(
    session: Session, settings: TiersSettings, wanted: Sequence[Wanted]
) -> list[list[Multiplier]]:
    """Return what multiplies the points that customers earn at some moments.

    A tier counts from just after the moment it was won: what won it earned with the one before.
    """
    sets = {
        name: {tier.name: tier.point_multiplier for tier in each.tiers}
        for name, each in settings.sets.items()
        if any(tier.point_multiplier != 1 for tier in each.tiers)
    }
    found: list[list[Multiplier]] = [[] for _ in wanted]
    if not sets or not wanted:
        return found
    spells = spells_of(session, list(sets), wanted)
    for name, factors in sets.items():
        first = settings.sets[name].tiers[0].name
        for (who, at), applied in zip(wanted, found, strict=True):
            held = [tier for since, tier in spells[(who, name)] if since < at]
            tier = held[-1] if held else first
            factor = factors.get(tier, Decimal(1))
            if factor != 1:
                applied.append((name, tier, factor))
    return found


def spells_of(
    session: Session, sets: Sequence[str], wanted: Sequence[Wanted]
) -> Mapping[tuple[UUID, str], list[Spell]]:
    """Return since when which tiers were held, the oldest first, as far back as is asked for."""
    earliest: dict[UUID, datetime] = {}
    for who, at in wanted:
        earliest[who] = min(at, earliest.get(who, at))
    spells: defaultdict[tuple[UUID, str], list[Spell]] = defaultdict(list)
    earlier: set[UUID] = set()
    for who, name, tier, since in _rows(session, _now(sets), sorted(earliest)):
        spells[(who, name)].append((since, tier))
        if since >= earliest[who]:
            earlier.add(who)
    if earlier:
        past: defaultdict[tuple[UUID, str], list[Spell]] = defaultdict(list)
        for who, name, tier, since in _rows(session, _past(sets), sorted(earlier)):
            past[(who, name)].append((since, tier))
        spells.update(past)
    return spells


def _now(sets: Sequence[str]) -> Any:
    table = _membership
    return select(table.c.customer_id, table.c.tier_set, table.c.tier, table.c.effective_at).where(
        table.c.tier_set.in_(sets)
    )


def _past(sets: Sequence[str]) -> Any:
    table = _change
    return (
        select(table.c.customer_id, table.c.tier_set, table.c.to_tier, table.c.effective_at)
        .where(table.c.tier_set.in_(sets))
        .order_by(table.c.customer_id, table.c.tier_set, table.c.number)
    )


def _rows(
    session: Session, statement: Any, customers: list[UUID]
) -> Iterator[tuple[UUID, str, str, datetime]]:
    of = statement.selected_columns.customer_id
    for start in range(0, len(customers), _CHUNK):
        yield from session.execute(statement.where(of.in_(customers[start : start + _CHUNK])))
