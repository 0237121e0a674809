"""Making lots and allocations of one customer again, entry by entry. Pure, but for new ids."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from crmkit import new_id
from crmkit_loyalty.lots import AccountKey, Holding, OpenLot, Part, Use, open_lot
from crmkit_loyalty.models import SPENDING
from crmkit_loyalty.settings import LoyaltySettings

Dates = tuple[datetime | None, datetime | None]
"""From when a lot can be spent, and when it expires."""


class Replay:
    """The entries of a customer so far.

    Attributes:
        holdings: what each account has and owes.
        lots: every lot that was opened, as it was opened.
        uses: what entries took from lots and gave back.
    """

    def __init__(
        self, customer_id: UUID, dates: Mapping[UUID, Dates], settings: LoyaltySettings
    ) -> None:
        """Begin with an empty book.

        Args:
            dates: of the lots whose dates are known, by the entry that opened each.
        """
        self._customer_id, self._dates, self._settings = customer_id, dates, settings
        self._lot_of: dict[str, OpenLot] = {}
        self.holdings: defaultdict[AccountKey, Holding] = defaultdict(Holding)
        self.lots: list[tuple[AccountKey, OpenLot]] = []
        self.uses: list[Use] = []

    def post(
        self,
        id_: UUID,
        kind: str,
        point_kind: str,
        points: int,
        at: datetime,
        explanation: Mapping[str, Any],
        lot_of: UUID | None,
    ) -> None:
        """Follow an entry.

        Args:
            lot_of: the entry whose lot it takes from before others.
        """
        account = AccountKey(self._customer_id, point_kind)
        holding = self.holdings[account]
        if "lots" in explanation:
            parts = self._listed(explanation)
            move = holding.give_back if points > 0 else holding.take
            self.uses += move(id_, parts)
            if not explanation.get("redeemed"):
                self.uses += holding.settle(at)
        elif points < 0:
            self.uses += holding.debit(id_, -points, lot_of, at if kind in SPENDING else None)
        else:
            unknown = told_dates(explanation) or self._lifetime(point_kind, at)
            lot = open_lot(new_id(), id_, points, *self._dates.get(id_, unknown))
            self._lot_of[id_.hex] = lot
            self.lots.append((account, replace(lot)))
            self.uses += holding.credit(lot)

    def _lifetime(self, point_kind: str, at: datetime) -> Dates:
        return at, self._settings.terms_of(point_kind).lifetime.expires_at(at)

    def _listed(self, explanation: Mapping[str, Any]) -> list[Part]:
        return [(self._lot_of[entry], points) for entry, points in explanation["lots"].items()]


def told_dates(explanation: Mapping[str, Any]) -> tuple[datetime, datetime | None] | None:
    """Return the dates that an entry's explanation gives its lot; None if they are derived."""
    told = explanation.get("dates")
    if not told:
        return None
    since, until = told
    return datetime.fromisoformat(since), datetime.fromisoformat(until) if until else None
