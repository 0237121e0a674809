"""How many of a reward are left: counted in one row, locked before it is read."""

from collections import Counter
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from crmkit import Difference, Rebuilder, insert_rows, merge_rows, table_of
from crmkit_loyalty.redemption_models import Redemption, RedemptionState, RewardStock
from crmkit_loyalty.reward_errors import RewardNotAvailable
from crmkit_loyalty.rewards import Reward

_COLUMNS = ("reward", "taken", "stock")
_stock = table_of(RewardStock)


def take_one(session: Session, reward: Reward) -> None:
    """Count one more of a reward as had.

    Raises:
        RewardNotAvailable: none is left.
    """
    if reward.stock is None:
        return
    # Adds 0, and so locks the row, whether it was there or not.
    merge_rows(session, RewardStock, _COLUMNS, [(reward.name, 0, reward.stock)], {"taken": "add"})
    if taken_of(session, [reward.name]).get(reward.name, 0) >= reward.stock:
        raise RewardNotAvailable(reward.name, "none_left")
    how = {"taken": "add", "stock": "replace"}
    merge_rows(session, RewardStock, _COLUMNS, [(reward.name, 1, reward.stock)], how)  # type: ignore[arg-type]


def put_back(session: Session, reward: str) -> None:
    """Count one of a reward as not had, if anybody counts them."""
    fewer = sa.update(_stock).where(_stock.c.reward == reward, _stock.c.taken > 0)
    session.connection().execute(fewer.values(taken=_stock.c.taken - 1))


def taken_of(session: Session, rewards: Sequence[str]) -> Mapping[str, int]:
    """Return how many of some rewards were had."""
    found = select(col(RewardStock.reward), col(RewardStock.taken))
    return dict(session.exec(found.where(col(RewardStock.reward).in_(rewards))).all())


def recounter() -> Rebuilder:
    """Return how the counts are checked and mended."""
    return Rebuilder("rewards had", check, rebuild)


def check(session: Session) -> Sequence[Difference]:
    """Return every count that is not what redemptions say."""
    expected = _count(session)
    stored = dict(session.exec(select(col(RewardStock.reward), col(RewardStock.taken))).all())
    return [
        Difference(_stock.name, name, {"taken": taken}, {"taken": expected[name]})
        for name, taken in sorted(stored.items())
        if taken != expected[name]
    ]


def rebuild(session: Session) -> int:
    """Count again; returns how many rows were written."""
    expected = _count(session)
    most = dict(session.exec(select(col(RewardStock.reward), col(RewardStock.stock))).all())
    session.execute(sa.delete(_stock))
    rows = [(name, expected[name], max(stock, expected[name])) for name, stock in most.items()]
    insert_rows(session, RewardStock, _COLUMNS, rows)
    return len(rows)


def _count(session: Session) -> Counter[str]:
    had = select(col(Redemption.reward), func.count()).where(
        col(Redemption.reward).is_not(None), Redemption.state == RedemptionState.REDEEMED
    )
    rows = session.exec(had.group_by(col(Redemption.reward))).all()
    return Counter({str(name): int(count) for name, count in rows})
