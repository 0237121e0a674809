"""Points of a past instant, as GraphQL gives them."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import strawberry

from crmkit_loyalty.as_of import Held, entries_until, held_at
from crmkit_loyalty.expiry_graphql import settings_of
from crmkit_loyalty.lots import NEVER, AccountKey
from crmkit_loyalty.point_kinds import POINTS
from crmkit_schema import Long, RequestContext, value_type


@value_type
class PointLotAsOf:
    """Points that were gained together."""

    points: Long = strawberry.field(description="How many they were at first.")
    left: Long = strawberry.field(description="How many were left.")
    active_from: datetime | None = strawberry.field(
        description="First instant at which they can be spent."
    )
    expires_at: datetime | None = strawberry.field(
        description="First instant at which they are worth nothing; null means never."
    )


@value_type
class PointsAsOf:
    """What a customer had of one kind of points."""

    point_kind: str = strawberry.field(description="Which kind of points.")
    balance: Long = strawberry.field(
        description="Points there were, pending ones too, without what had expired."
    )
    pending: Long = strawberry.field(description="Those of them that could not be spent yet.")
    debt: Long = strawberry.field(description="Points to be paid off by what was earned next.")
    lots: list[PointLotAsOf] = strawberry.field(
        description="Where the balance came from, in the order in which it was to be spent."
    )


def points_as_of(
    parents: Sequence[Any],
    context: RequestContext,
    *,
    at: datetime,
    known_at: datetime | None = None,
) -> list[list[PointsAsOf]]:
    """Return what each customer had at an instant, of every kind of points moved by then."""
    settings = settings_of(context)
    ids = {parent.customer_id for parent in parents}
    rows = context.rows(entries_until(ids, at, known_at))
    found = {
        who: held_at(who, entries, at, settings)
        for who, entries in groupby(rows, key=lambda row: row["customer_id"])
    }
    nothing = {who: [Held(AccountKey(who, POINTS), 0, [])] for who in ids}
    return [
        [_shown(held, at) for held in {**nothing, **found}[parent.customer_id]]
        for parent in parents
    ]


def _shown(held: Held, at: datetime) -> PointsAsOf:
    return PointsAsOf(
        point_kind=held.account.point_kind,
        balance=Long(held.balance),
        pending=Long(sum(lot.left for lot in held.lots if lot.active_from > at)),
        debt=Long(held.debt),
        lots=[
            PointLotAsOf(
                points=Long(lot.points),
                left=Long(lot.left),
                active_from=_instant(lot.active_from),
                expires_at=_instant(lot.expires_at),
            )
            for lot in held.lots
        ],
    )


def _instant(at: datetime) -> datetime | None:
    return None if at == NEVER else at
