from datetime import datetime, timedelta
from typing import Any, TypeAlias

from crmkit.testing import NOON

TillFactory: TypeAlias = Any

TEA = ("tea", "2", "45.50")
POT = ("pot", "1", "120.00")


def test_a_year_of_one_member(till_factory: TillFactory) -> None:
    till = till_factory(lifetime_months=24)

    def on(month: int) -> datetime:
        return NOON + timedelta(days=30 * month)

    # January: tea 91.00 and a pot 120.00 make 211.00.
    first = till.sell("ann", TEA, POT, occurred_at=on(0))
    assert till.balance("ann") == 211
    # February: a parcel arrives late; the shop gives 50. 211 + 50.
    assert till.adjust("ann", 50).balance_after == 261
    # March: one tea comes back. It was 45.50 of 211.00: 211 x 45.5 / 211 = 45.5, so 45 go.
    till.take_back(None, first, ("tea", "-1", "45.50"), occurred_at=on(2))
    assert till.balance("ann") == 216
    # April: 200 go for a voucher handed out by hand. The first lot pays: 211 - 45 = 166 left
    # of it, which expires before February's 50; the 34 missing come from that one.
    till.adjust("ann", -200)
    assert [lot[1] for lot in till.lots("ann")] == [0, 16]
    # May: a sale before she showed her card is found and attached. 16 + 19.
    receipt = till.sell(None, ("cup", "1", "19.99"), occurred_at=on(4))
    till.attach("ann", receipt)
    assert till.balance("ann") == 35
    # June: everything else of January comes back: 211 - 45 = 166 are due, 35 are there.
    rest = [("tea", "-1", "45.50"), ("pot", "-1", "120.00")]
    till.take_back(None, first, *rest, occurred_at=on(5))
    assert till.account("ann") == (0, 131)
    # September: 150.00 earn 150; 131 pay the debt.
    till.sell("ann", ("coat", "1", "150.00"), occurred_at=on(8))
    assert till.account("ann") == (19, 0)
    # December: a sale rung up twice is voided. 80 come and go.
    double = till.sell("ann", ("scarf", "1", "80.00"), occurred_at=on(11))
    till.void(double)
    assert till.balance("ann") == 19

    # 211 + 50 - 45 - 200 + 19 - 166 + 150 + 80 - 80 = 19
    points = [entry.points_delta for entry in till.entries("ann")]
    assert points == [211, 50, -45, -200, 19, -166, 150, 80, -80]
    assert sum(points) == 19
    assert till.differences() == []


def test_the_example_of_the_readme(till_factory: TillFactory) -> None:
    till = till_factory()

    sale = till.sell("ann", TEA, POT)
    till.take_back(None, sale, ("tea", "-1", "45.50"))
    till.adjust("ann", -100)
    assert till.balance("ann") == 66
    till.take_back(None, sale, ("tea", "-1", "45.50"), ("pot", "-1", "120.00"))
    assert till.account("ann") == (0, 100)
    till.sell("ann", ("coat", "1", "150.00"))

    assert [points for _, points in till.deltas("ann")] == [211, -45, -100, -166, 150]
    assert till.account("ann") == (50, 0)
