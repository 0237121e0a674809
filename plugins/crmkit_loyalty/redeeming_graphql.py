"""The mutations that redeem points."""

from typing import Any

import strawberry
from strawberry import Info

from crmkit import NotFound
from crmkit_loyalty.cancelling import cancel
from crmkit_loyalty.errors import InsufficientPoints
from crmkit_loyalty.expiry_graphql import settings_of
from crmkit_loyalty.holds import redeem_held, release
from crmkit_loyalty.lots import AccountKey
from crmkit_loyalty.point_kinds import POINTS
from crmkit_loyalty.redeemed import Caller
from crmkit_loyalty.redeeming import redeem
from crmkit_loyalty.redeeming_errors import NotRedeemable, RedemptionEnded, RedemptionNotAllowed
from crmkit_loyalty.redeeming_rules import Purchase, read_purchase
from crmkit_loyalty.redemption_graphql import PointRedemption, customer_id_of
from crmkit_loyalty.redemption_models import RedemptionState
from crmkit_schema import PUBLIC, Amount, Long, mutation, object_type, problem_type, related
from crmkit_schema.nodes import stored_id


@strawberry.input(description="The receipt that points pay for, whether it is recorded or not.")
class ReceiptInput:
    """A name."""

    source: str = strawberry.field(description="The system that it comes from.")
    external_id: str = strawberry.field(description="Its number there.")


@strawberry.input(description="Points to redeem, or to hold.")
class RedeemPointsInput:
    """One redemption."""

    customer_id: strawberry.ID = strawberry.field(description="Whose points.")
    points: Long = strawberry.field(description="How many, as the customer chose.")
    point_kind: str = strawberry.field(default=POINTS, description="Which kind of points.")
    total: Amount | None = strawberry.field(
        default=None,
        description="What the purchase costs, in the home currency; points may pay a share only.",
    )
    receipt: ReceiptInput | None = strawberry.field(
        default=None,
        description="What they pay for: it earns less, and its returns give points back.",
    )
    idempotency_key: str = strawberry.field(
        description="Made by the caller, once for each redemption of the customer; sending it "
        "again gives the same redemption."
    )


@strawberry.input(description="How a hold ends.")
class RedeemHeldPointsInput:
    """One hold."""

    redemption_id: strawberry.ID = strawberry.field(description="The hold.")
    points: Long | None = strawberry.field(
        default=None, description="How many are redeemed, the others come back; null means all."
    )
    receipt: ReceiptInput | None = strawberry.field(
        default=None, description="What they pay for, unless the hold named it."
    )
    idempotency_key: str = strawberry.field(
        description="Made by the caller; sending it again gives the same redemption."
    )


@strawberry.input(description="A hold to release.")
class ReleasePointsInput:
    """One hold."""

    redemption_id: strawberry.ID = strawberry.field(description="The hold.")
    idempotency_key: str = strawberry.field(
        description="Made by the caller; sending it again gives the same redemption."
    )


@strawberry.input(description="A redemption to take back as a whole.")
class CancelRedemptionInput:
    """One redemption."""

    redemption_id: strawberry.ID = strawberry.field(description="The redemption.")
    reason: str = strawberry.field(description="Why; the customer may read it.")


@object_type(None, permission=PUBLIC)
class RedeemPointsSuccess:
    """A redemption, as it is now."""

    redemption_id: strawberry.Private[Any]
    redemption: PointRedemption = related("The redemption.", parent="redemption_id")


@problem_type(NotRedeemable)
class NotRedeemableProblem:
    """This kind of points pays for nothing."""

    point_kind: str = strawberry.field(description="The kind.")


@problem_type(RedemptionNotAllowed)
class RedemptionNotAllowedProblem:
    """So many points must not be redeemed here."""

    requested: Long = strawberry.field(description="Points that were to be redeemed.")
    least: Long = strawberry.field(description="Least points of a redemption.")
    most: Long = strawberry.field(description="Most points for this purchase.")
    step: Long = strawberry.field(description="A redemption is a multiple of this.")


@problem_type(RedemptionEnded)
class RedemptionEndedProblem:
    """The hold has ended before."""

    state: RedemptionState = strawberry.field(description="What has become of it.")


