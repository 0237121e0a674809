"""Settings: from arguments, environment and file; a wrong one is named with its value."""

from pathlib import Path
from typing import Any

import pytest

from crmkit import Settings
from crmkit.errors import SettingsError


def write(folder: Path, text: str) -> None:
    (folder / "crmkit.toml").write_text(text, encoding="utf-8")


def test_without_a_file_the_embedded_defaults_hold(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path)

    assert settings.url == f"sqlite:///{tmp_path / 'crmkit.sqlite3'}"
    assert settings.plugins_dir == tmp_path / "plugins"
    assert (settings.profile, settings.plugins) == ("production", ("loyalty",))


def test_arguments_win_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, 'currency = "EUR"\ncountry = "DE"\ntimezone = "Europe/Berlin"')
    monkeypatch.setenv("CRMKIT_COUNTRY", "FR")
    monkeypatch.setenv("CRMKIT_CURRENCY", "CHF")

    settings = Settings.load(tmp_path, currency="GBP")

    assert (settings.currency, settings.country, settings.timezone) == (
        "GBP",
        "FR",
        "Europe/Berlin",
    )


def test_a_plugins_option_can_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "[plugin.loyalty]\nlifetime_months = 6\npoints = 1")
    monkeypatch.setenv("CRMKIT_PLUGIN__LOYALTY__POINTS", "2")

    settings = Settings.load(tmp_path)

    assert settings.plugin["loyalty"] == {"lifetime_months": 6, "points": "2"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('timezone = "Asia/Peking"', "setting timezone: .*Asia/Shanghai.*'Asia/Peking'"),
        ('timezone = "../etc/passwd"', "setting timezone"),
        ('currency = "RMB"', "setting currency: .*'RMB'"),
        ('country = "China"', "setting country: .*'China'"),
        ('timezon = "UTC"', "setting timezon: .*'UTC'"),
        ('profile = "debug"', "setting profile: .*'debug'"),
        ("workers = 0", "setting workers: .*0"),
        ('plugins = "loyalty"', "setting plugins: .*'loyalty'"),
        ("plugin = 5", "setting plugin: .*5"),
        ("currency = ", "crmkit.toml is not TOML"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, text)

    with pytest.raises(SettingsError, match=message):
        Settings.load(tmp_path)


def test_every_wrong_setting_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"setting currency.*; setting workers"):
        Settings.load(tmp_path, currency="?", workers="many")


@pytest.mark.parametrize(
    ("name", "value"),
    [("CRMKIT_PLUGINS", "loyalty"), ("CRMKIT_WORKERS", "x"), ("CRMKIT_ROLES", "{")],
)
def test_a_wrong_variable_is_a_settings_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=name.removeprefix("CRMKIT_").lower()):
        Settings.load(tmp_path)


def test_a_file_that_is_not_text_is_a_settings_error(tmp_path: Path) -> None:
    (tmp_path / "crmkit.toml").write_bytes(b'currency = "\xff"')

    with pytest.raises(SettingsError, match=r"crmkit\.toml is not TOML"):
        Settings.load(tmp_path)


@pytest.mark.parametrize("change", [{"currency": "EUR"}, {"workers": 2}])
def test_settings_do_not_change_once_loaded(tmp_path: Path, change: dict[str, Any]) -> None:
    settings = Settings.load(tmp_path)

    for name, value in change.items():
        with pytest.raises(ValueError, match="frozen"):
            setattr(settings, name, value)
