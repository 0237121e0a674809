"""Lifetimes that begin anew with each purchase: moving the dates of the lots that are there."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, case, select, update
from sqlmodel import Session

from crmkit import table_of
from crmkit_loyalty.lifetime import Lifetime
from crmkit_loyalty.lots import AccountKey
from crmkit_loyalty.models import EntryKind, LedgerEntry, Lot
from crmkit_loyalty.settings import LoyaltySettings

_CHUNK = 500
_RECEIVED = EntryKind.TRANSFER_IN, EntryKind.MERGE_IN
_lot, _entry = table_of(Lot), table_of(LedgerEntry)
_move = update(_lot).where(_lot.c.id == bindparam("lot")).values(expires_at=bindparam("until"))


def restarted(expires_at: datetime, accruals: Iterable[datetime], lifetime: Lifetime) -> datetime:
    """Return when points expire whose lifetime begins anew with each accrual in time. Pure.

    An accrual after they expired comes too late, so the order in which accruals became known does
    not matter.
    """
    for at in sorted(accruals):
        if at >= expires_at:
            break
        expires_at = max(expires_at, lifetime.expires_at(at) or expires_at)
    return expires_at


def restart(session: Session, accounts: Iterable[AccountKey], settings: LoyaltySettings) -> None:
    """Let the points of some accounts live as long as their accruals say, all of them known."""
    customers: defaultdict[str, list[UUID]] = defaultdict(list)
    for customer_id, kind in sorted(accounts):
        customers[kind].append(customer_id)
    for kind, ids in customers.items():
        lifetime = settings.terms_of(kind).lifetime
        for start in range(0, len(ids) if lifetime.restarts else 0, _CHUNK):
            _restart(session, ids[start : start + _CHUNK], kind, lifetime)


def _restart(session: Session, customers: list[UUID], kind: str, lifetime: Lifetime) -> None:
    accruals: defaultdict[UUID, list[datetime]] = defaultdict(list)
    wanted = select(_entry.c.customer_id, _entry.c.occurred_at).where(
        _entry.c.customer_id.in_(customers),
        _entry.c.point_kind == kind,
        _entry.c.kind == EntryKind.ACCRUAL,
        _entry.c.source == "transaction",
    )
    for customer, at in session.execute(wanted):
        accruals[customer].append(at)
    # Purchases from before points were received do not concern them.
    received = case((_entry.c.kind.in_(_RECEIVED), _entry.c.occurred_at))
    lots = select(_lot.c.id, _lot.c.customer_id, _lot.c.expires_at, received).join_from(
        _lot, _entry, _entry.c.id == _lot.c.entry_id
    )
    lots = lots.where(
        _lot.c.customer_id.in_(customers),
        _lot.c.point_kind == kind,
        ~_lot.c.is_expired,
        _lot.c.expires_at.is_not(None),
    )
    moved = []
    for id_, customer, expires_at, since in session.execute(lots):
        mine = [at for at in accruals[customer] if since is None or at > since]
        until = restarted(expires_at, mine, lifetime)
        if until != expires_at:
            moved.append({"lot": id_, "until": until})
    if moved:
        session.connection().execute(_move, moved)
