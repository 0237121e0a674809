import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crmkit import Settings

Run = Callable[..., Any]


def test_init_writes_settings_that_hold_and_a_folder_for_plugins(run: Run, tmp_path: Path) -> None:
    made = run("init", "--data-dir", tmp_path / "shop", "--json")

    settings = Settings.load(tmp_path / "shop")
    assert made.exit_code == 0
    assert made.object["settings"] == str(tmp_path / "shop" / "crmkit.toml")
    assert settings.timezone == "Asia/Shanghai"
    assert settings.profile == "production"
    assert "crmkit db upgrade" in (settings.plugins_dir / "README.md").read_text()


def test_the_settings_left_out_by_a_hash_hold_too(run: Run, tmp_path: Path) -> None:
    run("init", "--data-dir", tmp_path)
    text = (tmp_path / "crmkit.toml").read_text()

    (tmp_path / "crmkit.toml").write_text(re.sub(r"(?m)^# (\w+ = |\[)", r"\1", text))

    settings = Settings.load(tmp_path)
    assert settings.plugins_disabled == ("a_file_to_leave_out",)
    assert settings.roles["cashier"]
    assert settings.database_url.startswith("postgresql://")


def test_init_keeps_settings_that_are_there(run: Run, tmp_path: Path) -> None:
    (tmp_path / "crmkit.toml").write_text('timezone = "Europe/London"')

    refused = run("init", "--data-dir", tmp_path)

    assert refused.exit_code == 1
    assert refused.err.endswith("stays as it is [REFUSED]\n")
    assert (tmp_path / "crmkit.toml").read_text() == 'timezone = "Europe/London"'


def test_what_init_advises_leads_to_a_token(run: Run, tmp_path: Path) -> None:
    advice = run("init", "--data-dir", tmp_path / "shop").out.splitlines()[1:3]

    answers = [run(*line.split()[1:]) for line in advice]

    assert [each.exit_code for each in answers] == [0, 0]
    assert answers[1].out.startswith("crmkit_")


def test_the_data_directory_may_come_from_the_environment(
    run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMKIT_DATA_DIR", str(shop))

    states = run("db", "current", "--json").object["plugins"]

    assert {each["state"] for each in states} == {"ready"}


def test_a_missing_data_directory_is_named_and_not_made(run: Run, tmp_path: Path) -> None:
    refused = run("serve", "--data-dir", tmp_path / "shp")

    assert refused.exit_code == 1
    assert f"crmkit init --data-dir {tmp_path / 'shp'}" in refused.err
    assert not (tmp_path / "shp").exists()


def test_a_refusal_is_an_object_too_where_json_is_asked_for(run: Run, tmp_path: Path) -> None:
    (tmp_path / "crmkit.toml").write_text("nonsense = 1")

    refused = run("db", "current", "--data-dir", tmp_path, "--json")

    assert refused.exit_code == 1
    assert json.loads(refused.out)["error"]["code"] == "SETTINGS_ERROR"
    assert refused.err.startswith("error: setting nonsense")


def test_version_needs_no_data_directory(run: Run) -> None:
    shown = run("version", "--json")

    assert shown.object.keys() == {"crmkit", "python", "sqlite"}
