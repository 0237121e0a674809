from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]


def test_jobs_are_listed_with_what_they_do(crmkit: Run) -> None:
    listed = crmkit("jobs", "--json").object["jobs"]

    names = ["loyalty.expiry", "loyalty.holds", "loyalty.birthdays"]
    assert [each["name"] for each in listed] == names
    assert all(each["summary"] in crmkit("jobs").out for each in listed)


@pytest.mark.parametrize(
    ("words", "done"),
    [
        (["loyalty.expiry"], {"loyalty.expiry": 0}),
        (["--all"], {"loyalty.expiry": 0, "loyalty.holds": 0, "loyalty.birthdays": 0}),
    ],
)
def test_a_job_that_was_run_says_how_much_it_found(
    crmkit: Run, words: list[str], done: dict[str, int]
) -> None:
    ran = crmkit("jobs", "run", *words, "--json")

    assert ran.exit_code == 0
    assert ran.object == {"done": done}
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
