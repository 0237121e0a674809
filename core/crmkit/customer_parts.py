"""Contact points, addresses and tags: written beside the customers they belong to."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, update
from sqlmodel import Session

from crmkit.bulk import insert_rows, merge_rows, table_of
from crmkit.columns import wire_instant
from crmkit.customer_rules import CheckedContact, CheckedCustomer
from crmkit.ids import new_id
from crmkit.models import ContactPoint, CustomerAddress, CustomerTag

_ADDRESS = ("kind", "country", "region", "city", "street", "postal_code")
_CHUNK = 500


def rows_of(session: Session, model: Any, key: str, ids: Sequence[UUID]) -> list[Any]:
    """Return the rows of a table that belong to the customers `ids`."""
    table = table_of(model)
    found: list[Any] = []
    for start in range(0, len(ids), _CHUNK):
        found += session.execute(
            table.select().where(table.c[key].in_(ids[start : start + _CHUNK]))
        ).all()
    return found


def merge_contacts(
    session: Session, wave: Sequence[CheckedCustomer], ids: Mapping[int, UUID]
) -> set[UUID]:
    """Add contact points, at most one primary per kind; returns the customers that changed."""
    owners = [ids[each.row] for each in wave if each.contact_points]
    stored = {
        (r.customer_id, r.kind, r.value): r
        for r in rows_of(session, ContactPoint, "customer_id", owners)
    }
    chosen = {(ids[e.row], c.kind) for e in wave for c in e.contact_points if c.is_primary}
    has_primary = {(r.customer_id, r.kind) for r in stored.values() if r.is_primary} | chosen
    rows, demoted, touched = [], set(), set()
    for each in wave:
        id_ = ids[each.row]
        for contact in each.contact_points:
            row = stored.get((id_, contact.kind, contact.value))
            stays = row is not None and row.is_primary and (id_, contact.kind) not in chosen
            primary = contact.is_primary or stays or (id_, contact.kind) not in has_primary
            if row is not None and not _differs(row, contact, primary):
                continue
            if contact.is_primary:
                demoted.add((id_, contact.kind))
            has_primary.add((id_, contact.kind))
            touched.add(id_)
            verified = contact.verified_at or (row.verified_at if row else None)
            key = row.id if row else new_id()
            rows.append(
                (key.hex, id_.hex, contact.kind, contact.value, contact.raw_value, primary,
                 wire_instant(verified) if verified else None)
            )  # fmt: skip
    _demote(session, demoted)
    columns = ("id", "customer_id", "kind", "value", "raw_value", "is_primary", "verified_at")
    merge_rows(session, ContactPoint, columns, rows, dict.fromkeys(columns[4:], "replace"))
    return touched


def _differs(row: Any, contact: CheckedContact, primary: bool) -> bool:
    newly_verified = contact.verified_at is not None and contact.verified_at != row.verified_at
    return newly_verified or contact.raw_value != row.raw_value or (primary and not row.is_primary)


def _demote(session: Session, kinds: set[tuple[UUID, str]]) -> None:
    """Take the primary flag from the other contact points of these customers and kinds."""
    table = table_of(ContactPoint)
    if kinds:
        statement = update(table).where(
            table.c.customer_id == bindparam("owner"), table.c.kind == bindparam("what")
        )
        rows = [{"owner": owner, "what": kind} for owner, kind in sorted(kinds)]
        session.execute(statement.values(is_primary=False), rows)


def merge_addresses(
    session: Session, wave: Sequence[CheckedCustomer], ids: Mapping[int, UUID]
) -> set[UUID]:
    """Replace addresses of the same kinds; returns the customers that changed."""
    owners = [ids[each.row] for each in wave if each.addresses]
    stored = {
        (r.customer_id, r.kind): r for r in rows_of(session, CustomerAddress, "customer_id", owners)
    }
    gone, rows, touched = [], [], set()
    for each in wave:
        for address in each.addresses:
            id_ = ids[each.row]
            row = stored.get((id_, address.kind))
            values = tuple(getattr(address, name) for name in _ADDRESS)
            if row is not None:
                if tuple(getattr(row, name) for name in _ADDRESS) == values:
                    continue
                gone.append(row.id)
            touched.add(id_)
            rows.append((new_id().hex, id_.hex, *values))
    table = table_of(CustomerAddress)
    if gone:
        session.execute(delete(table).where(table.c.id.in_(gone)))
    insert_rows(session, CustomerAddress, ("id", "customer_id", *_ADDRESS), rows)
    return touched


def merge_tags(
    session: Session, wave: Sequence[CheckedCustomer], ids: Mapping[int, UUID]
) -> set[UUID]:
    """Add tags; returns the customers that changed."""
    wanted = {(ids[each.row], tag) for each in wave for tag in each.tags}
    owners = sorted({owner for owner, _ in wanted})
    stored = {
        (row.customer_id, row.tag) for row in rows_of(session, CustomerTag, "customer_id", owners)
    }
    fresh = sorted(wanted - stored)
    insert_rows(
        session, CustomerTag, ("customer_id", "tag"), [(id_.hex, tag) for id_, tag in fresh]
    )
    return {id_ for id_, _ in fresh}
