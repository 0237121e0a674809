"""Interactions as GraphQL gives them."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from crmkit import models
from crmkit.models import Direction
from crmkit_schema.customer_types import Customer
from crmkit_schema.declarations import mapped, related
from crmkit_schema.object_types import object_type
from crmkit_schema.transaction_types import Transaction

strawberry.enum(Direction, name="InteractionDirection", description="Who spoke first.")


@object_type(
    models.Interaction,
    permission="interactions.read",
    sorted_by=("-occurred_at", "-id"),
    node="int",
)
class Interaction:
    """One contact with a customer."""

    kind: str = mapped("One of the kinds that `modules` lists.", filter=True)
    source: str = mapped("The system that recorded it.", filter=True)
    external_id: str = mapped("That system's number for it.", filter=True)
    occurred_at: datetime = mapped("When it happened.", filter=True, sort=True)
    recorded_at: datetime = mapped("When crmkit learned of it.", filter=True, sort=True)
    channel: str | None = mapped("Such as store, phone, mail or web.", filter=True)
    direction: Direction = mapped("Who spoke first.", filter=True)
    subject: str | None = mapped("What it is about, in a few words.")
    content: str | None = mapped("What was said.")
    rating: int | None = mapped("1 (worst) to 5 (best).", filter=True)
    sku: str | None = mapped("The article it is about.", filter=True)
    staff: str | None = mapped("Who spoke for the shop.", filter=True)
    payload: JSON | None = mapped("What its kind adds.")
    customer: Customer | None = related("Whom it was with.", parent="customer_id")
    transaction: Transaction | None = related("What it is about.", parent="transaction_id")
