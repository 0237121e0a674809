from typing import Any, TypeAlias

import pytest

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

TEA = ("tea", "2", "30.00")
CUP = ("cup", "1", "39.99")  # with two teas: 99.99, so 99 points


def back(item: tuple[str, str, str], quantity: str) -> tuple[str, str, str]:
    return (item[0], f"-{quantity}", item[2])


RETURNS = [
    pytest.param([[back(TEA, "2"), back(CUP, "1")]], [-99], id="all at once"),
    # 30.00 of 99.99: 99 x 0.30003 = 29.7
    pytest.param([[back(TEA, "1")]], [-29], id="part of a quantity"),
    # 39.99 of 99.99: 99 x 0.39994 = 39.6
    pytest.param([[back(CUP, "1")]], [-39], id="one line of two"),
    # 29.7, then 59.4 in all
    pytest.param([[back(TEA, "1")], [back(TEA, "1")]], [-29, -30], id="two parts of a quantity"),
    # 29.7, then 69.3 in all, then everything
    pytest.param(
        [[back(TEA, "1")], [back(CUP, "1")], [back(TEA, "1")]], [-29, -40, -30], id="in three parts"
    ),
    pytest.param([[back(TEA, "0.001")]], [], id="less than a point's worth"),
]


@pytest.mark.parametrize(("parts", "taken"), RETURNS)
def test_returns_take_back_the_share_of_what_came_back(
    till: Till, parts: list[list[tuple[str, str, str]]], taken: list[int]
) -> None:
    sale = till.sell("ann", TEA, CUP)

    for items in parts:
        till.take_back(None, sale, *items)

    assert till.deltas("ann") == [("accrual", 99), *(("reversal", points) for points in taken)]
    assert till.account("ann") == (99 + sum(taken), 0)
    assert till.differences() == []


def test_a_reversal_names_the_accrual_and_can_be_computed_again(till: Till) -> None:
    sale = till.sell("ann", TEA, CUP)
    till.take_back(None, sale, back(TEA, "1"))

    accrual, reversal = till.entries("ann")

    assert reversal.reverses_entry_id == accrual.id
    assert reversal.explanation == {
        "version": 1, "earned": 99, "share": "1000/3333", "taken": 0, "expired": 0,
    }  # fmt: skip
    assert accrual.explanation == {
        "version": 1, "amount_minor": 9999, "currency": "CNY", "points_per_major_unit": "1",
    }  # fmt: skip


def test_a_return_sent_twice_takes_back_once(till: Till) -> None:
    sale = till.sell("ann", TEA)
    document = till.document("return", None, [back(TEA, "1")], original=sale)

    till.record(document)
    till.record(document)

    assert till.balance("ann") == 30


def test_a_void_takes_back_everything(till: Till) -> None:
    sale = till.sell("ann", TEA, CUP)

    till.void(sale)

    assert till.deltas("ann") == [("accrual", 99), ("reversal", -99)]


def test_voiding_a_return_gives_its_points_back_with_their_expiry(
    till_factory: TillFactory,
) -> None:
    till = till_factory(lifetime_months=12)
    sale = till.sell("ann", TEA)
    returned = till.take_back(None, sale, back(TEA, "1"), occurred_at="2026-08-01T00:00:00Z")

    till.void(returned)

    assert till.deltas("ann") == [("accrual", 60), ("reversal", -30), ("reversal", 30)]
    first, second = till.lots("ann")
    assert first[2] == second[2]
    assert till.differences() == []


def test_points_spent_before_a_return_become_a_debt_that_the_next_sale_pays(till: Till) -> None:
    sale = till.sell("ann", TEA)
    till.adjust("ann", -50)

    till.take_back(None, sale, back(TEA, "2"))
    assert till.account("ann") == (0, 50)
    assert till.differences() == []

    till.sell("ann", CUP)
    assert till.account("ann") == (0, 11)
    till.sell("ann", CUP)
    assert till.account("ann") == (28, 0)
    assert till.differences() == []


def test_points_spent_before_a_return_are_forgiven_if_the_retailer_says_so(
    till_factory: TillFactory,
) -> None:
    till = till_factory(shortfall="forgive")
    sale = till.sell("ann", TEA)
    till.adjust("ann", -50)

    returned = till.take_back(None, sale, back(TEA, "2"))

    assert till.deltas("ann")[2:] == [("reversal", -60), ("reversal", 50)]
    assert till.account("ann") == (0, 0)
    till.void(returned)
    assert till.account("ann") == (10, 0)
    assert till.differences() == []


def test_goods_without_a_named_sale_take_what_is_there_and_no_more(till: Till) -> None:
    till.sell("ann", CUP)

    returned = till.take_back("ann", None, back(TEA, "2"))

    assert till.deltas("ann") == [("accrual", 39), ("adjustment", -39)]
    assert till.entries("ann")[1].explanation["due"] == 60
    assert till.account("ann") == (0, 0)
    till.void(returned)
    assert till.account("ann") == (39, 0)


