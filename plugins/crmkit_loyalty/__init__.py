"""Loyalty points: members earn points on sales, returns take them back, staff may adjust them.

Adds the field Customer.loyalty, mutations that redeem, hold and adjust points, and the subscription
pointsMoved. Entries are the facts; balances, lots and allocations follow from them and can be
rebuilt.
"""

from collections.abc import Sequence

from sqlmodel import Session

from crmkit import (
    Command,
    Job,
    Metric,
    Permission,
    Plugin,
    Rebuilder,
    SchemaContribution,
    Services,
    TransactionBatch,
    hookimpl,
)
from crmkit.contributions import Models
from crmkit_loyalty import earning_recount, expiry, following, holds, rebuilding, verifying
from crmkit_loyalty.adjusting_models import ProposedAdjustment
from crmkit_loyalty.blocking_models import PointsBlock
from crmkit_loyalty.earning_models import EarnedPoints, EarningRuleSet
from crmkit_loyalty.merging_models import PointsMerge
from crmkit_loyalty.metrics import earned_metrics
from crmkit_loyalty.models import Allocation, LedgerEntry, Lot, LoyaltyAccount
from crmkit_loyalty.redemption_models import Redemption
from crmkit_loyalty.settings import LoyaltySettings

plugin = Plugin(
    name="loyalty",
    version="0.1.0",
    summary="Points earned on sales, kept in a book whose entries never change.",
    permissions=(
        Permission("loyalty.read", "See points.", ("manager", "clerk", "analyst")),
        Permission("loyalty.liability", "See what points may cost.", ("manager", "analyst")),
        Permission("loyalty.redeem", "Redeem and hold points.", ("manager", "clerk")),
        Permission("loyalty.adjust", "Give and take points by hand.", ("manager",)),
        Permission("loyalty.approve", "Decide what others want to adjust.", ("manager",)),
        Permission("loyalty.transfer", "Transfer points between customers.", ("manager",)),
        Permission("loyalty.merge", "Merge points of customers, and undo it.", ("manager",)),
        Permission("loyalty.block", "Block points and lift blocks.", ("manager",)),
    ),
    settings=LoyaltySettings,
)


@hookimpl
def register_models() -> Models:
    """Entries with what follows from them, rules they refer to, limits, and requests."""
    book = (LedgerEntry, LoyaltyAccount, Lot, Allocation)
    return (
        *book,
        EarningRuleSet,
        EarnedPoints,
        Redemption,
        ProposedAdjustment,
        PointsBlock,
        PointsMerge,
    )


@hookimpl
def register_migrations() -> str:
    """The plugin's migration folder."""
    return "crmkit_loyalty:migrations"


@hookimpl
def register_metrics(settings: LoyaltySettings) -> Sequence[Metric]:
    """Points earned, by kind."""
    return earned_metrics(settings.terms)


@hookimpl
def register_rebuilders(settings: LoyaltySettings) -> Sequence[Rebuilder]:
    """Accounts, lots, allocations and the counts of limits follow from entries."""
    return (*rebuilding.rebuilders(settings), earning_recount.recounter())


@hookimpl
def register_jobs(settings: LoyaltySettings) -> Sequence[Job]:
    """Points expire, and holds run out of time."""
    return (expiry.job(settings), holds.job(settings))


@hookimpl
def register_commands() -> Sequence[Command]:
    """`crmkit loyalty verify`."""
    return (
        Command("verify", "Prove that the points book adds up; writes nothing.", verifying.run),
    )


@hookimpl
def register_graphql() -> SchemaContribution:
    """The field on customers, the mutation and the subscription."""
    from crmkit_loyalty import graphql  # commands that need no schema start without strawberry

    return graphql.contribution()


@hookimpl
def transactions_recorded(
    session: Session, batch: TransactionBatch, settings: LoyaltySettings, services: Services
) -> None:
    """Sales earn, returns take back, voids undo."""
    following.follow(session, batch, settings, services)


@hookimpl
def transactions_attached(
    session: Session, batch: TransactionBatch, settings: LoyaltySettings, services: Services
) -> None:
    """Sales earn for the customer they now belong to."""
    following.follow(session, batch, settings, services, attached=True)
