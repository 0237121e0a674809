"""Points as GraphQL gives them; every rule is in the ledger."""

from typing import Any

import strawberry
from sqlalchemy import BigInteger, FromClause, and_, func, literal_column, select

from crmkit import SchemaContribution, table_of
from crmkit import models as core
from crmkit_loyalty import ledger, models
from crmkit_loyalty.adjusting_graphql import AdjustingMutation
from crmkit_loyalty.as_of_graphql import PointsAsOf, points_as_of
from crmkit_loyalty.availability import available, pending
from crmkit_loyalty.blocking_graphql import BlockingMutation, LoyaltyBlock, is_in_force
from crmkit_loyalty.entry_graphql import LoyaltyEntry
from crmkit_loyalty.expiry_graphql import ExpiringPoints, LoyaltyQuery, expiring
from crmkit_loyalty.merging_graphql import MergingMutation
from crmkit_loyalty.models import EntryKind
from crmkit_loyalty.point_kinds import POINTS
from crmkit_loyalty.previewing_graphql import PreviewQuery
from crmkit_loyalty.proposing_graphql import ProposingMutation, ProposingQuery
from crmkit_loyalty.redeeming_graphql import RedemptionMutation
from crmkit_loyalty.redemption_graphql import PointRedemption, RedemptionQuery
from crmkit_loyalty.reward_graphql import RewardMutation, RewardQuery
from crmkit_loyalty.rules_graphql import RulesMutation, RulesQuery
from crmkit_loyalty.transferring_graphql import TransferringMutation
from crmkit_schema import (
    Connection,
    Customer,
    Long,
    bound,
    computed,
    connection,
    mapped,
    object_type,
    related,
    subscription,
)

_MAIN = f"'{POINTS}'"


def _accounts() -> FromClause:
    """An account for every customer, empty for those who never had points."""
    customer, account = table_of(core.Customer), table_of(models.LoyaltyAccount)
    return (
        select(
            customer.c.id.label("customer_id"),
            func.coalesce(account.c.balance, 0).label("balance"),
            func.coalesce(account.c.debt, 0).label("debt"),
            account.c.merged_into,
        )
        .select_from(customer.outerjoin(account, _is_of(account, customer.c.id)))
        .subquery("accounts")
    )


def _is_of(account: FromClause, customer_id: Any) -> Any:
    # The kind is literal, for plans that do not depend on it.
    return and_(account.c.customer_id == customer_id, account.c.point_kind == literal_column(_MAIN))


def _earned(account: FromClause) -> Any:
    entry = table_of(models.LedgerEntry).alias("earned")
    points = func.coalesce(func.sum(entry.c.points_delta), 0).cast(BigInteger)
    return (
        select(points)
        .where(
            entry.c.customer_id == account.c.customer_id,
            entry.c.kind == EntryKind.ACCRUAL,
            entry.c.point_kind == literal_column(_MAIN),
        )
        .scalar_subquery()
    )


@object_type(
    models.LoyaltyAccount, permission="loyalty.read", sorted_by=("point_kind", "customer_id")
)
class PointAccount:
    """What a customer has of one kind of points."""

    point_kind: str = mapped("Which kind of points.")
    balance: Long = mapped("Points there are, pending ones too; never negative.")
    pending: Long = mapped(
        "Those of them that cannot be spent yet.",
        sql=lambda of: pending(of.c.customer_id, of.c.point_kind, bound("now")),
    )
    available: Long = mapped(
        "Points that can be spent.",
        sql=lambda of: available(of.c.customer_id, of.c.point_kind, bound("now")),
    )
    debt: Long = mapped("Points to be paid off by what is earned next.")


@object_type(_accounts(), permission="loyalty.read", sorted_by=("customer_id",))
class LoyaltyAccount:
    """A customer's points, and what there is of other kinds."""

    balance: Long = mapped(
        "Points there are, pending ones too; never negative.", filter=True, sort=True
    )
    pending: Long = mapped(
        "Those of them that cannot be spent yet.",
        sql=lambda of: pending(of.c.customer_id, literal_column(_MAIN), bound("now")),
    )
    available: Long = mapped(
        "Points that can be spent.",
        sql=lambda of: available(of.c.customer_id, literal_column(_MAIN), bound("now")),
    )
    debt: Long = mapped("Points to be paid off by what is earned next.", filter=True, sort=True)
    points_earned: Long = mapped("All points ever earned, before anything took some.", sql=_earned)
    expiring_soon: list[ExpiringPoints] | None = computed(
        "What expires within some days, nearest first.", expiring, needs=("customer_id",)
    )
    as_of: list[PointsAsOf] | None = computed(
        "What there was of each kind of points at an instant, by what had happened until then; "
        "with `knownAt`, by what crmkit knew of it at another.",
        points_as_of,
        needs=("customer_id",),
    )
    accounts: list[PointAccount] = related(
        "One for each kind of points that the customer ever had.",
        parent="customer_id",
        child="customer_id",
    )
    redemptions: Connection[PointRedemption] = connection(
        "What was redeemed or held, latest first.", parent="customer_id", child="customer_id"
    )
    merged_into: Customer | None = related(
        "Whose points these are now, if they were merged.", parent="merged_into"
    )
    block: LoyaltyBlock | None = related(
        "Why nobody may spend the points, of any kind; null if they may be spent.",
        parent="customer_id",
        child="customer_id",
        where=is_in_force,
    )
    blocks: Connection[LoyaltyBlock] = connection(
        "Every block there was, latest first.", parent="customer_id", child="customer_id"
    )
    entries: Connection[LoyaltyEntry] = connection(
        "Every movement of every kind, latest first.", parent="customer_id", child="customer_id"
    )


@strawberry.type
class CustomerLoyalty:
    """What customers get."""

    loyalty: LoyaltyAccount = related("Points.", child="customer_id", filter=True)


@strawberry.type
class LoyaltySubscription:
    """What is told of points."""

    points_moved: Customer = subscription(
        "A customer whose points became more or less.",
        event=ledger.POINTS_MOVED,
        permission="loyalty.read",
    )


def contribution() -> SchemaContribution:
    """Return what the plugin adds to the schema."""
    return SchemaContribution(
        queries=(
            LoyaltyQuery,
            PreviewQuery,
            ProposingQuery,
            RedemptionQuery,
            RewardQuery,
            RulesQuery,
        ),
        mutations=(
            AdjustingMutation,
            BlockingMutation,
            ProposingMutation,
            RedemptionMutation,
            RewardMutation,
            RulesMutation,
            TransferringMutation,
            MergingMutation,
        ),
        subscriptions=(LoyaltySubscription,),
        extends={"Customer": CustomerLoyalty},
        types=(LoyaltyEntry,),
    )
