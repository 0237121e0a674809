"""Which lots pay for points that go: soonest to expire first, then oldest. Pure, but for ids."""

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from typing import NamedTuple
from uuid import UUID

from crmkit import new_id

NEVER = datetime.max.replace(tzinfo=UTC)


class AccountKey(NamedTuple):
    """Whose account it is, and of which kind of points."""

    customer_id: UUID
    point_kind: str


Use = tuple[UUID, UUID, int]
"""Lot, entry that takes from it, points."""


@dataclass(slots=True, order=True)
class OpenLot:
    """A lot that has points left; lots sort in the order in which they are used.

    Attributes:
        points: what it had at first.
        origin_id: the entry that the points go back to: a return took them, and was undone; or they
            were merged.
    """

    expires_at: datetime
    active_from: datetime
    entry_id: UUID
    id: UUID = field(compare=False)
    left: int = field(compare=False)
    points: int = field(compare=False)
    origin_id: UUID = field(compare=False)


Part = tuple[OpenLot, int]
"""A lot, and points that are taken from it or given back to it."""


def open_lot(
    id_: UUID,
    entry_id: UUID,
    left: int,
    active_from: datetime | None,
    expires_at: datetime | None,
    origin_id: UUID | None = None,
    points: int | None = None,
) -> OpenLot:
    """Return a lot with points left, by default all; what has no date sorts last."""
    until, since = expires_at or NEVER, active_from or NEVER
    points = left if points is None else points
    return OpenLot(until, since, entry_id, id_, left, points, origin_id or entry_id)


@dataclass(slots=True)
class Holding:
    """What one account has and owes while entries are posted.

    Attributes:
        net: sum of the entries: balance minus debt.
        last_entry_id: the latest entry.
        is_blocked: as `LoyaltyAccount` has it, like `merged_into`.
        lots: lots with points left, in the order of their use.
        owed: entries that no lot has paid yet, oldest first, with what is missing.
    """

    net: int = 0
    last_entry_id: UUID | None = None
    is_blocked: bool = False
    merged_into: UUID | None = None
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
        uses = self._pay_from(lot)
        if lot.left:
            insort(self.lots, lot)
        return uses

    def _pay_from(self, lot: OpenLot) -> list[Use]:
        uses: list[Use] = []
        while self.owed and lot.left:
            entry_id, missing = self.owed.pop(0)
            paid = _use(lot, entry_id, missing, uses)
            if paid < missing:
                self.owed.insert(0, (entry_id, missing - paid))
        return uses

    def settle(self, at: datetime) -> list[Use]:
        """Pay what is owed from lots that have not expired at an instant."""
        uses = [use for lot in self.lots if at < lot.expires_at for use in self._pay_from(lot)]
        self._drop_empty()
        return uses

    def give_back(self, entry_id: UUID, parts: Iterable[Part]) -> list[Use]:
        """Put points back into the lots they were taken from; what is owed stays owed."""
        uses: list[Use] = []
        for lot, points in parts:
            self.net += points
            if not lot.left:
                insort(self.lots, lot)
            lot.left += points
            uses.append((lot.id, entry_id, -points))
        return uses

    def take(self, entry_id: UUID, parts: Iterable[Part]) -> list[Use]:
        """Take points from the lots named, whatever their dates."""
        uses: list[Use] = []
        for lot, points in parts:
            self.net -= _use(lot, entry_id, points, uses)
        self._drop_empty()
        return uses

    def debit(
        self,
        entry_id: UUID,
        points: int,
        first: UUID | None = None,
        active_at: datetime | None = None,
    ) -> list[Use]:
        """Take points from lots; what they do not cover is owed.

        Args:
            points: how many go, as a positive number.
            first: entry whose lots are used before all others.
            active_at: only lots are used that can be spent at this instant.
        """
        self.net -= points
        uses: list[Use] = []
        for lot in self._in_order(first):
            if not points:
                break
            if active_at is None or lot.active_from <= active_at:
                points -= _use(lot, entry_id, points, uses)
        self._drop_empty()
        if points:
            self.owed.append((entry_id, points))
        return uses

    def _drop_empty(self) -> None:
        self.lots = [lot for lot in self.lots if lot.left]

    def prolong(self, at: datetime, until: datetime) -> None:
        """Let the lots that have not expired at an instant expire no sooner than `until`."""
        for lot in self.lots:
            if at < lot.expires_at < until:
                lot.expires_at = until
        self.lots.sort()

    def active(self, at: datetime) -> int:
        """Return the points that can be spent at an instant."""
        return sum(lot.left for lot in self.lots if lot.active_from <= at < lot.expires_at)

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
