from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contents import digest
from crmkit import Crm, CustomerInput, Settings
from crmkit.testing import sale

Run = Callable[..., Any]
PERIOD = ("--from", "2026-06-01", "--to", "2026-06-30")


@pytest.fixture
def rules(shop: Path, tmp_path: Path) -> Path:
    """Give a file of rules beside a shop in which Ann bought twice."""
    with Crm(Settings.load(shop)) as crm:
        crm.upsert_customers([CustomerInput("till", "ann")])
        crm.record_transactions([sale("1", customer="ann"), sale("2", customer="ann")])
    file = tmp_path / "new.toml"
    file.write_text("[plugin.loyalty]\npoints_per_major_unit = 3\n")
    return file


def test_a_simulation_tells_both_sides_and_leaves_the_file_as_it_was(
    crmkit: Run, shop: Path, rules: Path
) -> None:
    before = digest(shop / "crmkit.sqlite3")

    told = crmkit("loyalty", "simulate", "--rules", rules, *PERIOD, "--json")

    assert told.exit_code == 0
    (month,) = told.object["points"]
    assert (month["issued_today"], month["issued_new"]) == (20, 60)
    assert digest(shop / "crmkit.sqlite3") == before


@pytest.mark.parametrize(
    ("words", "exit_code", "told"),
    [
        ([*PERIOD[:2], "--to", "2026-05-31"], 1, "the last day lies before the first"),
        (PERIOD[:2], 2, "Missing option '--to'"),
    ],
)
def test_a_period_that_is_none_is_refused(
    crmkit: Run, rules: Path, words: list[str], exit_code: int, told: str
) -> None:
    refused = crmkit("loyalty", "simulate", "--rules", rules, *words)

    assert refused.exit_code == exit_code
    assert told in refused.err


def test_wrong_rules_are_told_with_their_path(crmkit: Run, rules: Path) -> None:
    rules.write_text("[plugin.loyalty]\npoint_costs = 3\n")

    refused = crmkit("loyalty", "simulate", "--rules", rules, *PERIOD)

    assert refused.exit_code == 1
    assert "setting plugin.loyalty.point_costs" in refused.err
