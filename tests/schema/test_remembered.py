"""What is remembered is bounded, and what is asked for again stays whatever comes between."""

from threading import Thread

import pytest

from crmkit_schema.remembered import Remembered


def numbers(most: int) -> Remembered[int, str]:
    return Remembered(most)


@pytest.mark.parametrize("most", [1, 2, 3, 8, 256])
def test_no_more_are_remembered_than_said(most: int) -> None:
    found = numbers(most)
    for number in range(most * 3):
        found.add(number, "x")

    assert len(found) == most
    assert sum(found.get(number) is not None for number in range(most * 3)) == most


def test_nothing_is_remembered_where_there_is_no_room() -> None:
    found = numbers(0)
    found.add(1, "one")

    assert found.get(1) is None


def test_what_was_asked_for_again_outlives_any_number_of_others() -> None:
    found = numbers(256)
    for number in range(100):
        found.add(-number, "hot")
        found.get(-number)
    for number in range(1, 10_001):
        found.add(number, "cold")

    assert all(found.get(-number) == "hot" for number in range(100))


def test_what_is_asked_for_all_the_time_outlives_others_that_come_back_once() -> None:
    found = numbers(64)
    found.add(0, "hot")
    for number in range(1, 10_000):
        found.add(number, "cold")
        found.get(number)
        if number % 10 == 0:
            assert found.get(0) == "hot"


def test_what_is_not_asked_for_any_more_makes_room_in_the_end() -> None:
    found = numbers(64)
    found.add(0, "old")
    found.get(0)
    for number in range(1, 500):
        found.add(number, "new")
        found.get(number)

    assert found.get(0) is None


def test_all_the_room_is_used_before_anything_is_forgotten() -> None:
    found = numbers(64)
    for number in range(64):
        found.add(number, "x")

    assert all(found.get(number) for number in range(64))


def test_the_first_of_two_stays() -> None:
    found = numbers(4)
    found.add(1, "first")
    found.add(1, "second")

    assert (found.get(1), len(found)) == ("first", 1)


def test_pinned_values_stay_and_take_no_room() -> None:
    found = numbers(2)
    found.pin(-1, "kept")
    for number in range(100):
        found.add(number, "x")
        found.get(number)

    assert (found.get(-1), len(found)) == ("kept", 2)


def test_many_threads_may_ask_and_add() -> None:
    found = numbers(16)

    def work(first: int) -> None:
        for number in range(first, first + 5_000):
            found.add(number % 40, "x")
            found.get((number * 7) % 40)

    threads = [Thread(target=work, args=(first,)) for first in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert len(found) == 16
    assert sum(found.get(number) is not None for number in range(40)) == 16
