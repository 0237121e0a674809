"""What a request to adjust points by hand must look like. Pure."""

import hashlib
from typing import NamedTuple

import orjson

from crmkit import ValidationFailed
from crmkit.checking import Row
from crmkit_loyalty.settings import LoyaltySettings

REASON_MAX = 200


class Adjustment(NamedTuple):
    """A well-formed request.

    Attributes:
        points: negative when points go.
        key: idempotency key as stored, apart from the keys of rules.
        fingerprint: digest of what the request asks for.
    """

    points: int
    reason_code: str
    reason: str
    key: str
    fingerprint: str


def check_adjustment(
    points: int, point_kind: str, reason_code: str, reason: str, key: str, settings: LoyaltySettings
) -> Adjustment:
    """Read a request, or say everything that is wrong with it.

    Raises:
        ValidationFailed: points are 0 or more than the settings allow, there is no such kind of
            them, or a text is empty or too long.
    """
    row, points_max = Row(0), settings.adjustment_points_max
    if point_kind not in settings.terms:
        known = ", ".join(settings.terms)
        row.fail("UNKNOWN_VALUE", f"choose one of: {known}", "pointKind", point_kind)
    if type(points) is not int or not 0 < abs(points) <= points_max:
        row.fail("OUT_OF_RANGE", f"give 1 to {points_max} points, or take them", "points", points)
    reason_code = row.required_text("reasonCode", reason_code)
    reason = row.required_text("reason", reason, REASON_MAX)
    key = row.required_text("idempotencyKey", key)
    if row.problems:
        raise ValidationFailed(row.problems)
    asked = [points, point_kind, reason_code, reason]
    digest = hashlib.sha256(orjson.dumps(asked)).hexdigest()
    return Adjustment(points, reason_code, reason, f"request:{key}", digest)
