"""Giving a tier by hand: for a reason, until a day."""

import hashlib
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlmodel import Session, col, select

from crmkit import IdempotencyMismatch, NotFound, ValidationFailed
from crmkit.checking import Row
from crmkit.models import Customer
from crmkit_tiers.deciding import Change, Subject, span_of
from crmkit_tiers.evaluation import assigned
from crmkit_tiers.figures import Metrics, load_figures
from crmkit_tiers.following import business_days
from crmkit_tiers.memberships import Request, lock_held, write
from crmkit_tiers.models import TierChange
from crmkit_tiers.settings import TiersSettings
from crmkit_tiers.states import Cause, Moment

REASON_MAX = 200


class Assignment(NamedTuple):
    """A well-formed request.

    Attributes:
        until_on: last day on which no rule lowers the tier.
        freezes: whether no rule moves the tier at all until then.
        fingerprint: digest of what the request asks for.
    """

    tier_set: str
    tier: str
    until_on: date
    reason: str
    freezes: bool
    key: str
    fingerprint: str


def read_assignment(
    settings: TiersSettings,
    tier_set: str,
    tier: str,
    until_on: Any,
    reason: str,
    key: str,
    *,
    freezes: bool,
) -> Assignment:
    """Read a request, or say everything that is wrong with it.

    Raises:
        ValidationFailed: there is no such tier, a text is empty or too long, or no day is given.
    """
    row = Row(0)
    known = settings.sets.get(tier_set)
    if known is None:
        listed = ", ".join(settings.sets) or "none"
        row.fail("UNKNOWN_VALUE", f"the tier sets are: {listed}", "tierSet", tier_set)
    elif known.rank(tier) < 0:
        listed = ", ".join(each.name for each in known.tiers)
        row.fail("UNKNOWN_VALUE", f"the tiers are: {listed}", "tier", tier)
    day = row.day("untilOn", until_on)
    if until_on is None:
        row.fail("REQUIRED", "give the last day of the assignment", "untilOn")
    reason = row.required_text("reason", reason, REASON_MAX)
    key = row.required_text("idempotencyKey", key)
    if row.problems or day is None:
        raise ValidationFailed(row.problems)
    asked = [tier_set, tier, day, reason, freezes]
    digest = hashlib.sha256(orjson.dumps(asked)).hexdigest()
    return Assignment(tier_set, tier, day, reason, freezes, key, digest)


def assign(
    session: Session,
    customer_id: UUID,
    wanted: Assignment,
    *,
    actor: str,
    now: datetime,
    today: date,
    settings: TiersSettings,
    metrics: Metrics,
) -> TierChange:
    """Give a customer a tier; the same key and request give the same change for ever.

    Raises:
        NotFound: there is no such customer.
        IdempotencyMismatch: the key was used for another assignment of this customer.
        ValidationFailed: the last day is over; the key stays free.
    """
    locked = (
        select(col(Customer.id))
        .where(col(Customer.id) == customer_id)
        .with_for_update(key_share=True)
    )
    if session.exec(locked).one_or_none() is None:
        raise NotFound("customer", customer_id)
    stored = _change_with(session, customer_id, wanted.key)
    if stored is not None:
        if stored.fingerprint != wanted.fingerprint:
            raise IdempotencyMismatch(wanted.key)
        return stored
    if wanted.until_on < today:
        row = Row(0)
        row.fail("OUT_OF_RANGE", "the last day lies before today", "untilOn", wanted.until_on)
        raise ValidationFailed(row.problems)
    _write(session, customer_id, wanted, actor, now, today, settings, metrics)
    return _change_with(session, customer_id, wanted.key)  # type: ignore[return-value] # just made


def _write(
    session: Session,
    customer_id: UUID,
    wanted: Assignment,
    actor: str,
    now: datetime,
    today: date,
    settings: TiersSettings,
    metrics: Metrics,
) -> None:
    tier_set = settings.sets[wanted.tier_set]
    held = lock_held(session, wanted.tier_set, [customer_id])
    state = held[customer_id].state if customer_id in held else None
    joined_on = business_days(session, [customer_id]).get(customer_id, (today, today))[0]
    subject = Subject(customer_id, state, today, joined_on, now, is_review=False)
    moment = Moment(today)
    span = span_of(tier_set, state, moment, subject)
    figures = load_figures(session, tier_set, metrics, [span])[customer_id]
    frozen_reason = wanted.reason if wanted.freezes else None
    after = assigned(state, wanted.tier, moment, wanted.until_on, joined_on, frozen_reason)
    change = Change(subject, Cause.ASSIGNED, state, after, moment, span, figures)
    request = Request(wanted.reason, actor, wanted.key, wanted.fingerprint)
    write(session, wanted.tier_set, tier_set, [change], held, now, request)


def _change_with(session: Session, customer_id: UUID, key: str) -> TierChange | None:
    """Return the change that a key led to, free of the session, so that it outlives it."""
    wanted = select(TierChange).where(
        TierChange.customer_id == customer_id, TierChange.idempotency_key == key
    )
    change = session.exec(wanted).one_or_none()
    if change is not None:
        session.expunge(change)
    return change
