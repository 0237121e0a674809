"""Reading accounts, lots and debts, for all customers of a batch at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, case, exists, func, insert, literal, select
from sqlmodel import Session

from crmkit import read_id, read_instant, run_sql, table_of
from crmkit.models import Customer
from crmkit_loyalty.lots import AccountKey, Holding, OpenLot, Part, open_lot
from crmkit_loyalty.models import Allocation, EntryKind, LedgerEntry, Lot, LoyaltyAccount

_CHUNK = 500
_account, _entry = table_of(LoyaltyAccount), table_of(LedgerEntry)
_lot, _allocation = table_of(Lot), table_of(Allocation)
_customer = table_of(Customer)
_undone = select(_entry.c.id, _entry.c.reverses_entry_id.label("reverses")).subquery("undone")
_merged_from = case((_entry.c.kind == EntryKind.MERGE_IN, _entry.c.source_id))
_wanted: BindParameter[Any] = bindparam("wanted", expanding=True)
_kind: BindParameter[str] = bindparam("kind")
_open_missing = insert(_account).from_select(
    ["customer_id", "point_kind", "balance", "debt"],
    select(_customer.c.id, _kind, literal(0), literal(0))
    .where(
        _customer.c.id.in_(_wanted),
        ~exists().where(_account.c.customer_id == _customer.c.id, _account.c.point_kind == _kind),
    )
    .order_by(_customer.c.id),
)
# Whether rules were set is asked along the way: it costs no statement of its own.
_NET = """SELECT customer_id, point_kind, balance - debt, last_entry_id, is_blocked, merged_into,
    EXISTS (SELECT 1 FROM loyalty_earning_rules_version)
    FROM loyalty_account WHERE customer_id IN ?ids ORDER BY customer_id, point_kind"""


_LEFT = """l.points - coalesce(
    (SELECT sum(a.points) FROM loyalty_allocation a WHERE a.lot_id = l.id), 0)"""
_OPEN_LOTS = f"""SELECT l.customer_id, l.point_kind, l.id, l.entry_id, {_LEFT}, l.active_from,
    l.expires_at,
    coalesce(undone.reverses_entry_id, CASE WHEN e.kind = 'merge_in' THEN e.source_id END), l.points
    FROM loyalty_lot l JOIN loyalty_ledger_entry e ON e.id = l.entry_id
    LEFT JOIN loyalty_ledger_entry undone ON undone.id = e.reverses_entry_id
    WHERE l.customer_id IN ?ids AND NOT l.is_expired AND {_LEFT} > 0"""  # noqa: S608 ours


class Locked(NamedTuple):
    """Accounts that nobody else moves until the session ends.

    Attributes:
        holdings: one without lots for each account of each customer that exists.
        has_set_rules: whether earning rules were ever set, as of then.
    """

    holdings: dict[AccountKey, Holding]
    has_set_rules: bool


def lock_accounts(session: Session, customers: Iterable[UUID], kinds: Collection[str]) -> Locked:
    """Open the accounts that are missing and let nobody else move points until the session ends.

    Locks are taken in the order of the ids, so that two batches never wait for each other.

    Args:
        kinds: kinds of points that accounts are opened for; those of others are locked, too.
    """
    wanted = sorted(customers)
    if not wanted:
        return Locked({}, False)
    found = _nets(session, wanted)
    if sum(kind in kinds for _, kind, *_ in found) < len(wanted) * len(kinds):
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            for kind in kinds:
                session.execute(_open_missing, {"wanted": chunk, "kind": kind})
        found = _nets(session, wanted)
    holdings = {
        AccountKey(read_id(id_), kind): Holding(
            net, last and read_id(last), bool(is_blocked), into and read_id(into)
        )
        for id_, kind, net, last, is_blocked, into, _ in found
    }
    return Locked(holdings, any(has_set_rules for *_, has_set_rules in found))


def _nets(session: Session, customers: list[UUID]) -> list[tuple[Any, ...]]:
    """Return balance less debt of the accounts that exist, locked; SQLite has but one writer."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    found: list[tuple[Any, ...]] = run_sql(
        session, _NET if is_sqlite else f"{_NET} FOR UPDATE", customers
    ).fetchall()
    return found


