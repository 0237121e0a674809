"""Finding the customers that a batch names, in one statement per way of naming."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from crmkit.bulk import insert_rows
from crmkit.columns import wire_instant
from crmkit.driver_sql import run_sql
from crmkit.models import Customer, CustomerExternalId, Lifecycle
from crmkit.named_rows import read_id, rows_named

Name = UUID | tuple[str, str]


def find_customers(session: Session, names: Iterable[Name | None]) -> dict[Name, UUID]:
    """Return the id of each named customer that exists.

    Args:
        names: ids, or pairs (source, external id); None is passed over.
    """
    wanted = {name for name in names if name is not None}
    ids = [name for name in wanted if isinstance(name, UUID)]
    pairs = [name for name in wanted if not isinstance(name, UUID)]
    found: dict[Name, UUID] = {}
    if ids:
        rows = run_sql(session, "SELECT id FROM customer WHERE id IN ?ids", ids).fetchall()
        found.update((read_id(id_), read_id(id_)) for (id_,) in rows)
    key = ("source", "external_id")
    named = rows_named(session, CustomerExternalId, (*key, "customer_id"), key, pairs)
    found.update(((source, name), read_id(id_)) for source, name, id_ in named)
    return found


def create_customers(
    session: Session, created: Mapping[tuple[str, str], UUID], now: datetime
) -> None:
    """Create a bare customer for each external id; they are prospects until they buy."""
    at = wire_instant(now)
    insert_rows(
        session,
        Customer,
        ("id", "display_name", "lifecycle", "lifecycle_since", "created_at", "updated_at"),
        [(id_.hex, "", str(Lifecycle.PROSPECT), at, at, at) for id_ in created.values()],
    )
    insert_rows(
        session,
        CustomerExternalId,
        ("source", "external_id", "customer_id"),
        [(*name, id_.hex) for name, id_ in created.items()],
    )


def lock_customers(session: Session, ids: Iterable[UUID]) -> None:
    """Let no other batch change what belongs to these customers until this one is done.

    On SQLite the single writer already sees to that. Taking the locks in the order of the ids
    keeps two batches from waiting for each other.
    """
    wanted = sorted(set(ids))
    if session.get_bind().dialect.name == "sqlite" or not wanted:
        return
    statement = "SELECT 1 FROM customer WHERE id IN ?ids ORDER BY id FOR NO KEY UPDATE"
    run_sql(session, statement, wanted)
