"""Requests that come in together are served as one batch, and each gets its own answer."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from crmkit_schema import joining
from crmkit_schema.joining import Joining
from crmkit_schema.requests import Joint
from crmkit_schema.workers import Workers, WorkOverran

LATER = 10.0


class Kitchen:
    """Serves orders in batches, each of which waits until it is told to go on."""

    def __init__(self) -> None:
        self.joining = Joining(Workers(4))
        self.batches: list[list[str]] = []
        self.gates: list[threading.Event] = []
        self.failure: Exception | None = None

    def serve(self, orders: Sequence[str]) -> list[bytes | Exception]:
        gate = threading.Event()
        self.batches.append(list(orders))
        self.gates.append(gate)
        assert gate.wait(LATER)
        if self.failure is not None:
            raise self.failure
        return [ValueError(each) if each.startswith("bad") else each.encode() for each in orders]

    def order(self, name: str, kind: str = "a", within: float = LATER) -> asyncio.Task[Any]:
        deadline = asyncio.get_running_loop().time() + within
        joint = Joint(kind, name, self.serve)
        return asyncio.create_task(self.joining.serve(joint, deadline))

    async def until_begun(self, batches: int) -> None:
        await until(lambda: len(self.gates) >= batches)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(LATER):
        while not is_so():
            await asyncio.sleep(0.001)


def run(test: Callable[[Kitchen], Awaitable[None]]) -> None:
    asyncio.run(test(Kitchen()))  # type: ignore[arg-type]


def test_what_comes_while_a_batch_is_served_is_the_next_batch() -> None:
    async def test(kitchen: Kitchen) -> None:
        first = kitchen.order("soup")
        await kitchen.until_begun(1)
        others = [kitchen.order("fish"), kitchen.order("rice")]
        await asyncio.sleep(0)
        kitchen.gates[0].set()
        await kitchen.until_begun(2)
        kitchen.gates[1].set()
        assert [await each for each in (first, *others)] == [b"soup", b"fish", b"rice"]
        assert kitchen.batches == [["soup"], ["fish", "rice"]]

    run(test)


def test_whoever_was_served_and_comes_again_at_once_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(joining, "GATHER_SECONDS_MAX", LATER)
    monkeypatch.setattr(joining, "GATHER_PART", 1e6)

    async def test(kitchen: Kitchen) -> None:
        soup = kitchen.order("soup")
        await kitchen.until_begun(1)
        fish = kitchen.order("fish")
        await asyncio.sleep(0)
        kitchen.gates[0].set()
        await soup
        again = kitchen.order("soup again")
        await kitchen.until_begun(2)
        kitchen.gates[1].set()
        assert (await fish, await again) == (b"fish", b"soup again")
        assert kitchen.batches == [["soup"], ["fish", "soup again"]]

    run(test)


def test_nobody_waits_long_for_those_who_do_not_come_again() -> None:
    async def test(kitchen: Kitchen) -> None:
        soup = kitchen.order("soup")
        await kitchen.until_begun(1)
        fish = kitchen.order("fish")
        await asyncio.sleep(0)
        kitchen.gates[0].set()
        await soup
        await kitchen.until_begun(2)
        kitchen.gates[1].set()
        assert await fish == b"fish"
        alone = kitchen.order("rice")
        await kitchen.until_begun(3)
        kitchen.gates[2].set()
        assert await alone == b"rice"

    run(test)


def test_other_kinds_of_requests_are_served_at_the_same_time() -> None:
    async def test(kitchen: Kitchen) -> None:
        orders = [kitchen.order("soup"), kitchen.order("nails", kind="b")]
        await kitchen.until_begun(2)
        for each in kitchen.gates:
            each.set()
        assert [await each for each in orders] == [b"soup", b"nails"]
        assert sorted(kitchen.batches) == [["nails"], ["soup"]]

    run(test)


def test_a_failure_of_one_request_reaches_only_who_made_it() -> None:
    async def test(kitchen: Kitchen) -> None:
        first = kitchen.order("soup")
        await kitchen.until_begun(1)
        bad, good = kitchen.order("bad fish"), kitchen.order("rice")
        await asyncio.sleep(0)
        kitchen.gates[0].set()
        await kitchen.until_begun(2)
        kitchen.gates[1].set()
        assert (await first, await good) == (b"soup", b"rice")
        with pytest.raises(ValueError, match="bad fish"):
            await bad

    run(test)


def test_a_failure_of_the_whole_batch_reaches_all_and_the_next_is_served() -> None:
    async def test(kitchen: Kitchen) -> None:
        kitchen.failure = OSError("no stove")
        first = kitchen.order("soup")
        await kitchen.until_begun(1)
        kitchen.gates[0].set()
        with pytest.raises(OSError, match="no stove"):
            await first
        kitchen.failure = None
        second = kitchen.order("fish")
        await kitchen.until_begun(2)
        kitchen.gates[1].set()
        assert await second == b"fish"

    run(test)


def test_whoever_waits_too_long_for_a_batch_is_sent_to_go_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(joining, "WAIT_SECONDS_MAX", 0.05)

    async def test(kitchen: Kitchen) -> None:
        first = kitchen.order("soup")
        await kitchen.until_begun(1)
        assert await kitchen.order("fish") is None
        kitchen.gates[0].set()
        assert await first == b"soup", "its batch has begun, so it waits for the end"
        assert kitchen.batches == [["soup"]]

    run(test)


def test_a_batch_that_overruns_is_given_up_at_the_deadline() -> None:
    async def test(kitchen: Kitchen) -> None:
        slow = kitchen.order("soup", within=0.05)
        await kitchen.until_begun(1)
        with pytest.raises(WorkOverran):
            await slow
        kitchen.gates[0].set()

    run(test)


def test_whoever_goes_away_while_waiting_is_not_served() -> None:
    async def test(kitchen: Kitchen) -> None:
        first = kitchen.order("soup")
        await kitchen.until_begun(1)
        gone, stays = kitchen.order("fish"), kitchen.order("rice")
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        kitchen.gates[0].set()
        await kitchen.until_begun(2)
        kitchen.gates[1].set()
        assert (await first, await stays) == (b"soup", b"rice")
        assert kitchen.batches == [["soup"], ["rice"]]

    run(test)


def test_nothing_is_kept_of_kinds_that_nobody_asks_for_any_more() -> None:
    async def test(kitchen: Kitchen) -> None:
        only = kitchen.order("soup")
        await kitchen.until_begun(1)
        kitchen.gates[0].set()
        await only
        await until(lambda: not kitchen.joining._lines)

    run(test)


def test_a_crowd_is_served_in_batches_of_a_bounded_size() -> None:
    async def test(kitchen: Kitchen) -> None:
        first = kitchen.order("0")
        await kitchen.until_begun(1)
        crowd = [kitchen.order(str(number)) for number in range(1, joining.REQUESTS_MAX + 3)]
        await asyncio.sleep(0)
        kitchen.gates[0].set()
        for batch in (2, 3):
            await kitchen.until_begun(batch)
            kitchen.gates[batch - 1].set()
        assert [await each for each in (first, *crowd)] == [
            str(number).encode() for number in range(joining.REQUESTS_MAX + 3)
        ]
        assert [len(each) for each in kitchen.batches] == [1, joining.REQUESTS_MAX, 2]

    run(test)
