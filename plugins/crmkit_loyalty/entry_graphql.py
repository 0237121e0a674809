"""Entries of the points book as GraphQL gives them."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from crmkit_loyalty.models import EntryKind, LedgerEntry
from crmkit_schema import Interaction, Long, Transaction, mapped, object_type, related

strawberry.enum(EntryKind, name="LoyaltyEntryKind", description="Why points moved.")


@object_type(
    LedgerEntry,
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
    reason_code: str | None = mapped(
        "Of an adjustment by hand, its reason among those of the settings.", filter=True
    )
    reason: str | None = mapped("Why, in words.")
    actor: str | None = mapped("Who did it; null for a rule.")
    transaction: Transaction | None = related(
        "The transaction that caused it, if one did.", parent="source_id"
    )
    interaction: Interaction | None = related(
        "The interaction that caused it, if one did.", parent="source_id"
    )
    reverses: Annotated["LoyaltyEntry", strawberry.lazy("crmkit_loyalty.entry_graphql")] | None = (
        related("The entry it undoes, wholly or in part.", parent="reverses_entry_id")
    )
