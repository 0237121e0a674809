"""Blocking a customer's points, so that nobody can spend them, and lifting the block."""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, FromClause, exists, update
from sqlmodel import Session, col, select

from crmkit import IdempotencyMismatch, NotFound, ValidationFailed, table_of
from crmkit.checking import Row
from crmkit_loyalty.adjustment import REASON_MAX
from crmkit_loyalty.blocking_errors import AlreadyBlocked, NotBlocked
from crmkit_loyalty.blocking_models import PointsBlock
from crmkit_loyalty.errors import AccountMerged
from crmkit_loyalty.holdings import lock_accounts
from crmkit_loyalty.lots import AccountKey
from crmkit_loyalty.models import LoyaltyAccount
from crmkit_loyalty.point_kinds import POINTS

_block = table_of(PointsBlock)
_lift = _block.alias("lift")


def is_in_force(block: FromClause) -> ColumnElement[bool]:
    """Return the condition that a row is a block which nothing has lifted."""
    return block.c.lifts_block_id.is_(None) & ~exists().where(_lift.c.lifts_block_id == block.c.id)


def is_blocked(customer_id: Any) -> ColumnElement[bool]:
    """Return the condition that a customer's points are blocked, by the facts alone."""
    return exists().where(_block.c.customer_id == customer_id, is_in_force(_block))


def set_block(
    session: Session,
    customer_id: UUID,
    *,
    blocks: bool,
    reason: str,
    key: str,
    actor: str,
    now: datetime,
) -> UUID:
    """Block the points of a customer, all kinds, or lift the block.

    The accounts are locked meanwhile, so whoever spends points does so before or not at all. The
    same key and request change nothing again.

    Args:
        blocks: whether to block them; else a block is lifted.
        reason: why, in words.
        key: idempotency key, unique for the customer among blocks and their ends.

    Returns:
        The block, or the one that was lifted.

    Raises:
        ValidationFailed: a text is empty or too long.
        NotFound: there is no such customer.
        IdempotencyMismatch: the key was used for another of these requests.
        AccountMerged: the customer's points are another's now; the key stays free.
        AlreadyBlocked: there is a block; the key stays free.
        NotBlocked: there is none to lift; the key stays free.
    """
    row = Row(0)
    reason = row.required_text("reason", reason, REASON_MAX)
    key = row.required_text("idempotencyKey", key)
    if row.problems:
        raise ValidationFailed(row.problems)
    fingerprint = hashlib.sha256(orjson.dumps([blocks, reason])).hexdigest()
    locked = lock_accounts(session, {customer_id}, [POINTS])
    held = locked.holdings.get(AccountKey(customer_id, POINTS))
    if held is None:
        raise NotFound("customer", customer_id)
    mine = select(PointsBlock).where(PointsBlock.customer_id == customer_id)
    stored = session.exec(mine.where(PointsBlock.idempotency_key == key)).one_or_none()
    if stored is not None:
        if stored.fingerprint != fingerprint:
            raise IdempotencyMismatch(key)
        return stored.lifts_block_id or stored.id
    if held.merged_into is not None:
        raise AccountMerged(customer_id, held.merged_into)
    before = session.exec(mine.where(is_in_force(_block))).one_or_none()
    if before is not None and blocks:
        raise AlreadyBlocked(before.actor, before.recorded_at)
    if before is None and not blocks:
        raise NotBlocked
    fact = PointsBlock(
        customer_id=customer_id,
        lifts_block_id=before.id if before else None,
        reason=reason,
        actor=actor,
        idempotency_key=key,
        fingerprint=fingerprint,
        recorded_at=now,
    )
    session.add(fact)
    session.flush()
    account = update(LoyaltyAccount).where(
        col(LoyaltyAccount.customer_id) == customer_id, col(LoyaltyAccount.point_kind) == POINTS
    )
    session.exec(account.values(is_blocked=blocks))
    return before.id if before else fact.id
