from typing import Any, TypeAlias
from uuid import UUID

import pytest

from crmkit import IdempotencyMismatch, NotFound, ValidationFailed
from crmkit_loyalty.adjusting_errors import UnknownReasonCode
from crmkit_loyalty.errors import InsufficientPoints

Till: TypeAlias = Any
TillFactory: TypeAlias = Any


def test_points_are_given_and_taken_by_hand(till: Till) -> None:
    given = till.adjust("ann", 30)
    taken = till.adjust("ann", -30)

    assert (given.balance_after, taken.balance_after) == (30, 0)
    assert (given.actor, given.reason_code, given.reason) == ("ann", "goodwill", "late parcel")
    assert till.deltas("ann") == [("adjustment", 30), ("adjustment", -30)]


def test_taking_more_than_there_is_changes_nothing(till: Till) -> None:
    till.adjust("ann", 30)

    with pytest.raises(InsufficientPoints) as refused:
        till.adjust("ann", -31)

    assert (refused.value.available, refused.value.requested) == (30, 31)
    assert refused.value.code == "INSUFFICIENT_POINTS"
    assert till.balance("ann") == 30


def test_a_refused_key_may_succeed_later(till: Till) -> None:
    with pytest.raises(InsufficientPoints):
        till.adjust("ann", -10, "k")
    till.adjust("ann", 10)

    assert till.adjust("ann", -10, "k").balance_after == 0


def test_the_same_key_gives_the_first_answer_for_ever(till: Till) -> None:
    first = till.adjust("ann", 30, "k")
    till.adjust("ann", -30)

    again = till.adjust("ann", 30, "k", actor="bob")

    assert again.model_dump() == first.model_dump()
    assert till.balance("ann") == 0


@pytest.mark.parametrize(
    ("points", "more"),
    [(31, {}), (-30, {}), (30, {"reason": "gift"}), (30, {"reason_code": "correction"})],
)
def test_a_key_used_for_another_request_is_refused(
    till: Till, points: int, more: dict[str, str]
) -> None:
    till.adjust("ann", 30, "k")

    with pytest.raises(IdempotencyMismatch):
        till.adjust("ann", points, "k", **more)

    assert till.balance("ann") == 30


def test_a_key_belongs_to_one_customer(till: Till) -> None:
    till.adjust("ann", 30, "k")
    till.adjust("bob", 20, "k")

    assert (till.balance("ann"), till.balance("bob")) == (30, 20)


def test_a_reason_code_that_is_not_configured_is_refused_and_the_key_stays_free(
    till_factory: TillFactory,
) -> None:
    till = till_factory(adjustment_reasons=["goodwill", "stock_loss"])

    with pytest.raises(UnknownReasonCode) as refused:
        till.adjust("ann", 30, "k", reason_code="fraud")

    assert (refused.value.reason_code, refused.value.known) == ("fraud", ["goodwill", "stock_loss"])
    assert till.adjust("ann", 30, "k", reason_code="stock_loss").reason_code == "stock_loss"


def test_a_code_that_is_no_longer_configured_keeps_its_answer(
    till_factory: TillFactory,
) -> None:
    till = till_factory()
    first = till.adjust("ann", 30, "k", reason_code="fraud")
    options = till.settings.model_copy(update={"adjustment_reasons": ("goodwill",)})

    again = till.adjust("ann", 30, "k", reason_code="fraud", settings=options)

    assert again.id == first.id


@pytest.mark.parametrize(
    ("points", "reason", "key", "field"),
    [
        (0, "goodwill", "k", "points"),
        (101, "goodwill", "k", "points"),
        (-101, "goodwill", "k", "points"),
        (True, "goodwill", "k", "points"),
        (1.5, "goodwill", "k", "points"),
        (1, " ", "k", "reason"),
        (1, "x" * 201, "k", "reason"),
        (1, "goodwill", " ", "idempotencyKey"),
        (1, "good\x00will", "k", "reason"),
    ],
)
def test_a_request_outside_the_limits_is_refused(
    till_factory: TillFactory, points: Any, reason: str, key: str, field: str
) -> None:
    till = till_factory(adjustment_points_max=100)

    with pytest.raises(ValidationFailed) as refused:
        till.adjust("ann", points, key, reason=reason)

    assert [problem.field for problem in refused.value.problems] == [field]


def test_the_largest_adjustment_is_taken(till_factory: TillFactory) -> None:
    till = till_factory(adjustment_points_max=100)

    assert till.adjust("ann", 100).balance_after == 100


def test_nobody_has_no_points(till: Till) -> None:
    till.ids["nobody"] = UUID(int=7)

    with pytest.raises(NotFound):
        till.adjust("nobody", 5)


def test_points_go_from_the_lot_that_expires_first(till_factory: TillFactory) -> None:
    till = till_factory(lifetime_months=12)
    till.sell("ann", ("tea", "1", "10.00"), occurred_at="2026-03-01T00:00:00Z")
    till.sell("ann", ("tea", "1", "20.00"), occurred_at="2026-01-01T00:00:00Z")

    till.adjust("ann", -25)

    assert [lot[:2] for lot in till.lots("ann")] == [(10, 5), (20, 0)]
    assert till.differences() == []


def test_points_given_to_a_debtor_pay_the_debt_first(till: Till) -> None:
    sale = till.sell("ann", ("tea", "1", "50.00"))
    till.adjust("ann", -50)
    till.take_back(None, sale, ("tea", "-1", "50.00"))

    entry = till.adjust("ann", 60)

    assert till.account("ann") == (10, 0)
    assert entry.balance_after == 10
    assert till.differences() == []
