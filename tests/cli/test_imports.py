import gzip
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

ONLINE_RETAIL = (
    Path(__file__).parents[3] / "shared" / "data" / "online_retail" / "online_retail.csv.gz"
)
GOOD = "T1,2026-06-01T10:00:00Z,CNY,ada,tea,2,10.00"
BAD = "T2,2026-06-01T11:00:00Z,CNY,ada,tea,two,10.00"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    heading = "transaction_id,occurred_at,currency,customer_id,sku,quantity,unit_price"
    path = tmp_path / "sales.csv"
    path.write_text("\n".join([heading, GOOD, BAD]) + "\n")
    return path


def test_an_import_accounts_for_every_line(crmkit: Run, file: Path) -> None:
    done = crmkit("import", "transactions", file, "--mapping", "generic", "--json")

    report = done.object
    assert done.exit_code == 0
    assert (report["lines"], report["taken"], report["known"], report["rejected"]) == (2, 1, 0, 1)
    assert "two" in Path(report["reject_file"]).read_text(encoding="utf-8-sig")
    assert sum(report["reasons"].values()) == 1


def test_a_second_import_takes_nothing(crmkit: Run, file: Path) -> None:
    crmkit("import", "transactions", file, "--mapping", "generic")

    report = crmkit("import", "transactions", file, "--mapping", "generic", "--json").object

    assert (report["taken"], report["known"]) == (0, 1)


def test_a_dry_run_writes_nothing(crmkit: Run, file: Path) -> None:
    words = ("import", "transactions", file, "--mapping", "generic", "--json")

    tried = crmkit(*words, "--dry-run").object

    assert (tried["dry_run"], tried["taken"], tried["reject_file"]) == (True, 1, None)
    assert crmkit(*words).object["taken"] == 1


def test_people_see_counts_and_the_first_rejects(crmkit: Run, file: Path) -> None:
    shown = crmkit("import", "transactions", file, "--mapping", "generic").out

    assert "2 lines" in shown
    assert "line 3: quantity 'two'" in shown
    assert "Rejected lines, with reasons: " in shown


def test_an_unknown_mapping_is_refused_with_those_there_are(crmkit: Run, file: Path) -> None:
    refused = crmkit("import", "transactions", file, "--mapping", "till")

    assert refused.exit_code == 1
    assert "online-retail" in refused.err
    assert refused.err.endswith("[IMPORT_FAILED]\n")


def test_a_missing_file_is_wrong_use(crmkit: Run, tmp_path: Path) -> None:
    refused = crmkit("import", "transactions", tmp_path / "no.csv", "--mapping", "generic")

    assert refused.exit_code == 2


@pytest.mark.skipif(not ONLINE_RETAIL.exists(), reason="the Online Retail data are not here")
def test_the_first_lines_of_online_retail_are_all_accounted_for(
    crmkit: Run, tmp_path: Path
) -> None:
    with gzip.open(ONLINE_RETAIL, "rt", encoding="utf-8") as lines:
        first = list(itertools.islice(lines, 3001))
    (tmp_path / "first.csv").write_text("".join(first), encoding="utf-8")

    report = crmkit(
        "import", "transactions", tmp_path / "first.csv", "--mapping", "online-retail", "--json"
    ).object

    assert report["lines"] == 3000
    assert report["taken"] + report["rejected"] == 3000
    assert report["taken"] > 2900
