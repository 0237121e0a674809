"""Entries of the points book: what is wanted, and what was posted."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from crmkit_loyalty.lots import AccountKey
from crmkit_loyalty.models import EntryKind
from crmkit_loyalty.point_kinds import POINTS


class Posted(NamedTuple):
    """An entry as far as later ones need to know it.

    Attributes:
        active_from: when the points concerned can be spent; points that come back keep it.
        expires_at: when they expire; points that come back keep this, too.
        lapsed: points of it that had expired when they came back, and lapsed at once.
        weights: by position, the part of each sold line in what a rule gave; None for entries of
            no rule.
    """

    id: UUID
    customer_id: UUID
    kind: str
    point_kind: str
    points_delta: int
    source_id: UUID | None
    reverses_entry_id: UUID | None
    active_from: datetime | None
    expires_at: datetime | None
    weights: Mapping[int, int] | None = None
    lapsed: int = 0

    @property
    def account(self) -> AccountKey:
        """Where it stands."""
        return AccountKey(self.customer_id, self.point_kind)


class Draft(NamedTuple):
    """An entry to be posted; the names are those of `LedgerEntry`.

    Attributes:
        point_kind: which account it moves.
        reverses: the entry it undoes.
        dates: from when its points can be spent, and when they expire; derived unless given.
        key: idempotency key; derived from the other values unless given.
    """

    customer_id: UUID
    kind: EntryKind
    points_delta: int
    occurred_at: datetime
    rule: str
    explanation: Mapping[str, Any]
    source: str = "transaction"
    source_id: UUID | None = None
    reason_code: str | None = None
    reason: str | None = None
    reverses: Posted | None = None
    actor: str | None = None
    key: str | None = None
    fingerprint: str | None = None
    line: int = 0
    point_kind: str = POINTS
    dates: tuple[datetime, datetime | None] | None = None

    @property
    def origin_id(self) -> UUID | None:
        """The entry that points go back to, wherever they were merged to."""
        return self.source_id if self.kind == EntryKind.MERGE_IN else None

    @property
    def account(self) -> AccountKey:
        """Where it will stand."""
        return AccountKey(self.customer_id, self.point_kind)
