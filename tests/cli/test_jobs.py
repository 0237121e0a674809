from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]


def test_jobs_are_listed_with_what_they_do(crmkit: Run) -> None:
    (listed,) = crmkit("jobs", "--json").object["jobs"]

    assert listed["name"] == "loyalty.expiry"
    assert listed["summary"] in crmkit("jobs").out


@pytest.mark.parametrize("words", [["loyalty.expiry"], ["--all"]])
def test_a_job_that_was_run_says_how_much_it_found(crmkit: Run, words: list[str]) -> None:
    ran = crmkit("jobs", "run", *words, "--json")

    assert ran.exit_code == 0
    assert ran.object == {"done": {"loyalty.expiry": 0}}
    assert "loyalty.expiry" in crmkit("jobs", "run", *words).out


@pytest.mark.parametrize("words", [[], ["loyalty.expiry", "--all"]])
def test_either_names_or_all_must_be_given(crmkit: Run, words: list[str]) -> None:
    assert crmkit("jobs", "run", *words).exit_code == 2


def test_a_job_that_is_unknown_is_refused_before_any_runs(crmkit: Run) -> None:
    refused = crmkit("jobs", "run", "loyalty.expiry", "dust", "--json")

    assert refused.exit_code == 1
    assert refused.object["error"]["code"] == "UNKNOWN_JOB"
    assert "loyalty.expiry" in refused.err


def test_options_before_a_subcommand_are_wrong_use(crmkit: Run) -> None:
    assert crmkit("jobs", "--json", "run", "--all").exit_code == 2