def test_goods_without_a_named_sale_leave_an_empty_account_alone(till: Till) -> None:
    till.take_back("ann", None, back(TEA, "2"))

    assert till.entries("ann") == []
    assert till.differences() == []


def test_who_earned_gives_back_whoever_brings_the_goods(till: Till) -> None:
    sale = till.sell("ann", TEA)
    till.sell("bob", TEA)

    till.take_back("bob", sale, back(TEA, "2"))

    assert (till.balance("ann"), till.balance("bob")) == (0, 60)


def test_an_exchange_takes_back_and_earns(till: Till) -> None:
    sale = till.sell("ann", CUP)

    till.record(
        till.document("exchange", "ann", [back(CUP, "1"), ("jug", "1", "50.00")], original=sale)
    )

    assert till.deltas("ann") == [("accrual", 39), ("accrual", 50), ("reversal", -39)]
    assert till.balance("ann") == 50


def test_returning_what_an_exchange_gave_leaves_nothing(till: Till) -> None:
    sale = till.sell("ann", CUP)
    jug = ("jug", "1", "50.00")
    exchange = till.record(till.document("exchange", "ann", [back(CUP, "1"), jug], original=sale))

    till.take_back(None, exchange, back(jug, "1"))

    assert till.balance("ann") == 0


def test_a_void_of_an_exchange_restores_the_first_sale(till: Till) -> None:
    sale = till.sell("ann", CUP)
    document = till.document("exchange", "ann", [back(CUP, "1"), TEA], original=sale)
    exchange = till.record(document)

    till.void(exchange)

    assert till.balance("ann") == 39
    assert till.differences() == []


def test_sale_return_and_void_of_one_batch_give_what_three_batches_give(till: Till) -> None:
    def story(who: str) -> list[Any]:
        sale = till.document("sale", who, [TEA, CUP])
        first = till.document("return", None, [back(TEA, "1")], original=sale.external_id)
        void = till.document("void", None, original=first.external_id)
        last = till.document("return", None, [back(CUP, "1")], original=sale.external_id)
        return [sale, first, void, last]

    till.record(*story("ann"))
    for document in story("bob"):
        till.record(document)

    assert till.deltas("ann") == till.deltas("bob")
    assert till.balance("ann") == 99 - 39
    assert till.differences() == []


def test_goods_that_never_earned_take_nothing_back(till: Till) -> None:
    gift = till.sell("ann", ("gift", "1", "0.00"), ("tea", "1", "0.50"))

    till.take_back(None, gift, ("gift", "-1", "0.00"), ("tea", "-1", "0.50"))

    assert till.entries("ann") == []


BY_RULES = [
    {"name": "base", "kind": "per_amount", "points": 1},
    {"name": "teas", "kind": "per_quantity", "points": 15, "skus": ["tea"]},
    {"name": "lines", "kind": "per_line", "points": 3},
    {"name": "gift", "kind": "bonus", "points": 7, "amount_min": 50},
]
EARNED_BY_RULES = [99, 30, 3, 3, 7]
RETURNS_BY_RULES = [
    pytest.param([[back(TEA, "2"), back(CUP, "1")]], [[99, 30, 3, 3, 7]], id="all at once"),
    # 99 x 0.3 = 29.7; one of two teas; half of the first line; 7 x 0.3 = 2.1
    pytest.param([[back(TEA, "1")]], [[29, 15, 1, 0, 2]], id="part of a quantity"),
    # 99 x 0.39994 = 39.6; the second line; 7 x 0.39994 = 2.8
    pytest.param([[back(CUP, "1")]], [[39, 0, 0, 3, 2]], id="one line of two"),
    pytest.param(
        [[back(TEA, "1")], [back(CUP, "1")], [back(TEA, "1")]],
        [[29, 15, 1, 0, 2], [40, 0, 0, 3, 2], [30, 15, 2, 0, 3]],
        id="in three parts",
    ),
]


@pytest.mark.parametrize(("parts", "taken"), RETURNS_BY_RULES)
def test_a_return_takes_back_of_each_rule_the_share_of_its_own_goods(
    till_factory: TillFactory,
    parts: list[list[tuple[str, str, str]]],
    taken: list[list[int]],
) -> None:
    till = till_factory(rules=BY_RULES)
    sale = till.sell("ann", TEA, CUP)

    for items in parts:
        till.take_back(None, sale, *items)

    moved = [-points for some in taken for points in some if points]
    assert [points for _, points in till.deltas("ann")] == [*EARNED_BY_RULES, *moved]
    assert till.account("ann") == (sum(EARNED_BY_RULES) + sum(moved), 0)
    assert till.differences() == []


def test_a_void_undoes_every_rule(till_factory: TillFactory) -> None:
    till = till_factory(rules=BY_RULES)
    sale = till.sell("ann", TEA, CUP)

    till.void(sale)

    assert [points for _, points in till.deltas("ann")][5:] == [-99, -30, -3, -3, -7]
    assert till.differences() == []
