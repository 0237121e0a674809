"""What is nobody else's business: modes of files, secrets in messages, where the file lies."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from crmkit import Crm, Settings
from crmkit.database import Database
from crmkit.demo.retailer import generate
from crmkit.errors import PluginError, SettingsError
from crmkit.migrating import upgrade
from crmkit.wrong_options import explain


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Let new files be readable by everybody, as most systems do."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


@pytest.mark.usefixtures("open_umask")
def test_the_data_are_the_owners_alone_in_a_folder_that_is_not(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir(mode=0o755)

    with Crm(Settings.load(shop, plugins=(), database_url="")) as crm:
        upgrade(crm.database, crm.registry)
        found = modes(shop)

    beside = {"crmkit.sqlite3", "crmkit.sqlite3-wal", "crmkit.sqlite3-shm", "crmkit.sqlite3.lock"}
    assert found == dict.fromkeys(beside, 0o600)


@pytest.mark.usefixtures("open_umask")
def test_the_truth_about_demo_customers_is_the_owners_alone(tmp_path: Path) -> None:
    generate(seed=1, customers=2, years=1).write_truth(tmp_path / "truth.json")

    assert modes(tmp_path) == {"truth.json": 0o600}


@pytest.mark.usefixtures("open_umask")
def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "crmkit.sqlite3"
    sqlite3.connect(path).execute("CREATE TABLE t (x INTEGER)").connection.close()
    before = modes(tmp_path)[path.name]

    database = Database(f"sqlite:///{path}")
    with database.write():
        pass
    database.close()

    assert (before, modes(tmp_path)[path.name]) == (0o644, 0o600)


@pytest.mark.parametrize("name", ["a?b", "a%20b", "a#b", "商店"])
def test_the_database_lies_in_its_folder_whatever_that_is_called(tmp_path: Path, name: str) -> None:
    shop = tmp_path / name
    shop.mkdir()

    database = Database(Settings.load(shop).url)
    database.create()
    database.close()

    assert (shop / "crmkit.sqlite3").exists()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("url", ["postgresql://u:s3cret@host:port/db", "mysql://u:s3cret@host/db"])
def test_a_wrong_address_is_told_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match="database_url") as raised:
        Database(url)

    assert "s3cret" not in str(raised.value)
    assert raised.value.__cause__ is None


class Mailing(BaseModel, extra="forbid"):
    api_token: int = 0
    pin: SecretStr = SecretStr("")
    batch: int = 0


def test_a_wrong_option_is_shown_unless_it_may_be_a_secret() -> None:
    given = {"api_token": "s3cret", "pin": ["s3cret"], "batch": "ten", "pasword": "s3cret"}
    with pytest.raises(ValidationError) as raised:
        Mailing.model_validate(given)

    told = explain(raised.value, "setting plugin.mailing.", Mailing)

    assert "batch: Input should be a valid integer" in told
    assert "(got 'ten')" in told
    assert told.count("setting plugin.mailing.") == 4
    assert "s3cret" not in told


def test_the_value_of_a_misspelt_secret_is_not_shown(tmp_path: Path) -> None:
    options = {"loyalty": {"tokn": 1, "api_password": "s3cret"}}

    with pytest.raises(PluginError, match="api_password") as raised:
        Crm(Settings.load(tmp_path, plugin=options))

    assert "s3cret" not in str(raised.value)
