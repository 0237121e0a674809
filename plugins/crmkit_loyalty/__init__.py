"""Loyalty points: members earn points on sales, returns take them back, staff may adjust them.

Adds the field Customer.loyalty, mutations that redeem, hold, adjust, transfer and block points
and set earning rules, queries about what earns, and the subscription pointsMoved. Entries are the
facts; balances, lots and allocations follow from them and can be rebuilt.
"""

from collections.abc import Mapping, Sequence

from sqlmodel import Session

from crmkit import (
    Command,
    CustomerBatch,
    InteractionBatch,
    InteractionKind,
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
from crmkit_loyalty import (
    birthdays,
    earning_recount,
    expiry,
    following,
    happening_posting,
    holds,
    rebuilding,
    reward_stock,
    simulating,
    verifying,
)
from crmkit_loyalty.adjusting_models import ProposedAdjustment
from crmkit_loyalty.blocking_models import PointsBlock
from crmkit_loyalty.earning_conflicts import require_interaction_kinds
from crmkit_loyalty.earning_models import (
    Birthday,
    EarnedPoints,
    EarningRuleSet,
    EarningRulesVersion,
)
from crmkit_loyalty.merging_models import PointsMerge
from crmkit_loyalty.metrics import earned_metrics
from crmkit_loyalty.models import Allocation, LedgerEntry, Lot, LoyaltyAccount
from crmkit_loyalty.redemption_models import Redemption, RewardStock
from crmkit_loyalty.settings import LoyaltySettings

plugin = Plugin(
    name="loyalty",
    version="0.1.0",
    summary="Points earned on sales, kept in a book whose entries never change.",
    permissions=(
        Permission("loyalty.read", "See points.", ("manager", "clerk", "analyst")),
        Permission("loyalty.liability", "See what points may cost.", ("manager", "analyst")),
        Permission("loyalty.redeem", "Redeem and hold points.", ("manager", "clerk")),
        Permission("loyalty.rules", "Set earning rules.", ("manager",)),
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
    """The book, the rules and what limits count, redemptions, proposals, blocks and merges."""
    return (
        LedgerEntry,
        LoyaltyAccount,
        Lot,
        Allocation,
        EarningRuleSet,
        EarnedPoints,
        Birthday,
        EarningRulesVersion,
        Redemption,
        RewardStock,
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
    return (*rebuilding.rebuilders(settings), reward_stock.recounter(), earning_recount.recounter())


@hookimpl
def register_jobs(
    settings: LoyaltySettings,
    services: Services,
    interaction_kinds: Mapping[str, InteractionKind],
) -> Sequence[Job]:
    """Points expire, holds run out of time, birthdays give some.

    Refuses the start if a rule names no known kind of interaction.
    """
    require_interaction_kinds(settings.rules, interaction_kinds)
    return (expiry.job(settings), holds.job(settings), birthdays.job(settings, services))


@hookimpl
def register_commands() -> Sequence[Command]:
    """`crmkit loyalty verify` and `crmkit loyalty simulate`."""
    return (
        Command(
            "verify",
            "Prove that the points book adds up; writes nothing.",
            lambda crm, _: verifying.run(crm),
        ),
        Command(
            "simulate",
            "Show what points would be under other rules; writes nothing.",
            simulating.run,
            simulating.OPTIONS,
        ),
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


@hookimpl
def interactions_recorded(
    session: Session, batch: InteractionBatch, settings: LoyaltySettings, services: Services
) -> None:
    """Interactions give points if rules say so."""
    happening_posting.follow_interactions(session, batch, settings, services)


@hookimpl
def customers_upserted(
    session: Session, batch: CustomerBatch, settings: LoyaltySettings, services: Services
) -> None:
    """New customers get points if rules say so."""
    happening_posting.follow_customers(session, batch, settings, services)
