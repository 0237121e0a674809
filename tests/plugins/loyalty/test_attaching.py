from typing import Any, TypeAlias

Till: TypeAlias = Any

TEA, CUP = ("tea", "1", "30.00"), ("cup", "1", "20.00")


def test_an_attached_sale_earns_once(till: Till) -> None:
    receipt = till.sell(None, TEA)

    till.attach("ann", receipt)
    till.attach("ann", receipt)

    assert till.deltas("ann") == [("accrual", 30)]


def test_what_came_back_before_is_taken_back_with_it(till: Till) -> None:
    receipt = till.sell(None, TEA, CUP)
    till.take_back(None, receipt, ("cup", "-1", "20.00"))

    till.attach("ann", receipt)

    assert till.deltas("ann") == [("accrual", 50), ("reversal", -20)]
    assert till.differences() == []


def test_a_return_that_had_a_customer_before_the_sale_had_counts_too(till: Till) -> None:
    receipt = till.sell(None, TEA, CUP)
    till.take_back("bob", receipt, ("cup", "-1", "20.00"))
    assert till.entries("bob") == []

    till.attach("ann", receipt)
    till.take_back(None, receipt, ("tea", "-1", "30.00"))

    assert till.deltas("ann") == [("accrual", 50), ("reversal", -20), ("reversal", -30)]
    assert till.entries("bob") == []


def test_a_voided_sale_gives_nothing_when_attached(till: Till) -> None:
    receipt = till.sell(None, TEA)
    till.void(receipt)

    till.attach("ann", receipt)

    assert till.balance("ann") == 0
    assert till.differences() == []


def test_a_voided_return_takes_nothing_back_when_the_sale_is_attached(till: Till) -> None:
    receipt = till.sell(None, TEA, CUP)
    returned = till.take_back("bob", receipt, ("cup", "-1", "20.00"))
    till.void(returned)

    till.attach("ann", receipt)

    assert till.balance("ann") == 50
