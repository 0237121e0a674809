import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def test_a_second_upgrade_has_nothing_to_do(crmkit: Run) -> None:
    again = crmkit("db", "upgrade", "--json")

    assert again.exit_code == 0
    assert again.object == {"steps": []}


def test_an_upgrade_lists_its_steps(run: Run, tmp_path: Path) -> None:
    run("init", "--data-dir", tmp_path)

    steps = run("db", "upgrade", "core", "--data-dir", tmp_path, "--json").object["steps"]

    assert {each["plugin"] for each in steps} == {"core"}
    assert steps[0] == {"plugin": "core", "revision": "0001", "direction": "upgrade"}


def test_a_downgrade_leaves_tables_pending(crmkit: Run, greeter: Path) -> None:
    crmkit("db", "upgrade")

    taken_back = crmkit("db", "downgrade", "greeter", "base")

    states = {each["plugin"]: each for each in crmkit("db", "current", "--json").object["plugins"]}
    assert taken_back.out == "downgrade greeter 0001\n"
    assert states["greeter"] == {
        "plugin": "greeter",
        "at": None,
        "head": "0001",
        "state": "pending",
    }


def test_check_finds_tables_as_the_models_say(crmkit: Run) -> None:
    checked = crmkit("db", "check")

    assert checked.exit_code == 0
    assert checked.out == "The tables are what the models say.\n"


def test_check_names_what_differs_and_exits_with_one(crmkit: Run, shop: Path) -> None:
    with sqlite3.connect(shop / "crmkit.sqlite3") as connection:
        connection.execute("DROP TABLE customer_tag")
    connection.close()

    checked = crmkit("db", "check", "--json")

    assert checked.exit_code == 1
    assert "core: table customer_tag is missing from the database" in checked.object["differences"]


def test_check_tells_of_pending_migrations(crmkit: Run, greeter: Path) -> None:
    checked = crmkit("db", "check")

    assert checked.exit_code == 1
    assert "greeter: the tables are older than the code; run: crmkit db upgrade" in checked.out


@pytest.mark.parametrize("command", ["current", "check"])
def test_looking_at_a_database_that_is_not_there_makes_none(
    crmkit: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    missing = tmp_path / "mistyped" / "crmkit.sqlite3"
    monkeypatch.setenv("CRMKIT_DATABASE_URL", f"sqlite:///{missing}")

    ran = crmkit("db", command)

    assert ran.exit_code != 0
    assert f"there is no database {missing}" in " ".join(ran.err.split())
    assert not missing.parent.exists()
