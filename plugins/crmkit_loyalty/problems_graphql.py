"""What several mutations about points refuse."""

import strawberry

from crmkit_loyalty.errors import InsufficientPoints
from crmkit_schema import Long, problem_type


@problem_type(InsufficientPoints)
class InsufficientPointsProblem:
    """More points were to go than there are."""

    available: Long = strawberry.field(description="Points on the account.")
    requested: Long = strawberry.field(description="Points that were to go.")
