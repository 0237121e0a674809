"""What a basket would earn, as GraphQL gives it."""

from collections import Counter
from datetime import datetime
from typing import Annotated, Any, Union

import strawberry
from strawberry import Info
from strawberry.scalars import JSON

from crmkit import (
    CustomerRef,
    NotFound,
    Refused,
    TransactionInput,
    sale_as_recorded,
)
from crmkit.models import Customer
from crmkit_loyalty.expiry_graphql import settings_of
from crmkit_loyalty.previewing import Previewed, preview
from crmkit_schema import (
    DateTimeInput,
    Long,
    RequestContext,
    resolved,
    value_type,
)
from crmkit_schema.core_inputs import TransactionLineInput
from crmkit_schema.nodes import stored_id
from crmkit_schema.problems import RefusedProblem, ValidationProblem, as_problem

_PROBLEMS = (ValidationProblem, RefusedProblem)


@strawberry.input(description="A basket, as a sale of it would be recorded.")
class PointsPreviewInput:
    """One basket."""

    customer_id: strawberry.ID = strawberry.field(description="Who would buy it.")
    currency: str = strawberry.field(description="ISO 4217 code.")
    lines: list[TransactionLineInput] = strawberry.field(description="What is in it.")
    store: str | None = strawberry.field(default=None, description="Where.")
    occurred_at: DateTimeInput | None = strawberry.field(
        default=None, description="When; now if left out."
    )

    def given(self, context: RequestContext) -> TransactionInput:
        """Return the sale; it names its customer by id.

        Raises:
            NotFound: what should be a customer's id is none.
        """
        customer_id = stored_id("cus")(self.customer_id, context)
        if customer_id is None:
            raise NotFound("customer", self.customer_id)
        return TransactionInput(
            "preview",
            "preview",
            context.now if self.occurred_at is None else self.occurred_at,
            self.currency,
            [line.given() for line in self.lines],
            customer=CustomerRef(customer_id),
            store=self.store,
        )


@value_type
class PointsPreviewEntry:
    """An accrual that recording the sale now would post."""

    rule: str = strawberry.field(description="The rule that gives the figure.")
    line: int = strawberry.field(description="Position of the line it is for; 0 is the whole sale.")
    point_kind: str = strawberry.field(description="The kind of points.")
    points: Long = strawberry.field(description="How many.")
    explanation: JSON = strawberry.field(
        description="The rule's inputs; enough to compute the figure again."
    )
    active_from: datetime | None = strawberry.field(description="From when they could be spent.")
    expires_at: datetime | None = strawberry.field(
        description="When they would expire; null if never."
    )


@value_type
class PointsPreviewTotal:
    """Points of one kind, all rules together."""

    point_kind: str = strawberry.field(description="The kind of points.")
    points: Long = strawberry.field(description="How many.")


@value_type
class PointsPreview:
    """What a basket would earn if it were sold now."""

    entries: list[PointsPreviewEntry] = strawberry.field(description="In the order of the rules.")
    totals: list[PointsPreviewTotal] = strawberry.field(description="One for each kind of points.")


PointsPreviewResult = Annotated[
    Union[PointsPreview, ValidationProblem, RefusedProblem],  # noqa: UP007 strawberry names it
    strawberry.union("PointsPreviewResult", description="What `pointsPreview` answers."),
]


@strawberry.type
class PreviewQuery:
    """What can be asked before a sale."""

    @resolved("What a basket would earn; writes nothing.", permission="loyalty.read")
    def points_preview(self, info: Info, input: PointsPreviewInput) -> PointsPreviewResult:
        """Preview."""
        try:
            return _made(_previewed(info.context, input))
        except Refused as error:
            problem: Any = as_problem(error, _PROBLEMS)
            return problem  # type: ignore[no-any-return]


def _previewed(context: RequestContext, input: PointsPreviewInput) -> list[Previewed]:
    sale, crm = sale_as_recorded(input.given(context), context.crm.settings.zone), context.crm
    with context.snapshot() as session:
        if sale.customer_id is None or session.get(Customer, sale.customer_id) is None:
            raise NotFound("customer", input.customer_id)
        settings = settings_of(context)
        return preview(
            session, crm.registry.services, settings, sale, sale.customer_id, context.now
        )


def _made(entries: list[Previewed]) -> PointsPreview:
    totals: Counter[str] = Counter()
    for each in entries:
        totals[each.point_kind] += each.points
    return PointsPreview(
        entries=[
            PointsPreviewEntry(**{**each._asdict(), "points": Long(each.points)})
            for each in entries
        ],
        totals=[
            PointsPreviewTotal(point_kind=kind, points=Long(points))
            for kind, points in totals.items()
        ],
    )
