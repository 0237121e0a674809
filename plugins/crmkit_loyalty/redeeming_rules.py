"""How many points may pay for a purchase, and what they pay. Pure."""

import hashlib
from fractions import Fraction
from typing import NamedTuple

import orjson

from crmkit import ValidationFailed
from crmkit.checking import Row
from crmkit.money import AmountError, currency_digits, parse_minor
from crmkit_loyalty.point_kinds import RedemptionTerms


class Purchase(NamedTuple):
    """What points are to pay for.

    Attributes:
        total_minor: what it costs, in minor units of the home currency; None if not told.
        source: the system that its receipt comes from; None while nobody knows.
        external_id: the receipt's number there.
    """

    total_minor: int | None = None
    source: str | None = None
    external_id: str | None = None


class Choice(NamedTuple):
    """What a customer may choose from.

    Attributes:
        available: points that can be spent.
        least: least points of a redemption.
        most: most points; 0 if none can be redeemed.
        step: any number between that is a multiple of this.
    """

    available: int
    least: int
    most: int
    step: int

    def allows(self, points: int) -> bool:
        """Tell whether so many points may be redeemed."""
        return self.least <= points <= self.most and points % self.step == 0


class Wanted(NamedTuple):
    """A well-formed request to redeem points.

    Attributes:
        key: idempotency key.
        fingerprint: digest of what the request asks for.
    """

    points: int
    purchase: Purchase
    key: str
    fingerprint: str


def read_purchase(
    total: str | None, source: str | None, external_id: str | None, currency: str
) -> Purchase:
    """Read what points are to pay for.

    Raises:
        ValidationFailed: the total is no amount of the currency, or a name is empty or too long.
    """
    row, minor = Row(0), None
    if total is not None:
        try:
            minor = parse_minor(total, currency)
        except AmountError as error:
            row.fail("INVALID_AMOUNT", str(error), "total", total)
    if minor is not None and minor < 0:
        row.fail("OUT_OF_RANGE", "a purchase costs 0 or more", "total", total)
    if source is not None or external_id is not None:
        source = row.required_text("receipt.source", source)
        external_id = row.required_text("receipt.externalId", external_id)
    if row.problems:
        raise ValidationFailed(row.problems)
    return Purchase(minor, source, external_id)


def value_minor(points: int, terms: RedemptionTerms, currency: str) -> int:
    """Return what points pay, in minor units: points x value of one, the fraction dropped."""
    exact: Fraction = points * Fraction(terms.value) * 10 ** currency_digits(currency)
    return exact.numerator // exact.denominator


def choice(
    available: int, total_minor: int | None, terms: RedemptionTerms, currency: str
) -> Choice:
    """Return how many points may be redeemed for a purchase.

    The most is the greatest multiple of the step that is available and whose value is no more than
    the share of the total that points may pay.

    Args:
        total_minor: what the purchase costs; None if points need not fit one.
    """
    step = terms.points_step
    most = available
    if total_minor is not None:
        payable = max(0, total_minor) * Fraction(terms.share_max)
        one = Fraction(terms.value) * 10 ** currency_digits(currency)
        most = min(most, int(payable // one))
    least = -(-terms.points_min // step) * step
    most = most // step * step
    return Choice(available, least, most if most >= least else 0, step)


def check_redemption(points: int, kind: str, purchase: Purchase, key: str, *more: str) -> Wanted:
    """Read a request, or say everything that is wrong with it.

    Args:
        more: what else makes two requests with one key different.

    Raises:
        ValidationFailed: points are less than 1, or the key is empty or too long.
    """
    row = Row(0)
    if type(points) is not int or not 0 < points <= 10**12:
        row.fail("OUT_OF_RANGE", "redeem at least 1 point", "points", points)
    key = row.required_text("idempotencyKey", key)
    if row.problems:
        raise ValidationFailed(row.problems)
    digest = hashlib.sha256(orjson.dumps([points, kind, *purchase, *more])).hexdigest()
    return Wanted(points, purchase, key, digest)
