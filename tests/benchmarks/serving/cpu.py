"""CPU time of running processes."""

import os
import time
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_SCHEDULED = 2  # Linux: which clock of a process clock_gettime reads


def family(pid: int) -> list[int]:
    """Return a process and everything it has started."""
    parents: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except OSError:
                continue  # it is gone
            parents.setdefault(int(text.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found = [pid]
    for each in found:
        found += parents.get(each, [])
    return found


def cpu_ns(pid: int | None) -> dict[int, int]:
    """Return, for a process and all it has started, the nanoseconds that they have run so far.

    These are the scheduler's own counters; threads that have ended are in them.
    """
    found = {}
    for each in [] if pid is None else family(pid):
        with suppress(OSError):  # it is gone
            found[each] = time.clock_gettime_ns(~each << 3 | _SCHEDULED)
    return found


def elapsed_ns(before: dict[int, int], after: dict[int, int]) -> int:
    """Return what was run between two readings."""
    return sum(ran - before.get(pid, 0) for pid, ran in after.items())


def pin(pid: int, core: int) -> None:
    """Keep a process and what it has started on one core, if the machine has that many."""
    cores = sorted(os.sched_getaffinity(0))
    for each in family(pid):
        for task in _PROC.glob(f"{each}/task/*"):
            try:
                os.sched_setaffinity(int(task.name), {cores[core % len(cores)]})
            except OSError:
                continue
