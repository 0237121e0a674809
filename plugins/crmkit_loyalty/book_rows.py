"""Entries, accounts, lots and allocations as rows for `crmkit.insert_rows`."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from crmkit import wire_instant
from crmkit_loyalty.entries import Draft, Posted
from crmkit_loyalty.lots import NEVER, AccountKey, Holding, OpenLot, Part, Use
from crmkit_loyalty.point_kinds import POINTS

ENTRY_COLUMNS = (
    "id", "customer_id", "kind", "point_kind", "points_delta", "balance_after", "source",
    "source_id", "line", "rule", "explanation", "reason_code", "reason", "actor",
    "idempotency_key", "fingerprint", "occurred_at", "recorded_at", "business_on",
    "reverses_entry_id",
)  # fmt: skip
ACCOUNT_COLUMNS = ("customer_id", "point_kind", "balance", "debt", "last_entry_id")
LOT_COLUMNS = ("id", "customer_id", "point_kind", "entry_id", "points", "active_from", "expires_at")
ALLOCATION_COLUMNS = ("lot_id", "entry_id", "customer_id", "points")


class BookRows:
    """The rows that posting entries has led to, apart from accounts.

    Attributes:
        entries: as `ENTRY_COLUMNS` has them.
        lots: as `LOT_COLUMNS` has them.
        gives_back: whether points went back to lots; their allocations may be there already.
    """

    def __init__(self, recorded_at: datetime, zone: ZoneInfo) -> None:
        self._recorded_at, self._zone = wire_instant(recorded_at), zone
        self._uses: defaultdict[UUID, list[Use]] = defaultdict(list)
        self.entries: list[tuple[Any, ...]] = []
        self.lots: list[tuple[Any, ...]] = []
        self.gives_back = False

    def add_entry(self, entry: Posted, draft: Draft, balance_after: int) -> None:
        """Add an entry."""
        on = draft.occurred_at.astimezone(self._zone).date().isoformat()
        self.entries.append(entry_row(entry, draft, balance_after, self._recorded_at, on))

    def add_lot(self, lot: OpenLot, account: AccountKey) -> None:
        """Add a lot that nothing was taken from yet."""
        self.lots.append(lot_row(lot, account))

    def add_uses(self, customer_id: UUID, uses: Iterable[Use]) -> None:
        """Add what entries took from lots, or gave back."""
        for use in uses:
            self._uses[customer_id].append(use)
            self.gives_back |= use[2] < 0

    def allocations(self) -> list[tuple[Any, ...]]:
        """Return what entries took and gave back as `ALLOCATION_COLUMNS` has it."""
        return [row for id_, uses in self._uses.items() for row in allocation_rows(id_, uses)]


def entry_row(
    entry: Posted, draft: Draft, balance_after: int, recorded_at: str, business_on: str
) -> tuple[Any, ...]:
    """Return an entry as `ENTRY_COLUMNS` has it."""
    source_id = entry.source_id.hex if entry.source_id else None
    reverses = entry.reverses_entry_id.hex if entry.reverses_entry_id else None
    kind = "" if entry.point_kind == POINTS else entry.point_kind
    parts = entry.kind, draft.rule, source_id, reverses, str(draft.line or ""), kind
    key = draft.key or ":".join(filter(None, parts))
    return (
        entry.id.hex, entry.customer_id.hex, str(entry.kind), entry.point_kind,
        entry.points_delta, balance_after, draft.source, source_id, draft.line, draft.rule,
        orjson.dumps(draft.explanation).decode(), draft.reason_code, draft.reason, draft.actor,
        key, draft.fingerprint, wire_instant(draft.occurred_at), recorded_at, business_on,
        reverses,
    )  # fmt: skip


def account_row(account: AccountKey, held: Holding) -> tuple[Any, ...]:
    """Return an account that has entries as `ACCOUNT_COLUMNS` has it."""
    last = held.last_entry_id.hex if held.last_entry_id else None
    return account.customer_id.hex, account.point_kind, max(held.net, 0), max(-held.net, 0), last


def lot_row(lot: OpenLot, account: AccountKey) -> tuple[Any, ...]:
    """Return a lot that nothing was taken from yet as `LOT_COLUMNS` has it."""
    active, expires = (
        None if at is NEVER else wire_instant(at) for at in (lot.active_from, lot.expires_at)
    )
    customer_id, kind = account
    return lot.id.hex, customer_id.hex, kind, lot.entry_id.hex, lot.left, active, expires


def allocation_rows(customer_id: UUID, uses: Iterable[Use]) -> list[tuple[Any, ...]]:
    """Return what entries took from lots, and gave back, as `ALLOCATION_COLUMNS` has it."""
    points_of: Counter[tuple[UUID, UUID]] = Counter()
    for lot_id, entry_id, points in uses:
        points_of[lot_id, entry_id] += points
    return [
        (lot_id.hex, entry_id.hex, customer_id.hex, points)
        for (lot_id, entry_id), points in points_of.items()
    ]


def listed(parts: Iterable[Part]) -> Mapping[str, Any]:
    """Return lots as an explanation lists them: by the entry that opened each, with the points."""
    return {"lots": {lot.entry_id.hex: points for lot, points in parts}}