@problem_type(InsufficientPoints)
class InsufficientPointsProblem:
    """More points were to go than there are."""

    available: Long = strawberry.field(description="Points there are.")
    requested: Long = strawberry.field(description="Points that were to go.")


_REFUSED = InsufficientPointsProblem, NotRedeemableProblem, RedemptionNotAllowedProblem


@strawberry.type
class RedemptionMutation:
    """What redeems points."""

    @mutation("Let points pay for a purchase.", permission="loyalty.redeem", problems=_REFUSED)
    def redeem_points(self, info: Info, input: RedeemPointsInput) -> RedeemPointsSuccess:
        """Redeem."""
        return _redeem(info.context, input, holds=False)

    @mutation(
        "Hold points for a purchase, until they are redeemed or released, or time is over.",
        permission="loyalty.redeem",
        problems=_REFUSED,
    )
    def hold_points(self, info: Info, input: RedeemPointsInput) -> RedeemPointsSuccess:
        """Hold."""
        return _redeem(info.context, input, holds=True)

    @mutation(
        "Redeem points that are held.",
        permission="loyalty.redeem",
        problems=(RedemptionEndedProblem, NotRedeemableProblem, RedemptionNotAllowedProblem),
    )
    def redeem_held_points(self, info: Info, input: RedeemHeldPointsInput) -> RedeemPointsSuccess:
        """Redeem."""
        context, settings = info.context, settings_of(info.context)
        id_ = _redemption_id(input.redemption_id, context)
        purchase = _purchase(None, input.receipt, settings.currency)
        caller = _caller(context, input.idempotency_key)
        ended = context.crm.write(
            lambda session: redeem_held(session, id_, input.points, purchase, caller, settings)
        )
        return RedeemPointsSuccess(redemption_id=ended.id)

    @mutation(
        "Release points that are held.",
        permission="loyalty.redeem",
        problems=(RedemptionEndedProblem,),
    )
    def release_points(self, info: Info, input: ReleasePointsInput) -> RedeemPointsSuccess:
        """Release."""
        context, settings = info.context, settings_of(info.context)
        id_ = _redemption_id(input.redemption_id, context)
        caller = _caller(context, input.idempotency_key)
        ended = context.crm.write(lambda session: release(session, id_, caller, settings))
        return RedeemPointsSuccess(redemption_id=ended.id)

    @mutation(
        "Give back what has not come back yet of a redemption; doing it again changes nothing.",
        permission="loyalty.redeem",
        problems=(RedemptionEndedProblem,),
    )
    def cancel_redemption(self, info: Info, input: CancelRedemptionInput) -> RedeemPointsSuccess:
        """Cancel."""
        context, settings = info.context, settings_of(info.context)
        id_ = _redemption_id(input.redemption_id, context)
        caller = _caller(context, "")
        ended = context.crm.write(
            lambda session: cancel(session, id_, input.reason, caller, settings)
        )
        return RedeemPointsSuccess(redemption_id=ended.id)


def _redeem(context: Any, input: RedeemPointsInput, *, holds: bool) -> RedeemPointsSuccess:
    settings = settings_of(context)
    account = AccountKey(customer_id_of(input.customer_id, context), input.point_kind)
    purchase = _purchase(input.total, input.receipt, settings.currency)
    caller = _caller(context, input.idempotency_key)
    made = context.crm.write(
        lambda session: redeem(
            session, account, input.points, purchase, caller, settings, holds=holds
        )
    )
    return RedeemPointsSuccess(redemption_id=made.id)


def _purchase(total: str | None, receipt: ReceiptInput | None, currency: str) -> Purchase:
    if receipt is None:
        return read_purchase(total, None, None, currency)
    return read_purchase(total, receipt.source, receipt.external_id, currency)


def _caller(context: Any, key: str) -> Caller:
    return Caller(context.actor.name, context.now, key)


def _redemption_id(text: str, context: Any) -> Any:
    id_ = stored_id("red")(text, context)
    if id_ is None:
        raise NotFound("redemption", text)
    return id_
