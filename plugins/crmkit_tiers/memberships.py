"""The only code that writes tiers: changes, and the memberships that follow from them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import Select, select
from sqlmodel import Session

from crmkit import (
    Event,
    announce,
    insert_rows,
    merge_rows,
    new_id,
    run_sql,
    table_of,
    wire_instant,
)
from crmkit_tiers.deciding import Change, explanation
from crmkit_tiers.models import TierChange, TierMembership
from crmkit_tiers.settings import TierSet
from crmkit_tiers.states import Source, State

TIER_CHANGED = Event("tiers.tier_changed")
"""A customer's tier changed, was kept in a review, or was put at risk."""

_CHUNK = 500
_STATE = (
    "since_on", "joined_on", "valid_until_on", "source", "at_risk_on", "at_risk_until_on",
    "locked_until_on", "frozen_reason",
)  # fmt: skip
_CHANGE = (
    "id", "customer_id", "tier_set", "number", "cause", "from_tier", "to_tier", *_STATE,
    "as_of_on", "explanation", "rule_version", "reason", "actor", "idempotency_key", "fingerprint",
    "effective_at", "recorded_at",
)  # fmt: skip
_MEMBERSHIP = (
    "customer_id", "tier_set", "tier", *_STATE, "number", "effective_at", "review_on",
)  # fmt: skip
_membership = table_of(TierMembership)
_KNOW_RULES = """INSERT INTO tiers_rules (version, tier_set, rules, recorded_at)
    SELECT ?, ?, CAST(? AS {json}), CAST(? AS {instant})
    WHERE NOT EXISTS (SELECT 1 FROM tiers_rules WHERE version = ?)"""


class Held(NamedTuple):
    """What a customer holds, as stored."""

    state: State
    number: int
    effective_at: datetime


class Request(NamedTuple):
    """Who asked for a change by hand, and why; a rule's change has an empty one."""

    reason: str | None = None
    actor: str | None = None
    key: str | None = None
    fingerprint: str | None = None


BY_RULE = Request()


def lock_held(session: Session, name: str, customers: Collection[UUID]) -> dict[UUID, Held]:
    """Return what some customers hold in a tier set; nobody changes it until the session ends."""
    return _held(session, name, customers, lambda statement: statement.with_for_update())


def read_held(session: Session, name: str, customers: Collection[UUID]) -> dict[UUID, Held]:
    """Return what some customers hold in a tier set."""
    return _held(session, name, customers, lambda statement: statement)


def _held(
    session: Session,
    name: str,
    customers: Collection[UUID],
    lock: Callable[[Select[Any]], Select[Any]],
) -> dict[UUID, Held]:
    wanted, found = sorted(customers), {}
    columns = [_membership.c[field] for field in _STATE]
    for start in range(0, len(wanted), _CHUNK):
        statement = (
            select(
                _membership.c.customer_id, _membership.c.number, _membership.c.effective_at,
                _membership.c.tier, *columns,
            )
            .where(
                _membership.c.customer_id.in_(wanted[start : start + _CHUNK]),
                _membership.c.tier_set == name,
            )
            .order_by(_membership.c.customer_id)
        )  # fmt: skip
        for who, number, effective_at, *values in session.execute(lock(statement)):
            found[who] = Held(state_of(*values), number, effective_at)
    return found


def state_of(tier: str, *values: Any) -> State:
    """Return a state from stored values, in the order of its attributes."""
    since_on, joined_on, valid_until_on, source, *rest = values
    return State(tier, since_on, joined_on, valid_until_on, Source(source), *rest)


def write(
    session: Session,
    name: str,
    tier_set: TierSet,
    changes: Sequence[Change],
    held: dict[UUID, Held],
    recorded_at: datetime,
    request: Request = BY_RULE,
) -> list[UUID]:
    """Write changes and what they make of memberships; returns the ids of the changes."""
    if not changes:
        return []
    at = wire_instant(recorded_at)
    _know_rules(session, name, tier_set, at)
    rows, changed = [], {}
    for change in changes:
        who = change.subject.customer_id
        before = held.get(who)
        effective_at = change.subject.effective_at
        if before is not None:
            effective_at = max(effective_at, before.effective_at)
        number = before.number + 1 if before else 1
        held[who] = changed[who] = Held(change.after, number, effective_at)
        rows.append(_change_row(name, tier_set, change, held[who], request, at))
    insert_rows(session, TierChange, _CHANGE, rows)
    _write_memberships(session, name, changed)
    ids = [UUID(row[0]) for row in rows]
    owners = [change.subject.customer_id for change in changes]
    announce(session, TIER_CHANGED, dict(zip(ids, owners, strict=True)))
    return ids


def _know_rules(session: Session, name: str, tier_set: TierSet, at: str) -> None:
    is_sqlite = session.connection().dialect.name == "sqlite"
    types = {"json": "TEXT", "instant": "TEXT"} if is_sqlite else {
        "json": "JSONB", "instant": "TIMESTAMPTZ"
    }  # fmt: skip
    version = tier_set.version
    run_sql(session, _KNOW_RULES.format(**types), version, name, tier_set.rules, at, version)


def _change_row(
    name: str, tier_set: TierSet, change: Change, after: Held, request: Request, at: str
) -> tuple[Any, ...]:
    return (
        new_id().hex, change.subject.customer_id.hex, name, after.number, str(change.cause),
        change.before.tier if change.before else None, change.after.tier,
        *_state_row(change.after), change.moment.as_of_on.isoformat(),
        orjson.dumps(explanation(tier_set, change)).decode(), tier_set.version,
        request.reason, request.actor, request.key, request.fingerprint,
        wire_instant(after.effective_at), at,
    )  # fmt: skip


def _state_row(state: State) -> tuple[Any, ...]:
    values = (getattr(state, field) for field in _STATE)
    return tuple(
        each.isoformat() if isinstance(each, date) else each and str(each) for each in values
    )


def _write_memberships(session: Session, name: str, held: Mapping[UUID, Held]) -> None:
    rows = []
    for who, each in sorted(held.items()):
        review_on = each.state.review_on
        rows.append((
            who.hex, name, each.state.tier, *_state_row(each.state), each.number,
            wire_instant(each.effective_at), review_on and review_on.isoformat(),
        ))  # fmt: skip
    merge_rows(
        session, TierMembership, _MEMBERSHIP, rows, dict.fromkeys(_MEMBERSHIP[2:], "replace")
    )