def load_lots(
    session: Session, holdings: dict[AccountKey, Holding], debited: Collection[UUID]
) -> None:
    """Fill in the lots and debts of those who may need them: the debited and the indebted."""
    indebted = {account.customer_id for account, held in holdings.items() if held.net < 0}
    wanted = sorted(indebted | {id_ for id_, _ in holdings if id_ in debited})
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        for account, lot in _open_lots(session, chunk):
            holdings[account].lots.append(lot)
    for held in holdings.values():
        held.lots.sort()
    owing = sorted(indebted)
    for start in range(0, len(owing), _CHUNK):
        for account, entry_id, missing in _owed(session, owing[start : start + _CHUNK]):
            holdings[account].owed.append((entry_id, missing))


def _open_lots(session: Session, customers: list[UUID]) -> Iterable[tuple[AccountKey, OpenLot]]:
    rows = run_sql(session, _OPEN_LOTS, customers).fetchall()
    for customer, kind, id_, entry_id, left, active_from, expires_at, origin, points in rows:
        yield (
            AccountKey(read_id(customer), kind),
            open_lot(
                read_id(id_),
                read_id(entry_id),
                int(left),
                active_from and read_instant(active_from),
                expires_at and read_instant(expires_at),
                origin and read_id(origin),
                points,
            ),
        )


def load_parts(
    session: Session, holdings: Mapping[AccountKey, Holding], entries: Collection[UUID]
) -> dict[UUID, list[Part]]:
    """Return what entries took from lots, in the order of use, also from lots that are empty now.

    Args:
        holdings: the accounts concerned, with their lots.
    """
    known = {lot.id: lot for held in holdings.values() for lot in held.lots}
    used = select(func.sum(_allocation.c.points)).where(_allocation.c.lot_id == _lot.c.id)
    left = _lot.c.points - func.coalesce(used.scalar_subquery(), 0)
    taken = _allocation.alias("taken")
    statement = (
        select(
            taken.c.entry_id,
            taken.c.points,
            _lot.c.id,
            _lot.c.entry_id,
            left,
            _lot.c.active_from,
            _lot.c.expires_at,
            func.coalesce(_undone.c.reverses, _merged_from),
            _lot.c.points,
        )
        .join_from(taken, _lot, _lot.c.id == taken.c.lot_id)
        .join(_entry, _entry.c.id == _lot.c.entry_id)
        .outerjoin(_undone, _undone.c.id == _entry.c.reverses_entry_id)
        .where(taken.c.entry_id.in_(sorted(entries)))
    )
    parts: defaultdict[UUID, list[Part]] = defaultdict(list)
    for entry_id, points, lot_id, *lot in session.execute(statement) if entries else ():
        opened, left_of, *more = lot
        known.setdefault(lot_id, open_lot(lot_id, opened, int(left_of), *more))
        parts[entry_id].append((known[lot_id], int(points)))
    return {entry_id: sorted(some, key=lambda part: part[0]) for entry_id, some in parts.items()}


def _owed(session: Session, customers: list[UUID]) -> Iterable[tuple[AccountKey, UUID, int]]:
    paid = select(func.sum(_allocation.c.points)).where(_allocation.c.entry_id == _entry.c.id)
    missing = -_entry.c.points_delta - func.coalesce(paid.scalar_subquery(), 0)
    statement = (
        select(_entry.c.customer_id, _entry.c.point_kind, _entry.c.id, missing)
        .where(_entry.c.customer_id.in_(customers), _entry.c.points_delta < 0, missing > 0)
        .order_by(_entry.c.id)
    )
    for customer, kind, id_, points in session.execute(statement):
        yield AccountKey(customer, kind), id_, int(points)
