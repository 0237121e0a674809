"""Lots and allocations as rows for `crmkit.insert_rows`."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from crmkit import wire_instant
from crmkit_loyalty.lots import NEVER, OpenLot, Use

LOT_COLUMNS = ("id", "customer_id", "entry_id", "points", "active_from", "expires_at")
ALLOCATION_COLUMNS = ("lot_id", "entry_id", "customer_id", "points")


def lot_row(lot: OpenLot, customer_id: UUID, active_from: str | None) -> tuple[Any, ...]:
    """Return a lot that nothing was taken from yet as `LOT_COLUMNS` has it."""
    expires = None if lot.expires_at is NEVER else wire_instant(lot.expires_at)
    return lot.id.hex, customer_id.hex, lot.entry_id.hex, lot.left, active_from, expires


def allocation_rows(customer_id: UUID, uses: Iterable[Use]) -> list[tuple[Any, ...]]:
    """Return what entries took from lots as `ALLOCATION_COLUMNS` has it."""
    return [
        (lot_id.hex, entry_id.hex, customer_id.hex, points) for lot_id, entry_id, points in uses
    ]
