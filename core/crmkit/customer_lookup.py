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
_FIND = "SELECT id FROM customer WHERE id IN ?ids"
_LOCK = f"{_FIND} ORDER BY id FOR NO KEY UPDATE"


def find_customers(session: Session, names: Iterable[Name | None]) -> dict[Name, UUID]:
    """Return the id of each named customer that exists.

    Args:
        names: ids, or pairs (source, external id); None is passed over.
    """
    ids, pairs = _by_way(names)
    found: dict[Name, UUID] = {id_: id_ for id_ in _existing(session, _FIND, ids)}
    key = ("source", "external_id")
    named = rows_named(session, CustomerExternalId, (*key, "customer_id"), key, pairs)
    found.update(((source, name), read_id(id_)) for source, name, id_ in named)
    return found


def find_and_lock_customers(session: Session, names: Iterable[Name | None]) -> dict[Name, UUID]:
    """Do what `find_customers` and `lock_customers` do, in one statement if all are named by id."""
    ids, pairs = _by_way(names)
    if not pairs and session.get_bind().dialect.name == "postgresql":
        return {id_: id_ for id_ in _existing(session, _LOCK, ids)}
    found = find_customers(session, (*ids, *pairs))
    lock_customers(session, found.values())
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
    run_sql(session, _LOCK, wanted)


def _by_way(names: Iterable[Name | None]) -> tuple[list[UUID], list[tuple[str, str]]]:
    """Return the ids and the pairs (source, external id) among names, each once."""
    ids: list[UUID] = []
    pairs: list[tuple[str, str]] = []
    for name in set(names):
        if isinstance(name, UUID):
            ids.append(name)
        elif name is not None:
            pairs.append(name)
    return ids, pairs


def _existing(session: Session, sql: str, ids: list[UUID]) -> list[UUID]:
    return [read_id(id_) for (id_,) in run_sql(session, sql, ids).fetchall()] if ids else []
