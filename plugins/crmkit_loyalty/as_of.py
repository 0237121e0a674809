"""What accounts held at a past instant: their entries up to then, followed again."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, case, select

from crmkit import table_of
from crmkit_loyalty.lifetime import Lifetime
from crmkit_loyalty.lots import AccountKey, OpenLot
from crmkit_loyalty.models import EntryKind, LedgerEntry, Lot
from crmkit_loyalty.replaying import Dates, Replay, told_dates
from crmkit_loyalty.restarting import restarted
from crmkit_loyalty.settings import LoyaltySettings

_entry, _lot = table_of(LedgerEntry), table_of(Lot)


class Held(NamedTuple):
    """An account at an instant.

    Attributes:
        debt: points taken that no lot had paid by then.
        lots: those with points left that had not expired, in the order of their use.
    """

    account: AccountKey
    debt: int
    lots: list[OpenLot]

    @property
    def balance(self) -> int:
        """Points there were, pending ones too."""
        return sum(lot.left for lot in self.lots)


def entries_until(
    customers: Collection[UUID], at: datetime, known_at: datetime | None
) -> Select[Any]:
    """Select the entries of customers up to an instant, in the order recorded.

    Each comes with the dates of the lot it opened, and the entry whose lot it takes from first.

    Args:
        known_at: only entries recorded by then; None for all.
    """
    first = case(
        (_entry.c.kind == EntryKind.EXPIRY, _entry.c.source_id), else_=_entry.c.reverses_entry_id
    )
    statement = (
        select(
            _entry.c.customer_id, _entry.c.id, _entry.c.kind, _entry.c.point_kind,
            _entry.c.points_delta, _entry.c.source, _entry.c.occurred_at, _entry.c.explanation,
            first.label("lot_of"), _lot.c.active_from, _lot.c.expires_at,
        )
        .outerjoin(_lot, _lot.c.entry_id == _entry.c.id)
        .where(_entry.c.customer_id.in_(sorted(customers)), _entry.c.occurred_at <= at)
        .order_by(_entry.c.customer_id, _entry.c.id)
    )  # fmt: skip
    return statement if known_at is None else statement.where(_entry.c.recorded_at <= known_at)


def held_at(
    customer_id: UUID, entries: Iterable[Mapping[str, Any]], at: datetime, settings: LoyaltySettings
) -> list[Held]:
    """Return what a customer's accounts held at an instant, in the order of the kinds.

    What had expired by then is gone, whether or not its expiry was posted.

    Args:
        entries: as `entries_until` selects them.
    """
    entries = list(entries)
    replay = Replay(customer_id, _dates(entries, settings), settings)
    for each in entries:
        replay.post(
            each["id"],
            each["kind"],
            each["point_kind"],
            each["points_delta"],
            each["occurred_at"],
            each["explanation"],
            each["lot_of"],
        )
    return [
        Held(
            account,
            sum(missing for _, missing in holding.owed),
            [lot for lot in holding.lots if at < lot.expires_at],
        )
        for account, holding in sorted(replay.holdings.items())
    ]


def _dates(entries: Iterable[Mapping[str, Any]], settings: LoyaltySettings) -> dict[UUID, Dates]:
    """Return the dates of lots; a lifetime that restarts is the one that purchases had given."""
    by_id = {each["id"]: each for each in entries}
    accruals: defaultdict[str, list[datetime]] = defaultdict(list)
    for each in by_id.values():
        if each["kind"] == EntryKind.ACCRUAL and each["source"] == "transaction":
            accruals[each["point_kind"]].append(each["occurred_at"])
    dates: dict[UUID, Dates] = {}
    for each in by_id.values():
        until, kind = each["expires_at"], each["point_kind"]
        lifetime = settings.terms_of(kind).lifetime
        if until is not None and lifetime.restarts:
            first = _first_expiry(each, by_id, lifetime) or until
            until = min(until, restarted(first, accruals[kind], lifetime))
        if each["points_delta"] > 0:
            dates[each["id"]] = each["active_from"], until
    return dates


def _first_expiry(
    entry: Mapping[str, Any], by_id: Mapping[UUID, Mapping[str, Any]], lifetime: Lifetime
) -> datetime | None:
    """Return when points would expire without later purchases; those that came back, as before."""
    told = told_dates(entry["explanation"])
    if told is not None:
        return told[1]
    if entry["kind"] == EntryKind.REVERSAL:
        return _first_expiry(by_id[entry["lot_of"]], by_id, lifetime)
    return lifetime.expires_at(entry["occurred_at"])
