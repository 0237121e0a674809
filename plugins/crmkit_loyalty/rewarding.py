"""Exchanging points for a reward of the catalogue."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import orjson
from sqlmodel import Session

from crmkit import Services, ValidationFailed
from crmkit.checking import Row
from crmkit_loyalty.errors import InsufficientPoints
from crmkit_loyalty.lots import AccountKey
from crmkit_loyalty.redeemed import Caller, reward_draft
from crmkit_loyalty.redeeming import begin, write
from crmkit_loyalty.redemption_models import Redemption, RedemptionState
from crmkit_loyalty.reward_errors import RewardNotAvailable
from crmkit_loyalty.reward_stock import take_one, taken_of
from crmkit_loyalty.rewards import Reward, RewardKind
from crmkit_loyalty.settings import LoyaltySettings

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that is read for something else


def redeem_reward(
    session: Session,
    customer_id: UUID,
    name: str,
    caller: Caller,
    settings: LoyaltySettings,
    services: Services,
) -> Redemption:
    """Exchange points for one of a reward.

    The same key and request give the same redemption for ever, with the same code.

    Raises:
        ValidationFailed: the key is empty or too long.
        RewardNotAvailable: it is unknown, it is not its time, or none is left; the key stays free.
        NotFound: there is no such customer.
        IdempotencyMismatch: the key was used for another redemption of this customer.
        AccountMerged: the customer's points are another's now; the key stays free.
        AccountBlocked: the customer's points are blocked; the key stays free.
        InsufficientPoints: it costs more than can be spent; the key stays free.
    """
    row = Row(0)
    caller = caller._replace(key=row.required_text("idempotencyKey", caller.key))
    if row.problems:
        raise ValidationFailed(row.problems)
    reward = settings.reward(name)
    if reward is None:
        raise RewardNotAvailable(name, "unknown")
    account = AccountKey(customer_id, reward.point_kind)
    fingerprint = hashlib.sha256(orjson.dumps(["reward", name])).hexdigest()
    book, stored = begin(session, account, fingerprint, caller, settings)
    if stored is not None:
        return stored
    if not reward.can_be_had_on(settings.day_of(caller.now)):
        raise RewardNotAvailable(name, "not_now")
    points = reward.price(_tiers(session, customer_id, caller.now, [reward], services))
    short = InsufficientPoints(book.available(account, caller.now), points)
    if points > short.available:
        raise short
    take_one(session, reward)
    made = _redemption(reward, account, points, fingerprint, caller, settings)
    made.entry_id = book.post(reward_draft(made, reward.points, reward.title, caller)).id
    write(session, book, made, short)
    return made


class Offer(NamedTuple):
    """A reward that can be had.

    Attributes:
        points: what it costs the customer, or anybody.
        left: how many are left; None means any number.
    """

    reward: Reward
    points: int
    left: int | None


def offers(
    session: Session,
    customer_id: UUID | None,
    now: datetime,
    settings: LoyaltySettings,
    services: Services,
) -> list[Offer]:
    """Return what can be had now, in the order of the settings.

    Args:
        customer_id: whose tiers decide on prices; None leaves tiers out.
    """
    day = settings.day_of(now)
    rewards = [reward for reward in settings.rewards if reward.can_be_had_on(day)]
    taken = taken_of(session, [reward.name for reward in rewards])
    tiers = None if customer_id is None else _tiers(session, customer_id, now, rewards, services)
    found = [
        Offer(
            reward,
            reward.price(tiers),
            None if reward.stock is None else reward.stock - taken.get(reward.name, 0),
        )
        for reward in rewards
    ]
    return [offer for offer in found if offer.left is None or offer.left > 0]


def _tiers(
    session: Session,
    customer_id: UUID,
    now: datetime,
    rewards: Iterable[Reward],
    services: Services,
) -> Mapping[str, str] | None:
    """Return the tiers that a customer holds, if a price asks for them and a plugin tells."""
    asks = any(reward.tier_points for reward in rewards)
    held = services.find("tiers.held", 1) if asks else None
    tiers: Mapping[str, str] | None = held(session, [(customer_id, now)])[0] if held else None
    return tiers


def _redemption(
    reward: Reward,
    account: AccountKey,
    points: int,
    fingerprint: str,
    caller: Caller,
    settings: LoyaltySettings,
) -> Redemption:
    code = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    return Redemption(
        customer_id=account.customer_id, point_kind=account.point_kind, points=points,
        value_minor=reward.value_minor(settings.currency), currency=settings.currency,
        state=RedemptionState.REDEEMED,
        requested_at=caller.now, settled_at=caller.now, actor=caller.actor,
        idempotency_key=caller.key, fingerprint=fingerprint, reward=reward.name,
        code=code if reward.kind == RewardKind.COUPON else None,
    )  # fmt: skip
