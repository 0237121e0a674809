"""What other plugins multiply points by: the tier a customer held just before a transaction.

Whoever offers the service `tiers.multiplier` decides; without it nothing is multiplied.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import prod
from typing import Any
from uuid import UUID

from sqlmodel import Session

from crmkit import RecordedTransaction, Services

Multiplier = tuple[str, str, Decimal]
"""Tier set, tier, and factor."""


def load_multipliers(
    session: Session, services: Services, transactions: Iterable[RecordedTransaction]
) -> Mapping[UUID, Sequence[Multiplier]]:
    """Return what multiplies the points of each transaction that has a customer."""
    multiplier = services.find("tiers.multiplier", 1)
    if multiplier is None:
        return {}
    owned = [each for each in transactions if each.customer_id is not None]
    found = multiplier(session, [(each.customer_id, each.occurred_at) for each in owned])
    return {each.id: some for each, some in zip(owned, found, strict=True) if some}


def factor_of(applied: Iterable[Multiplier]) -> Fraction:
    """Return the product of some multipliers; 1 if there are none."""
    return prod((Fraction(factor) for _, _, factor in applied), start=Fraction(1))


def as_inputs(applied: Sequence[Multiplier]) -> Mapping[str, Any]:
    """Return multipliers as an entry's explanation shows them; nothing if there are none."""
    if not applied:
        return {}
    tiers = [
        {"tier_set": name, "tier": tier, "multiplier": format(factor, "f")}
        for name, tier, factor in applied
    ]
    return {"tiers": tiers}
