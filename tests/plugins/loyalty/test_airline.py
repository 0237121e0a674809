"""An airline's points, each member and month of two years, by rules that are settings.

Its rule was found in the data: a point for each full 10 km; from February to April 2018 times 1.08,
1.25 or 1.5 by card, not rounded. Points are booked in hundredths, so nothing is lost.
"""

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crmkit import RecordedLine
from crmkit_loyalty.earning import Earned, earn
from crmkit_loyalty.earning_matching import Circumstances
from crmkit_loyalty.settings import LoyaltySettings
from earning_checker import points_from

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "airline_loyalty"
SPRING = {"kind": "multiplier", "from_on": "2018-02-01", "until_on": "2018-04-30"}
FACTORS = {"star": "1.08", "nova": "1.25", "aurora": "1.5"}
RULES: list[dict[str, Any]] = [
    {"name": "distance", "kind": "per_quantity", "points": 100, "every": 10, "skus": ["km"]},
    *(
        {**SPRING, "name": f"spring_{card}", "factor": factor, "tiers": {"card": [card]}}
        for card, factor in FACTORS.items()
    ),
]

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the airline's data are not there")


def rows(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(FOLDER / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def flown(rules: Any, month: dict[str, str], card: str) -> list[Earned]:
    quantity = int(month["Distance"]) * 1000
    line = RecordedLine(1, "product", "km", None, None, None, quantity, 0, 0, 0, 0, None)
    on = date(int(month["Year"]), int(month["Month"]), 1)
    return earn(rules, [line], Circumstances(on, "CAD", tiers={"card": card}))


def test_every_member_month_has_the_points_that_the_airline_gave() -> None:
    reference = json.loads((FOLDER / "reference.json").read_text())
    rules = LoyaltySettings.model_validate({"rules": RULES}).rule_set.rules
    cards = {each["Loyalty Number"]: each["Loyalty Card"] for each in rows("loyalty_history")}
    wrong, count, hundredths, entries = [], 0, 0, 0

    for month in rows("flight_activity"):
        earned = flown(rules, month, cards[month["Loyalty Number"]].lower())
        points = sum(each.points for each in earned)
        if points != Decimal(month["Points Accumulated"]) * 100:
            wrong.append((month, points))
        assert [points_from(each.basis) for each in earned] == [each.points for each in earned]
        count, hundredths, entries = count + 1, hundredths + points, entries + len(earned)

    assert wrong == []
    assert count == reference["points_rule_found"]["rows_that_obey"] == 205_056
    assert hundredths == round(Decimal(str(reference["points_accumulated"])) * 100)
    assert 0 < entries <= reference["rows_distance_gt_0"]
