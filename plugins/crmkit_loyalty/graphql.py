"""Points as GraphQL gives them; every rule is in the ledger."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from sqlalchemy import BigInteger, FromClause, and_, func, literal_column, select
from strawberry import Info
from strawberry.scalars import JSON

from crmkit import SchemaContribution, table_of
from crmkit import models as core
from crmkit_loyalty import ledger, models
from crmkit_loyalty.availability import available, pending
from crmkit_loyalty.expiry_graphql import ExpiringPoints, LoyaltyQuery, expiring, settings_of
from crmkit_loyalty.models import EntryKind
from crmkit_loyalty.point_kinds import POINTS
from crmkit_loyalty.previewing_graphql import PreviewQuery
from crmkit_loyalty.redeeming_graphql import InsufficientPointsProblem, RedemptionMutation
from crmkit_loyalty.redemption_graphql import PointRedemption, RedemptionQuery, customer_id_of
from crmkit_loyalty.rules_graphql import RulesMutation, RulesQuery
from crmkit_schema import (
    PUBLIC,
    Connection,
    Customer,
    Interaction,
    Long,
    Transaction,
    bound,
    computed,
    connection,
    mapped,
    mutation,
    object_type,
    related,
    subscription,
)

_MAIN = f"'{POINTS}'"

strawberry.enum(EntryKind, name="LoyaltyEntryKind", description="Why points moved.")


def _accounts() -> FromClause:
    """An account for every customer, empty for those who never had points."""
    customer, account = table_of(core.Customer), table_of(models.LoyaltyAccount)
    return (
        select(
            customer.c.id.label("customer_id"),
            func.coalesce(account.c.balance, 0).label("balance"),
            func.coalesce(account.c.debt, 0).label("debt"),
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
    models.LedgerEntry,
    permission="loyalty.read",
    sorted_by=("-occurred_at", "-id"),
    node="pts",
)
class LoyaltyEntry:
    """One movement of points; a fact, corrected only by later ones."""

    kind: EntryKind = mapped("Why points moved.", filter=True)
    point_kind: str = mapped("Which kind of points moved.", filter=True)
    points_delta: Long = mapped("Points added; negative when they went.", filter=True)
    balance_after: Long = mapped("Points on the account right after it, in the order recorded.")
    occurred_at: datetime = mapped("When it happened.", filter=True, sort=True)
    recorded_at: datetime = mapped("When crmkit learned of it.", filter=True, sort=True)
    rule: str = mapped("The rule that gave the figure.", filter=True)
    explanation: JSON = mapped("The rule's inputs; enough to compute the figure again.")
    reason: str | None = mapped("Why, in words.")
    actor: str | None = mapped("Who did it; null for a rule.")
    transaction: Transaction | None = related(
        "The transaction that caused it, if one did.", parent="source_id"
    )
    interaction: Interaction | None = related(
        "The interaction that caused it, if one did.", parent="source_id"
    )
    reverses: Annotated["LoyaltyEntry", strawberry.lazy("crmkit_loyalty.graphql")] | None = related(
        "The entry it undoes, wholly or in part.", parent="reverses_entry_id"
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
    accounts: list[PointAccount] = related(
        "One for each kind of points that the customer ever had.",
        parent="customer_id",
        child="customer_id",
    )
    redemptions: Connection[PointRedemption] = connection(
        "What was redeemed or held, latest first.", parent="customer_id", child="customer_id"
    )
    entries: Connection[LoyaltyEntry] = connection(
        "Every movement of every kind, latest first.", parent="customer_id", child="customer_id"
    )


@strawberry.type
class CustomerLoyalty:
    """What customers get."""

    loyalty: LoyaltyAccount = related("Points.", child="customer_id", filter=True)


@strawberry.input(description="Points to give or take by hand.")
class AdjustPointsInput:
    """One adjustment."""

    customer_id: strawberry.ID = strawberry.field(description="Whose points.")
    points: Long = strawberry.field(description="How many; negative takes them.")
    point_kind: str = strawberry.field(default=POINTS, description="Which kind of points.")
    reason: str = strawberry.field(description="Why; the customer may read it.")
    idempotency_key: str = strawberry.field(
        description="Made by the caller, once for each adjustment of the customer; sending it "
        "again gives the first answer."
    )


@object_type(None, permission=PUBLIC)
class AdjustPointsSuccess:
    """The adjustment, as it was answered the first time."""

    entry_id: strawberry.Private[Any]
    entry: LoyaltyEntry = related("The entry it led to.", parent="entry_id")


@strawberry.type
class LoyaltyMutation:
    """What can be done with points."""

    @mutation(
        "Give points to a customer, or take them.",
        permission="loyalty.adjust",
        problems=(InsufficientPointsProblem,),
    )
    def adjust_points(self, info: Info, input: AdjustPointsInput) -> AdjustPointsSuccess:
        """Adjust points."""
        context = info.context
        customer_id = customer_id_of(input.customer_id, context)
        entry = context.crm.write(
            lambda session: ledger.adjust(
                session,
                customer_id,
                input.points,
                point_kind=input.point_kind,
                reason=input.reason,
                key=input.idempotency_key,
                actor=context.actor.name,
                now=context.now,
                settings=settings_of(context),
            )
        )
        return AdjustPointsSuccess(entry_id=entry.id)


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
        queries=(LoyaltyQuery, RedemptionQuery, PreviewQuery, RulesQuery),
        mutations=(LoyaltyMutation, RedemptionMutation, RulesMutation),
        subscriptions=(LoyaltySubscription,),
        extends={"Customer": CustomerLoyalty},
        types=(LoyaltyEntry,),
    )
