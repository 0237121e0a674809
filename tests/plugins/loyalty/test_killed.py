import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, TypeAlias

import pytest

TillFactory: TypeAlias = Any

RECORDER = """
import sys
from pathlib import Path
from crmkit import Crm, CustomerRef, LineInput, Settings, TransactionInput

crm = Crm(Settings(data_dir=Path(sys.argv[1]), database_url=sys.argv[2], plugins=("loyalty",)))
print("ready", flush=True)
for start in range(0, 4000, 20):
    crm.record_transactions([
        TransactionInput(
            "till", f"sale-{n}", "2026-06-15T04:00:00Z", "CNY", [LineInput("tea", 1, "7.00")],
            customer=CustomerRef(external_id="ann"),
        )
        for n in range(start, start + 20)
    ])
"""


@pytest.mark.parametrize("seconds", [0.1, 0.5])
def test_kill_while_recording_loses_and_doubles_nothing(
    till_factory: TillFactory, tmp_path: Path, seconds: float
) -> None:
    till = till_factory()
    till.crm.close()  # another process writes the file now
    command = [sys.executable, "-c", RECORDER, str(tmp_path), till.crm.settings.url]

    with subprocess.Popen(command, stdout=subprocess.PIPE) as recorder:
        assert recorder.stdout is not None
        assert recorder.stdout.readline() == b"ready\n"
        time.sleep(seconds)
        os.kill(recorder.pid, signal.SIGKILL)
    before = len(till.entries("ann"))
    till.record(*(
        till.document("sale", "ann", [("tea", "1", "7.00")], external_id=f"sale-{n}")
        for n in range(1000)
    ))  # fmt: skip

    assert before % 20 == 0
    assert till.account("ann") == (7 * max(before, 1000), 0)
    assert len(till.entries("ann")) == max(before, 1000)
    assert till.differences() == []
