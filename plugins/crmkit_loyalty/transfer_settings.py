"""What a retailer can choose about transfers of points between customers."""

from pydantic import BaseModel, ConfigDict, Field

POINTS_MAX = 10**12


class TransferSettings(BaseModel):
    """Transfers of points between customers; off unless they are allowed.

    Attributes:
        allowed: whether points can be transferred at all.
        points_max: most points of one transfer; without it, as many as there are.
        customer_month_max: most points of one kind that a customer can give away in a calendar
            month.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    allowed: bool = False
    points_max: int | None = Field(default=None, ge=1, le=POINTS_MAX)
    customer_month_max: int | None = Field(default=None, ge=1, le=POINTS_MAX)
