"""What concerns all points of a customer: whether they are blocked, and whose they are. Pure.

It stands on the account of the kind `points`, which is locked and read with the others.
"""

from collections.abc import Mapping
from uuid import UUID

from crmkit_loyalty.errors import AccountBlocked, AccountMerged
from crmkit_loyalty.lots import AccountKey, Holding
from crmkit_loyalty.point_kinds import POINTS

Holdings = Mapping[AccountKey, Holding]


def check_not_blocked(holdings: Holdings, customer_id: UUID) -> None:
    """Raise AccountBlocked if nobody may spend the customer's points."""
    if holdings[AccountKey(customer_id, POINTS)].is_blocked:
        raise AccountBlocked(customer_id)


def check_not_merged(holdings: Holdings, customer_id: UUID) -> None:
    """Raise AccountMerged if the customer's points belong to somebody else now."""
    into = holdings[AccountKey(customer_id, POINTS)].merged_into
    if into is not None:
        raise AccountMerged(customer_id, into)


def heir_of(holdings: Holdings, account: AccountKey) -> AccountKey | None:
    """Return the account that one was merged into, if it was."""
    into = holdings[AccountKey(account.customer_id, POINTS)].merged_into
    return AccountKey(into, account.point_kind) if into else None
