from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crmkit import Refused

Run = Callable[..., Any]


def _listed(crmkit: Run) -> dict[str, Any]:
    return {each["name"]: each for each in crmkit("plugins", "--json").object["plugins"]}


def test_a_file_in_the_folder_is_on_with_all_it_brings(crmkit: Run, greeter: Path) -> None:
    crmkit("db", "upgrade")

    listed = _listed(crmkit)["greeter"]

    assert (listed["state"], listed["version"]) == ("on", "1.2.3")
    assert listed["origin"] == f"file {greeter}"
    assert listed["tables"] == ["greeter_greeting"]
    assert listed["graphql"] == ["Query.greeting"]
    assert "register_models" in listed["hooks"]


def test_a_file_that_is_gone_leaves_everything_else_working(crmkit: Run, greeter: Path) -> None:
    crmkit("db", "upgrade")

    greeter.unlink()

    states = {each["plugin"]: each for each in crmkit("db", "current", "--json").object["plugins"]}
    assert "greeter" not in _listed(crmkit)
    assert "greeting" not in crmkit("schema", "export").out
    assert states["greeter"]["state"] == "off, tables kept"


def test_a_broken_file_is_listed_with_the_reason(crmkit: Run, shop: Path) -> None:
    (shop / "plugins" / "torn.py").write_text("1 / 0")

    listed = _listed(crmkit)

    assert listed["torn"]["state"] == "broken"
    assert "ZeroDivisionError" in listed["torn"]["reason"]
    assert listed["core"]["state"] == "on"


def test_a_plugin_that_fails_in_the_schema_is_listed_as_broken(crmkit: Run, shop: Path) -> None:
    (shop / "plugins" / "late.py").write_text(
        "from crmkit import Plugin, hookimpl\n"
        "plugin = Plugin(name='late', version='1', summary='Fails late.')\n"
        "@hookimpl\ndef register_graphql():\n    raise SystemExit(0)\n"
    )

    assert _listed(crmkit)["late"]["state"] == "broken"


def test_what_is_installed_or_there_but_off_is_listed(
    crmkit: Run, greeter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMKIT_PLUGINS", "[]")
    monkeypatch.setenv("CRMKIT_PLUGINS_DISABLED", '["greeter"]')

    listed = _listed(crmkit)

    assert listed["loyalty"]["state"] == "off"
    assert listed["greeter"]["state"] == "off"


@pytest.mark.usefixtures("greeter")
def test_the_list_for_people_names_state_tables_and_fields(crmkit: Run) -> None:
    shown = crmkit("plugins").out

    assert "greeter 1.2.3 on" in shown
    assert "greeter_greeting" in shown
    assert "Query.greeting" in shown


def test_purging_needs_a_yes(crmkit: Run, greeter: Path) -> None:
    crmkit("db", "upgrade")

    refused = crmkit("plugins", "purge", "greeter")

    assert refused.exit_code == 1
    assert f"[{Refused.code}]" in refused.err
    assert crmkit("db", "check").exit_code == 0


def test_an_option_that_would_not_reach_the_purge_is_wrong_use(run: Run, shop: Path) -> None:
    refused = run("plugins", "--data-dir", shop, "purge", "loyalty", "--yes")

    assert refused.exit_code == 2
    assert "write the options after purge" in refused.err


def test_purging_drops_what_a_removed_file_left(crmkit: Run, greeter: Path) -> None:
    crmkit("db", "upgrade")
    greeter.unlink()

    purged = crmkit("plugins", "purge", "greeter", "--yes", "--json")

    states = crmkit("db", "current", "--json").object["plugins"]
    assert purged.object["dropped"] == ["greeter_greeting", "greeter_schema_version"]
    assert "greeter" not in {each["plugin"] for each in states}


def test_core_is_never_purged(crmkit: Run) -> None:
    refused = crmkit("plugins", "purge", "core", "--yes")

    assert refused.exit_code == 1
    assert "cannot be purged" in refused.err
