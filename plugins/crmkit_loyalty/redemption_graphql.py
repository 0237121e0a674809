"""Redemptions, and what could be redeemed, as GraphQL gives it."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy import literal, select
from strawberry import Info

from crmkit import Instant, NotFound
from crmkit_loyalty.availability import available
from crmkit_loyalty.expiry_graphql import settings_of
from crmkit_loyalty.point_kinds import POINTS
from crmkit_loyalty.redeemed import terms_of
from crmkit_loyalty.redeeming_rules import choice, read_purchase, value_minor
from crmkit_loyalty.redemption_models import Redemption, RedemptionState
from crmkit_schema import (
    Amount,
    Customer,
    Long,
    Money,
    RequestContext,
    mapped,
    money,
    object_type,
    related,
    resolved,
    value_type,
)
from crmkit_schema.nodes import stored_id

strawberry.enum(
    RedemptionState,
    name="PointRedemptionState",
    description="What has become of points that were to be redeemed.",
)


@object_type(Redemption, permission="loyalty.read", sorted_by=("-requested_at", "-id"), node="red")
class PointRedemption:
    """Points that paid, or are held to pay, for a purchase."""

    state: RedemptionState = mapped("What has become of them.", filter=True)
    point_kind: str = mapped("Which kind of points.", filter=True)
    points: Long = mapped("How many are held, or were redeemed.")
    value: Money = money("What they pay.", minor="value_minor")
    source: str | None = mapped("The system of the receipt that they pay for.")
    external_id: str | None = mapped("The receipt's number there.", filter=True)
    reward: str | None = mapped("What the points were exchanged for.", filter=True)
    code: str | None = mapped("The code of a coupon.", filter=True)
    requested_at: datetime = mapped("When they were asked for.", filter=True, sort=True)
    held_until: datetime | None = mapped("When a hold is over; null if there was none.")
    settled_at: datetime | None = mapped("When they were redeemed or released.")
    actor: str = mapped("Who asked for it.")
    customer: Customer = related("Whose points.", parent="customer_id")


@value_type
class RedemptionPreview:
    """What a customer may choose from when points are to pay for a purchase."""

    available: Long = strawberry.field(description="Points that can be spent.")
    points_min: Long = strawberry.field(description="Least points of a redemption.")
    points_max: Long = strawberry.field(
        description="Most points for this purchase; 0 if points cannot pay for it."
    )
    points_step: Long = strawberry.field(description="Any multiple of this in between.")
    value_max: Money = strawberry.field(description="What the most points pay.")


@strawberry.type
class RedemptionQuery:
    """What can be asked before points are redeemed."""

    @resolved("How many points may pay for a purchase; writes nothing.", permission="loyalty.read")
    def redemption_preview(
        self,
        info: Info,
        customer_id: strawberry.ID,
        point_kind: str = POINTS,
        total: Amount | None = None,
    ) -> RedemptionPreview:
        """Preview."""
        context: RequestContext = info.context
        settings = settings_of(context)
        terms = terms_of(point_kind, settings)
        purchase = read_purchase(total, None, None, settings.currency)
        id_, now = customer_id_of(customer_id, context), literal(context.now, Instant())
        (row,) = context.rows(select(available(id_, point_kind, now).label("points")))
        chosen = choice(int(row["points"]), purchase.total_minor, terms, settings.currency)
        most = value_minor(chosen.most, terms, settings.currency)
        return RedemptionPreview(
            available=Long(chosen.available),
            points_min=Long(chosen.least),
            points_max=Long(chosen.most),
            points_step=Long(chosen.step),
            value_max=Money(minor=Long(most), currency=settings.currency),
        )


def customer_id_of(text: str, context: Any) -> UUID:
    """Return the stored id of a customer.

    Raises:
        NotFound: it is no id of a customer.
    """
    id_ = stored_id("cus")(text, context)
    if id_ is None:
        raise NotFound("customer", text)
    return id_
