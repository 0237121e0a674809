"""The job of birthdays, killed in the middle."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, TypeAlias

from crmkit import CustomerInput

Till: TypeAlias = Any
TillFactory: TypeAlias = Any

RULE: dict[str, Any] = {"name": "birthday", "kind": "birthday", "points": 50}
NAMES = [f"c{n}" for n in range(40)]
RUNNER = f"""
import sys
from pathlib import Path
from crmkit import Crm, FixedClock, Settings
from crmkit.testing import NOON
from crmkit_loyalty import birthdays

birthdays.CUSTOMERS_MAX = 5
settings = Settings(
    data_dir=Path(sys.argv[1]), database_url=sys.argv[2], plugins=("loyalty",),
    plugin={{"loyalty": {{"rules": [{RULE!r}]}}}},
)
crm = Crm(settings, clock=FixedClock(NOON))
real = birthdays.celebrate
birthdays.celebrate = lambda *given: print("step", flush=True) or real(*given)
crm.run_job("loyalty.birthdays")
"""


def test_a_job_that_is_killed_gives_each_birthday_once_when_it_runs_again(
    till_factory: TillFactory, tmp_path: Path
) -> None:
    till = till_factory(rules=[RULE])
    till.crm.upsert_customers(
        [CustomerInput("till", name, birth_on="1990-06-15") for name in NAMES]
    )
    till.enrol(*NAMES)
    till.crm.close()  # another process writes the file now
    command = [sys.executable, "-c", RUNNER, str(tmp_path), till.crm.settings.url]

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as runner:
        assert runner.stdout is not None
        for _ in range(4):
            assert runner.stdout.readline() == "step\n"
        os.kill(runner.pid, signal.SIGKILL)
    given = sum(till.balance(name) for name in NAMES)
    assert 3 * 5 * 50 <= given <= len(NAMES) * 50
    till.crm.run_job("loyalty.birthdays")

    assert {till.balance(name) for name in NAMES} == {50}
    assert till.crm.run_job("loyalty.birthdays") == 0
    assert till.differences() == []
