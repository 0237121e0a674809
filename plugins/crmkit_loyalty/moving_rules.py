"""Points that go from one customer to another and keep their dates. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from crmkit import wire_instant
from crmkit_loyalty.lots import NEVER, OpenLot


class Moved(NamedTuple):
    """Points with the same dates.

    Attributes:
        active_from: first instant at which they can be spent.
        expires_at: first instant at which they are worth nothing; null means never.
    """

    points: int
    active_from: datetime
    expires_at: datetime | None

    @property
    def dates(self) -> tuple[datetime, datetime | None]:
        """Both dates."""
        return self.active_from, self.expires_at

    def told(self) -> list[str | None]:
        """Return the dates as an explanation tells them."""
        until = None if self.expires_at is None else wire_instant(self.expires_at)
        return [wire_instant(self.active_from), until]


def spendable(lots: Iterable[OpenLot], points: int, at: datetime) -> list[Moved]:
    """Return which points go when some are spent, those of equal dates together.

    Args:
        lots: in the order of their use.
        points: at most what can be spent.
        at: only lots are used that can be spent at this instant.
    """
    moved: dict[tuple[datetime, datetime | None], int] = {}
    for lot in lots:
        if lot.active_from <= at < lot.expires_at:
            taken = min(points, lot.left)
            dates = lot.active_from, None if lot.expires_at is NEVER else lot.expires_at
            if taken:
                moved[dates] = moved.get(dates, 0) + taken
            points -= taken
    return [Moved(taken, *dates) for dates, taken in moved.items()]
