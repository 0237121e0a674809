"""Tiers: customers rise by what they buy, and keep what they have if they go on.

Adds the field Customer.tiers, the mutation assignTier, the subscription tierChanged, the services
tiers.multiplier and tiers.held, the job tiers.review, the command simulate and four tables.
Changes are the facts; memberships are the last of them and can be rebuilt.
"""

from collections.abc import Mapping, Sequence

from sqlmodel import Session

from crmkit import (
    Command,
    Job,
    Metric,
    Permission,
    Plugin,
    Rebuilder,
    SchemaContribution,
    Service,
    TransactionBatch,
    hookimpl,
)
from crmkit.contributions import Models
from crmkit_tiers import (
    figures,
    following,
    holding,
    multiplying,
    rebuilding,
    reviewing,
    simulating,
)
from crmkit_tiers.models import TierChange, TierMembership, TierRules, TierSweep
from crmkit_tiers.settings import TiersSettings

plugin = Plugin(
    name="tiers",
    version="0.1.0",
    summary="Tiers that customers reach by what they buy, with what each is worth.",
    permissions=(
        Permission("tiers.read", "See tiers.", ("manager", "clerk", "analyst")),
        Permission("tiers.assign", "Give tiers by hand.", ("manager",)),
    ),
    settings=TiersSettings,
    optional=("loyalty",),  # it multiplies points by the tier held before the sale
)


@hookimpl
def register_models() -> Models:
    """Rules, changes, memberships and sweeps."""
    return (TierRules, TierChange, TierMembership, TierSweep)


@hookimpl
def register_migrations() -> str:
    """The plugin's migration folder."""
    return "crmkit_tiers:migrations"


@hookimpl
def register_services(settings: TiersSettings, metrics: Mapping[str, Metric]) -> Sequence[Service]:
    """The multiplier and who holds what; refuses the start if a condition's metric is unknown."""
    figures.check_metrics(settings, metrics)
    return (multiplying.multiplier_service(settings), holding.held_service(settings))


@hookimpl
def register_jobs(settings: TiersSettings, metrics: Mapping[str, Metric]) -> Sequence[Job]:
    """The review of all customers."""
    return (reviewing.review_job(settings, metrics),)


@hookimpl
def register_commands() -> Sequence[Command]:
    """`crmkit tiers simulate`."""
    return (
        Command(
            "simulate",
            "Show what tiers would be under other rules; writes nothing.",
            simulating.run,
            simulating.OPTIONS,
        ),
    )


@hookimpl
def register_rebuilders() -> Sequence[Rebuilder]:
    """Memberships follow from changes."""
    return (rebuilding.rebuilder(),)


@hookimpl
def register_graphql() -> SchemaContribution:
    """The field on customers, the mutation and the subscription."""
    from crmkit_tiers import graphql  # commands that need no schema start without strawberry

    return graphql.contribution()


@hookimpl
def transactions_recorded(
    session: Session,
    batch: TransactionBatch,
    settings: TiersSettings,
    metrics: Mapping[str, Metric],
) -> None:
    """Whoever bought or returned is looked at."""
    following.follow(session, batch, settings, metrics)


@hookimpl
def transactions_attached(
    session: Session,
    batch: TransactionBatch,
    settings: TiersSettings,
    metrics: Mapping[str, Metric],
) -> None:
    """Whoever got a sale is looked at."""
    following.follow(session, batch, settings, metrics)
