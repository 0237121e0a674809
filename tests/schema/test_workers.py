import threading

import anyio
import pytest

from crmkit_schema.workers import Workers, WorkersBusy, WorkOverran


async def within(workers: Workers, seconds: float, event: threading.Event) -> bool:
    return await workers.run(lambda: event.wait(10), anyio.current_time() + seconds)


def test_no_more_threads_run_than_there_are_workers() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.01)
        with lock:
            running -= 1

    async def main() -> None:
        workers, deadline = Workers(3), anyio.current_time() + 10
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(workers.run, work, deadline)

    anyio.run(main)
    assert most == 3


def test_overrunning_work_keeps_its_place_until_it_ends() -> None:
    async def main() -> None:
        workers, event = Workers(1), threading.Event()
        with pytest.raises(WorkOverran):
            await within(workers, 0.05, event)
        with pytest.raises(WorkersBusy):
            await within(workers, 0.05, event)
        event.set()
        assert await within(workers, 5, event)

    anyio.run(main)


def test_work_given_up_before_it_began_never_runs() -> None:
    ran = threading.Event()

    async def main() -> None:
        workers, event = Workers(1), threading.Event()
        with pytest.raises(WorkOverran):
            await within(workers, 0.05, event)
        with pytest.raises(WorkersBusy):
            await workers.run(ran.set, anyio.current_time() + 0.05)
        event.set()
        await within(workers, 5, event)

    anyio.run(main)
    assert not ran.is_set()


def test_a_failure_reaches_whoever_waits_for_it() -> None:
    async def main() -> None:
        await Workers(1).run(lambda: int("missing"), anyio.current_time() + 5)

    with pytest.raises(ValueError, match="missing"):
        anyio.run(main)


def test_a_late_failure_disturbs_nobody() -> None:
    async def main() -> None:
        workers, event = Workers(1), threading.Event()

        def fail() -> None:
            event.wait(10)
            raise ValueError("too late")

        with pytest.raises(WorkOverran):
            await workers.run(fail, anyio.current_time() + 0.05)
        event.set()
        assert await within(workers, 5, event)

    anyio.run(main)


def test_work_whose_caller_is_cancelled_before_it_began_never_runs() -> None:
    ran = threading.Event()

    async def main() -> None:
        workers, event, deadline = Workers(1), threading.Event(), anyio.current_time() + 10
        with pytest.raises(WorkOverran):
            await within(workers, 0.05, event)
        with anyio.move_on_after(0.05):
            await workers.run(ran.set, deadline)
        event.set()
        await within(workers, 5, event)

    anyio.run(main)
    assert not ran.is_set()
