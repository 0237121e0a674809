"""Requests that come in together are served as one batch, and each is answered by itself."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from time import monotonic, sleep

import pytest

from crmkit import Crm, ErrorPolicy, Outcome, RowResult, ValidationFailed
from crmkit.errors import NotFound
from crmkit.joining import Joining
from crmkit.testing import sale

CUSTOMER = "ann"


class Kitchen:
    """Serves requests in batches, the first of which waits until it is told to go on."""

    def __init__(self) -> None:
        self.joining = Joining[int, int](batches_max=1)
        self.batches: list[list[list[int]]] = []
        self.began, self.go_on = Event(), Event()

    def serve(self, requests: Sequence[Sequence[int]]) -> list[int]:
        self.batches.append([list(each) for each in requests])
        if len(self.batches) == 1:
            self.began.set()
            assert self.go_on.wait(10)
        if any(number < 0 for request in requests for number in request):
            raise NotFound("dish", -1)
        return [sum(each) for each in requests]

    def ask(self, *items: int, kind: str = "a") -> int:
        return self.joining.serve(kind, items, self.serve)

    def until_waiting(self, count: int) -> None:
        until = monotonic() + 10
        while len(self.joining._queue) < count and monotonic() < until:
            sleep(0.001)


def _meanwhile(kitchen: Kitchen, *asking: Callable[[], int]) -> list[Future[int]]:
    """Return the answers to requests that all come in while a first one is served."""
    with ThreadPoolExecutor(len(asking) + 1) as threads:
        first = threads.submit(kitchen.ask, 1)
        assert kitchen.began.wait(10)
        others = []
        for number, each in enumerate(asking, 1):
            others.append(threads.submit(each))
            kitchen.until_waiting(number)
        kitchen.go_on.set()
        return [first, *others]


def test_what_waits_is_served_as_one_batch() -> None:
    kitchen = Kitchen()
    answers = _meanwhile(kitchen, lambda: kitchen.ask(2), lambda: kitchen.ask(3, 4))
    assert [each.result() for each in answers] == [1, 2, 7]
    assert kitchen.batches == [[[1]], [[2], [3, 4]]]


def test_other_kinds_of_requests_wait_for_a_batch_of_their_own() -> None:
    kitchen = Kitchen()
    answers = _meanwhile(kitchen, lambda: kitchen.ask(2), lambda: kitchen.ask(3, kind="b"))
    assert [each.result() for each in answers] == [1, 2, 3]
    assert kitchen.batches == [[[1]], [[2]], [[3]]]


def test_a_failure_reaches_only_who_caused_it() -> None:
    kitchen = Kitchen()
    _, good, bad = _meanwhile(kitchen, lambda: kitchen.ask(2), lambda: kitchen.ask(-3))
    assert good.result() == 2
    with pytest.raises(NotFound):
        bad.result()
    assert sorted(kitchen.batches[2:]) == [[[-3]], [[2]]]


def test_large_requests_go_by_themselves() -> None:
    kitchen = Kitchen()
    kitchen.joining.items_max = 2
    answers = _meanwhile(kitchen, lambda: kitchen.ask(2, 2), lambda: kitchen.ask(3))
    assert [each.result() for each in answers] == [1, 4, 3]
    assert kitchen.batches == [[[1]], [[2, 2]], [[3]]]


def test_whoever_waits_too_long_goes_alone() -> None:
    kitchen = Kitchen()
    kitchen.joining.wait_seconds_max = 0.05
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(kitchen.ask, 1)
        assert kitchen.began.wait(10)
        assert kitchen.ask(2) == 2
        kitchen.go_on.set()
        assert first.result() == 1
    assert kitchen.ask(3) == 3, "the place that the first had is free again"


def test_a_request_made_while_serving_does_not_wait_for_itself() -> None:
    joining = Joining[int, int](batches_max=1)

    def inner(requests: Sequence[Sequence[int]]) -> list[int]:
        return [sum(each) for each in requests]

    def outer(requests: Sequence[Sequence[int]]) -> list[int]:
        return [joining.serve("a", each, inner) + 1 for each in requests]

    assert joining.serve("a", [1], outer) == 2


def test_sales_recorded_at_once_are_each_answered_by_themselves(crm: Crm) -> None:
    crm.record_transactions([sale("0", customer=CUSTOMER)], create_missing_customers=True)

    def record(number: int) -> list[RowResult]:
        unknown = sale(f"{number}b", customer="nobody") if number % 5 == 0 else sale(f"{number}b")
        given = [sale(f"{number}a", customer=CUSTOMER), unknown]
        return crm.record_transactions(given, policy=ErrorPolicy.REJECT_ROWS)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(record, range(40)))
    for number, (first, second) in enumerate(found):
        assert (first.row, first.outcome) == (0, Outcome.TAKEN)
        assert second.row == 1
        is_unknown = number % 5 == 0
        assert second.outcome == (Outcome.REJECTED if is_unknown else Outcome.TAKEN)
        assert [(each.code, each.row) for each in second.problems] == (
            [("UNKNOWN_CUSTOMER", 1)] if is_unknown else []
        )
    assert len({first.id for first, _ in found}) == 40


def test_a_batch_that_is_refused_takes_no_other_with_it(crm: Crm) -> None:
    crm.record_transactions([sale("0", customer=CUSTOMER)], create_missing_customers=True)

    def record(number: int) -> str:
        customer = "nobody" if number % 4 == 0 else CUSTOMER
        try:
            crm.record_transactions([sale(str(number + 1), customer=customer)])
        except ValidationFailed as error:
            return error.problems[0].code
        return "taken"

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(record, range(32)))
    assert found == ["UNKNOWN_CUSTOMER" if n % 4 == 0 else "taken" for n in range(32)]


def test_the_same_sale_sent_by_several_at_once_is_taken_once(crm: Crm) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: crm.record_transactions([sale("1")])[0], range(16)))
    assert sorted(each.outcome for each in found) == [Outcome.KNOWN] * 15 + [Outcome.TAKEN]
    assert len({each.id for each in found}) == 1
