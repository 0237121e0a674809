"""Which lots pay for points that go: soonest to expire first, then oldest. Pure, but for ids."""

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from uuid import UUID

from crmkit import new_id

NEVER = datetime.max.replace(tzinfo=UTC)

Use = tuple[UUID, UUID, int]
"""Lot, entry that takes from it, points."""


@dataclass(slots=True, order=True)
class OpenLot:
    """A lot that has points left; lots sort in the order in which they are used.

    Attributes:
        origin_id: the accrual that the points go back to: a return took them, and was undone.
    """

    expires_at: datetime
    active_from: datetime
    entry_id: UUID
    id: UUID = field(compare=False)
    left: int = field(compare=False)
    origin_id: UUID = field(compare=False)


def open_lot(
    id_: UUID,
    entry_id: UUID,
    left: int,
    active_from: datetime | None,
    expires_at: datetime | None,
    origin_id: UUID | None = None,
) -> OpenLot:
    """Return a lot with points left; what has no date sorts last."""
    until, since = expires_at or NEVER, active_from or NEVER
    return OpenLot(until, since, entry_id, id_, left, origin_id or entry_id)


@dataclass(slots=True)
class Holding:
    """What one customer has and owes while entries are posted.

    Attributes:
        net: sum of the entries: balance minus debt.
        last_entry_id: the latest entry.
        lots: lots with points left, in the order of their use.
        owed: entries that no lot has paid yet, oldest first, with what is missing.
    """

    net: int = 0
    last_entry_id: UUID | None = None
    lots: list[OpenLot] = field(default_factory=list)
    owed: list[tuple[UUID, int]] = field(default_factory=list)

    def next_entry_id(self) -> UUID:
        """Return an id that is greater than that of every entry so far, whatever clocks do."""
        last, made = self.last_entry_id, new_id()
        self.last_entry_id = made if last is None or made > last else UUID(int=last.int + 1)
        return self.last_entry_id

    def credit(self, lot: OpenLot) -> list[Use]:
        """Add a lot; what is owed is paid from it first."""
        self.net += lot.left
        uses: list[Use] = []
        while self.owed and lot.left:
            entry_id, missing = self.owed.pop(0)
            paid = _use(lot, entry_id, missing, uses)
            if paid < missing:
                self.owed.insert(0, (entry_id, missing - paid))
        if lot.left:
            insort(self.lots, lot)
        return uses

    def debit(self, entry_id: UUID, points: int, first: UUID | None = None) -> list[Use]:
        """Take points from lots; what they do not cover is owed.

        Args:
            points: how many go, as a positive number.
            first: entry whose lots are used before all others.
        """
        self.net -= points
        uses: list[Use] = []
        for lot in self._in_order(first):
            if not points:
                break
            points -= _use(lot, entry_id, points, uses)
        self.lots = [lot for lot in self.lots if lot.left]
        if points:
            self.owed.append((entry_id, points))
        return uses

    def prolong(self, at: datetime, until: datetime) -> None:
        """Let the lots that have not expired at an instant expire no sooner than `until`."""
        for lot in self.lots:
            if at < lot.expires_at < until:
                lot.expires_at = until
        self.lots.sort()

    def due(self, at: datetime) -> list[OpenLot]:
        """Return the lots that have expired at an instant, nearest first."""
        return list(takewhile(lambda lot: lot.expires_at <= at, self.lots))

    def _in_order(self, first: UUID | None) -> Iterable[OpenLot]:
        return sorted(self.lots, key=lambda lot: lot.entry_id != first) if first else self.lots


def _use(lot: OpenLot, entry_id: UUID, wanted: int, uses: list[Use]) -> int:
    taken = min(lot.left, wanted)
    lot.left -= taken
    uses.append((lot.id, entry_id, taken))
    return taken
