"""The benchmark itself: what it compares is equal, and it finds out what is not."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from tests.benchmarks.serving.common_words import common, sale_answer
from tests.benchmarks.serving.growth import slope
from tests.benchmarks.serving.starting import ROOT


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not below pytest's folder: PostgreSQL runs as a user of its own, to whom that is closed.
    made = Path(mkdtemp(prefix="crmkit_serving_"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_crmkit_answers_and_records_what_hand_written_sql_does(folder: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "tests.benchmarks.serving.run", "--size", "XS", "--servers",
            "limit,crmkit", "--rounds", "0", "--folder", str(folder),
        ],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    servers = "limit_pg, crmkit_pg, limit_sqlite, crmkit_sqlite"
    assert done.stdout == f"All answers are equal: {servers}.\n", done.stderr[-3000:]
    assert done.returncode == 0


def test_answers_in_other_words_are_equal_and_other_values_are_not() -> None:
    crmkit = {
        "id": "cus_00000000000000000000000000000001",
        "gender": "FEMALE",
        "transactions": {
            "nodes": [
                {
                    "occurredAt": "2026-01-01T08:00:00Z",
                    "total": {"amount": "12.50", "currency": "GBP"},
                    "lines": {"nodes": [{"quantity": "2", "amount": {"amount": "-0.05"}}]},
                }
            ]
        },
    }
    peer = {
        "id": "00000000-0000-0000-0000-000000000001",
        "gender": "female",
        "transactions": [
            {
                "occurredAt": "2026-01-01T09:00:00.000+01:00",
                "totalMinor": "1250",
                "currency": "GBP",
                "lines": [{"quantityMilli": "2000", "amountMinor": -5}],
            }
        ],
    }
    assert common(crmkit) == common(peer)
    peer["transactions"][0]["totalMinor"] = 1251  # type: ignore[index]
    assert common(crmkit) != common(peer)


def test_the_answer_to_a_sale_is_found_wherever_it_stands() -> None:
    row = {"outcome": "TAKEN", "total": {"amount": "1.00"}, "customer": {"balance": 7}}
    right = {"outcome": "TAKEN", "total": 100, "balance": 7}
    assert sale_answer({"recordTransactions": {"rows": [row]}}) == right


def test_no_growth_has_no_slope_and_growth_in_proportion_has_one() -> None:
    assert slope([10, 100, 1000], [5, 5, 5]) == pytest.approx(0)
    assert slope([10, 100, 1000], [2, 20, 200]) == pytest.approx(1)
