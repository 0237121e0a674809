"""The demo retailer's calendar: opening hours, gift seasons, weekly promotions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from crmkit.demo.catalogue import Product

SHOP_ZONE = ZoneInfo("Asia/Shanghai")
_FIRST_MINUTE, _LAST_MINUTE = 8 * 60, 22 * 60 - 15
_GIFT_DAYS_BEFORE = 18
_PROMOTED_COUNT = 14

# Lunar festivals follow no simple rule, hence a table; outside it only Christmas remains.
_SPRING_FESTIVALS = (
    "2019-02-05 2020-01-25 2021-02-12 2022-02-01 2023-01-22 2024-02-10 2025-01-29 2026-02-17 "
    "2027-02-06 2028-01-26 2029-02-13 2030-02-03 2031-01-23 2032-02-11 2033-01-31 2034-02-19"
)
_MID_AUTUMN_FESTIVALS = (
    "2019-09-13 2020-10-01 2021-09-21 2022-09-10 2023-09-29 2024-09-17 2025-10-06 2026-09-25 "
    "2027-09-15 2028-10-03 2029-09-22 2030-09-12 2031-10-01 2032-09-19 2033-09-08 2034-09-27"
)


@dataclass(frozen=True, slots=True)
class GiftSeason:
    """The days before a festival in which presents are bought; both ends included."""

    festival: str
    first_on: date
    last_on: date


def gift_seasons(first_on: date, last_on: date) -> tuple[GiftSeason, ...]:
    """Return the gift seasons that lie whole between two days, in order."""
    festivals = [
        *(("spring festival", date.fromisoformat(day)) for day in _SPRING_FESTIVALS.split()),
        *(("mid-autumn", date.fromisoformat(day)) for day in _MID_AUTUMN_FESTIVALS.split()),
        *(("christmas", date(year, 12, 25)) for year in range(first_on.year, last_on.year + 1)),
    ]
    seasons = [
        GiftSeason(name, day - timedelta(_GIFT_DAYS_BEFORE), day - timedelta(1))
        for name, day in festivals
    ]
    inside = [one for one in seasons if first_on <= one.first_on and one.last_on <= last_on]
    return tuple(sorted(inside, key=lambda one: one.first_on))


def instant(day: date, minute: int, second: int = 0) -> datetime:
    """Return the UTC instant of a minute of the shop's day (0 is midnight in Shanghai)."""
    local = datetime.combine(day, time(minute // 60, minute % 60, second), SHOP_ZONE)
    return local.astimezone(UTC)


def shop_day(at: datetime) -> date:
    """Return the shop's calendar day of an instant."""
    return at.astimezone(SHOP_ZONE).date()


def shopping_time(rng: Random, day: date, usual_minute: int | None = None) -> datetime:
    """Return an instant of `day` within opening hours, near `usual_minute` if there is one."""
    if usual_minute is None:
        usual_minute = rng.choice((11 * 60 + 30, 18 * 60 + 30))
    minute = round(rng.gauss(usual_minute, 90))
    return instant(day, min(max(minute, _FIRST_MINUTE), _LAST_MINUTE), rng.randrange(60))


class Promotions:
    """Which products are cheaper in which week.

    Args:
        weeks: for each week from `first_on`, the percentage off per sku.
    """

    def __init__(self, first_on: date, weeks: Sequence[Mapping[str, int]]) -> None:
        self._first_on = first_on
        self.weeks = tuple(weeks)

    def on(self, day: date) -> Mapping[str, int]:
        """Return the percentage off per sku on `day`."""
        return self.weeks[(day - self._first_on).days // 7]


def draw_promotions(
    rng: Random, products: Sequence[Product], first_on: date, last_on: date
) -> Promotions:
    """Return promotions for every week between two days, both included."""
    count = (last_on - first_on).days // 7 + 1
    weeks = [
        {one.sku: rng.choice((10, 15, 20, 30)) for one in rng.sample(products, _PROMOTED_COUNT)}
        for _ in range(count)
    ]
    return Promotions(first_on, weeks)
