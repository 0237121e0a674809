"""Creating and changing customers: the only code that writes their profile."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, update
from sqlmodel import Session

from crmkit.announcements import CUSTOMER_CHANGED, announce
from crmkit.batches import CustomerBatch
from crmkit.bulk import insert_rows, table_of
from crmkit.columns import wire_instant
from crmkit.customer_lookup import Name, find_and_lock_customers
from crmkit.customer_parts import merge_addresses, merge_contacts, merge_tags, rows_of
from crmkit.customer_rules import CheckedCustomer, check_customer
from crmkit.ids import new_id
from crmkit.inputs import CustomerInput, ErrorPolicy, Outcome, RowResult
from crmkit.models import (
    Customer,
    CustomerExternalId,
    Lifecycle,
)
from crmkit.outcomes import Outcomes
from crmkit.plugins import PluginRegistry

_FIELDS = (
    "display_name", "given_name", "family_name", "gender", "birth_on", "occupation", "language",
    "lifecycle",
)  # fmt: skip
_CHUNK = 500


def upsert_customers(
    session: Session,
    registry: PluginRegistry,
    inputs: Sequence[CustomerInput],
    *,
    now: datetime,
    today: date,
    country: str,
    policy: ErrorPolicy = ErrorPolicy.REJECT_BATCH,
    actor: str | None = None,
) -> list[RowResult]:
    """Create customers that are new and change those that are known, by external id.

    Doing it again changes nothing. A customer named twice in one batch is written once, the
    later row over the earlier.

    Args:
        today: the shops' calendar day.
        country: of phone numbers without a country code.

    Returns:
        TAKEN for customers created or changed, KNOWN for those that were like this already.

    Raises:
        ValidationFailed: a row is wrong and the policy is REJECT_BATCH; nothing was written.
    """
    outcomes = Outcomes()
    checked = []
    for number, given in enumerate(inputs):
        answer = check_customer(number, given, country, today)
        if isinstance(answer, CheckedCustomer):
            checked.append(answer)
        else:
            outcomes.reject(number, answer)
    outcomes.enforce(policy)
    known = find_and_lock_customers(session, ((each.source, each.external_id) for each in checked))
    created: dict[UUID, None] = {}
    changed: dict[UUID, None] = {}
    for wave in _waves(checked, known):
        new = [each for each in wave if (each.source, each.external_id) not in known]
        for each in new:
            known[(each.source, each.external_id)] = new_id()
        ids = {each.row: known[(each.source, each.external_id)] for each in wave}
        created.update(dict.fromkeys(ids[each.row] for each in new))
        _create(session, new, ids, now)
        touched = _change(session, wave, ids, now, {ids[each.row] for each in new})
        changed.update(dict.fromkeys(touched - created.keys()))
        for each in wave:
            id_ = ids[each.row]
            taken = each in new or id_ in touched
            outcomes.add(RowResult(each.row, Outcome.TAKEN if taken else Outcome.KNOWN, id_))
    if created or changed:
        batch = CustomerBatch(tuple(created), tuple(changed), now, actor)
        registry.tell("customers_upserted", session, batch=batch)
        announce(session, CUSTOMER_CHANGED, {each: each for each in (*created, *changed)})
    return outcomes.in_order()


def _waves(
    checked: Sequence[CheckedCustomer], known: Mapping[Name, UUID]
) -> list[list[CheckedCustomer]]:
    """Split a batch so that each part names every customer once, under whatever name."""
    waves: list[dict[Name, CheckedCustomer]] = []
    seen: dict[Name, int] = {}
    for each in checked:
        key: Name = (each.source, each.external_id)
        key = known.get(key, key)
        number = seen.get(key, -1) + 1
        seen[key] = number
        if number == len(waves):
            waves.append({})
        waves[number][key] = each
    return [list(wave.values()) for wave in waves]


def _create(
    session: Session, new: Sequence[CheckedCustomer], ids: Mapping[int, UUID], now: datetime
) -> None:
    at = wire_instant(now)
    rows = []
    for each in new:
        fields = {"display_name": "", "lifecycle": str(Lifecycle.PROSPECT), **each.fields}
        if not fields["display_name"]:
            fields["display_name"] = _full_name(each.fields)
        values = (fields.get(name) for name in _FIELDS)
        wire = (value.isoformat() if isinstance(value, date) else value for value in values)
        rows.append((ids[each.row].hex, *wire, at, at, at))
    columns = ("id", *_FIELDS, "lifecycle_since", "created_at", "updated_at")
    insert_rows(session, Customer, columns, rows)
    links = [(each.source, each.external_id, ids[each.row].hex) for each in new]
    insert_rows(session, CustomerExternalId, ("source", "external_id", "customer_id"), links)


def _full_name(fields: Mapping[str, Any]) -> str:
    """Put a name together: family name first where the name is written in Chinese characters."""
    given, family = fields.get("given_name") or "", fields.get("family_name") or ""
    if any("\u4e00" <= letter <= "\u9fff" for letter in given + family):
        return family + given
    return f"{given} {family}".strip()


def _change(
    session: Session,
    wave: Sequence[CheckedCustomer],
    ids: Mapping[int, UUID],
    now: datetime,
    new: set[UUID],
) -> set[UUID]:
    """Write what differs; returns the ids of the customers that changed."""
    touched = _change_fields(session, wave, ids, now, new)
    touched |= merge_contacts(session, wave, ids)
    touched |= merge_addresses(session, wave, ids)
    touched |= merge_tags(session, wave, ids)
    only_parts = sorted(touched - new)
    table = table_of(Customer)
    for start in range(0, len(only_parts), _CHUNK):
        chosen = table.c.id.in_(only_parts[start : start + _CHUNK])
        session.execute(update(table).where(chosen).values(updated_at=now))
    return touched


def _change_fields(
    session: Session,
    wave: Sequence[CheckedCustomer],
    ids: Mapping[int, UUID],
    now: datetime,
    new: set[UUID],
) -> set[UUID]:
    wanted = {ids[e.row]: e.fields for e in wave if e.fields and ids[e.row] not in new}
    changes: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    table = table_of(Customer)
    for row in rows_of(session, Customer, "id", list(wanted)):
        fields = {
            name: value for name, value in wanted[row.id].items() if getattr(row, name) != value
        }
        if "lifecycle" in fields:
            fields["lifecycle_since"] = now
        if fields:
            bound = {f"new_{name}": value for name, value in fields.items()}
            changes.setdefault(tuple(sorted(fields)), []).append({"key": row.id, **bound})
    for names, rows in changes.items():
        statement = update(table).where(table.c.id == bindparam("key"))
        session.execute(statement.values({name: bindparam(f"new_{name}") for name in names}), rows)
    return {row["key"] for rows in changes.values() for row in rows}
