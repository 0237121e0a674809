"""Kill -9 in the middle of an import, as often as it takes, then compare with a calm one."""

import gzip
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from crmkit import Crm, Settings, table_of
from crmkit.importing import import_transactions
from crmkit.migrating import upgrade
from crmkit.models import (
    CustomerDay,
    CustomerExternalId,
    CustomerMetrics,
    ImportRun,
    Transaction,
    TransactionLine,
)

_KILLS = 5
_IMPORT = """
import sys
from pathlib import Path
from crmkit import Crm, Settings
from crmkit.importing import import_transactions

folder, url, file = sys.argv[1:]
with Crm(Settings.load(Path(folder), database_url=url, plugins=())) as crm:
    tell = lambda progress: print(progress.phase, flush=True)
    import_transactions(crm, Path(file), "online-retail", chunk_documents=20, progress=tell)
"""


@pytest.fixture
def damaged_file(online_retail: Path, tmp_path: Path) -> Path:
    """Write 12,000 lines of Online Retail, some of them damaged and some documents scattered."""
    with gzip.open(online_retail, "rt", encoding="utf-8", newline="") as source:
        heading, *lines = islice(source, 12_001)
    for place in range(100, 12_000, 400):
        lines[place] = lines[place].replace(",", ",,,", 1)
    for place in range(50, 11_000, 1_000):
        lines.insert(place + 900, lines.pop(place))
    path = tmp_path / "damaged.csv"
    path.write_text(heading + "".join(lines), encoding="utf-8")
    return path


def _contents(crm: Crm) -> dict[str, list[Any]]:
    """Return what is stored, without what differs from run to run."""
    t, name = table_of(Transaction), table_of(CustomerExternalId)
    owned = t.outerjoin(name, name.c.customer_id == t.c.customer_id)
    line, found = table_of(TransactionLine), {}
    with crm.read() as session:
        for key, statement in {
            "transactions": select(
                t.c.external_id, t.c.fingerprint, name.c.external_id
            ).select_from(owned),
            "lines": select(t.c.external_id, line.c.position, line.c.sku, line.c.amount_minor).join(
                line, line.c.transaction_id == t.c.id
            ),
            **{
                each.__tablename__: select(
                    name.c.external_id, *list(table_of(each).c)[1:]
                ).join_from(
                    table_of(each), name, name.c.customer_id == table_of(each).c.customer_id
                )
                for each in (CustomerMetrics, CustomerDay)
            },
        }.items():
            found[key] = sorted(map(tuple, session.execute(statement)), key=repr)
    return found


def _kill_during_recording(child: "subprocess.Popen[str]", chance: random.Random) -> None:
    assert child.stdout is not None
    recording: Iterator[str] = (each for each in child.stdout if each.startswith("recording"))
    for _ in islice(recording, chance.randint(1, 5)):
        pass
    time.sleep(chance.random() / 50)
    child.kill()
    child.wait()
    child.stdout.close()


def test_an_import_that_is_killed_again_and_again_ends_like_a_calm_one(
    crm: Crm, database_url: str, damaged_file: Path, tmp_path: Path
) -> None:
    seed = 20260615
    crm.close()
    command = [sys.executable, "-c", _IMPORT, str(tmp_path), database_url, str(damaged_file)]
    with Crm(Settings.load(tmp_path / "calm", plugins=())) as calm:
        upgrade(calm.database, calm.registry)
        expected = import_transactions(calm, damaged_file, "online-retail")
        contents = _contents(calm)

    for kill in range(_KILLS):
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        _kill_during_recording(child, random.Random(seed + kill))
    report = import_transactions(crm, damaged_file, "online-retail", chunk_documents=20)

    assert report.resumed_at is not None
    assert expected.reject_file is not None
    assert report.reject_file is not None
    assert (report.taken, report.known, report.rejected) == (expected.taken, 0, expected.rejected)
    assert sorted(report.reject_file.read_text().splitlines()) == sorted(
        expected.reject_file.read_text().splitlines()
    )
    assert _contents(crm) == contents


def test_rejects_of_a_chunk_that_was_never_committed_are_dropped(
    crm: Crm, damaged_file: Path
) -> None:
    first = import_transactions(crm, damaged_file, "online-retail")
    assert first.reject_file is not None
    calm = first.reject_file.read_bytes()
    with crm.database.write() as session:
        session.execute(table_of(ImportRun).update().values(finished_at=None))
    with first.reject_file.open("ab") as file:
        file.write(b"5,torn")

    second = import_transactions(crm, damaged_file, "online-retail")

    assert first.reject_file.read_bytes() == calm
    assert (second.taken, second.rejected) == (first.taken, first.rejected)
