"""The job that lets points expire, killed in the middle and run by two processes at once."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sqlalchemy import text

from crmkit_loyalty.verifying import run as verify

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

RUNNER = """
import sys
from datetime import timedelta
from pathlib import Path
from crmkit import Crm, FixedClock, Settings
from crmkit.testing import NOON
from crmkit_loyalty import expiry

expiry.LOTS_MAX = 5
clock = FixedClock(NOON + timedelta(days=60))
settings = Settings(
    data_dir=Path(sys.argv[1]), database_url=sys.argv[2], plugins=("loyalty",),
    plugin={"loyalty": {"lifetime_months": 1}},
)
crm = Crm(settings, clock=clock)
real = expiry.expire
expiry.expire = lambda *given: print("step", flush=True) or real(*given)
print("ready", flush=True)
sys.stdin.readline()
crm.run_job("loyalty.expiry")
"""
NAMES = [f"c{n}" for n in range(40)]


def start(till: Till, folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", RUNNER, str(folder), till.crm.settings.url]
    runner = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert runner.stdout is not None
    assert runner.stdout.readline() == "ready\n"
    return runner


def go(runner: "subprocess.Popen[str]") -> None:
    assert runner.stdin is not None
    runner.stdin.write("go\n")
    runner.stdin.flush()


def with_old_points(till_factory: TillFactory) -> Till:
    till = till_factory(lifetime_months=1)
    till.enrol(*NAMES)
    receipts = [till.document("sale", name, [("tea", "1", "10.00")]) for name in NAMES * 5]
    till.record(*receipts)
    till.adjust("c0", -13)
    return till


def assert_all_has_expired_once(till: Till) -> None:
    with till.crm.read() as session:
        kinds = session.execute(
            text("SELECT kind, count(*), sum(points_delta) FROM loyalty_ledger_entry GROUP BY kind")
        ).all()
    figures = {kind: (count, int(points)) for kind, count, points in kinds}
    assert figures["expiry"] == (200 - 1, -(2_000 - 13))  # one lot was spent
    assert {till.account(name) for name in NAMES} == {(0, 0)}
    assert verify(till.crm).is_good


@pytest.mark.parametrize("steps", [1, 4, 8])
def test_a_job_that_is_killed_ends_as_if_it_had_not_been(
    till_factory: TillFactory, tmp_path: Path, steps: int
) -> None:
    till = with_old_points(till_factory)
    till.crm.close()  # another process writes the file now

    with start(till, tmp_path) as runner:
        go(runner)
        assert runner.stdout is not None
        for _ in range(steps):
            assert runner.stdout.readline() == "step\n"
        os.kill(runner.pid, signal.SIGKILL)
    assert verify(till.crm).is_good
    till.crm.clock.advance(timedelta(days=60))
    till.crm.run_job("loyalty.expiry")

    assert_all_has_expired_once(till)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_processes_that_run_it_at_once_let_points_expire_once(
    till_factory: TillFactory, tmp_path: Path
) -> None:
    till = with_old_points(till_factory)

    runners = [start(till, tmp_path) for _ in "ab"]
    for runner in runners:
        go(runner)
    for runner in runners:
        runner.communicate(timeout=120)

    assert [runner.returncode for runner in runners] == [0, 0]
    assert_all_has_expired_once(till)
