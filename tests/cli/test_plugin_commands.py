import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer.main

from crmkit import (
    Command,
    Crm,
    CustomerInput,
    Option,
    Plugin,
    PluginError,
    Report,
    Settings,
    hookimpl,
)
from crmkit.commands import OWN_WORDS
from crmkit_cli.application import application
from crmkit_loyalty import adjusting
from crmkit_loyalty.settings import LoyaltySettings

Run = Callable[..., Any]


@pytest.fixture
def spoiled(shop: Path) -> Path:
    """Give a shop in which a customer has one point more than the book says."""
    with Crm(Settings.load(shop)) as crm:
        (ann,) = crm.upsert_customers([CustomerInput("till", "ann")])
        crm.write(
            lambda session: adjusting.adjust(
                session, ann.id, 30, reason_code="goodwill", reason="thanks", key="k", actor="bob",  # type: ignore[arg-type]
                now=crm.clock.now(), settings=LoyaltySettings(),
            )
        )  # fmt: skip
    with sqlite3.connect(shop / "crmkit.sqlite3") as connection:
        connection.execute("UPDATE loyalty_account SET balance = 31")
    connection.close()
    return shop


def test_a_plugins_command_runs_below_its_name(crmkit: Run) -> None:
    verified = crmkit("loyalty", "verify")

    assert verified.exit_code == 0
    assert "an account is the sum of its entries" in verified.out


@pytest.mark.usefixtures("spoiled")
def test_what_it_finds_wrong_is_listed_and_exits_with_one(crmkit: Run) -> None:
    verified = crmkit("loyalty", "verify", "--json")

    (violation,) = verified.object["violations"]
    assert verified.exit_code == 1
    assert not verified.object["is_good"]
    assert (violation["stored"], violation["expected"]) == (31, 30)
    assert "31" in crmkit("loyalty", "verify").out


def test_a_plugins_name_alone_lists_its_commands(crmkit: Run) -> None:
    listed = crmkit("loyalty", "--json").object["commands"]

    assert [each["name"] for each in listed] == ["verify", "simulate"]
    assert "verify" in crmkit("loyalty").out


def test_the_report_on_plugins_names_commands(crmkit: Run) -> None:
    plugins = crmkit("plugins", "--json").object["plugins"]

    assert [p["commands"] for p in plugins if p["name"] == "loyalty"] == [["verify", "simulate"]]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["loyalty", "nothing"], "verify"),
        (["nothing"], "No such command 'nothing'"),
        (["sreve"], "Did you mean 'serve'"),
    ],
)
def test_other_words_are_wrong_use(crmkit: Run, words: list[str], told: str) -> None:
    refused = crmkit(*words)

    assert refused.exit_code == 2
    assert told in " ".join(refused.err.replace("│", " ").split())
    assert refused.out == ""


def test_commands_need_tables_as_new_as_the_code(run: Run, tmp_path: Path) -> None:
    run("init", "--data-dir", tmp_path / "shop")

    refused = run("loyalty", "verify", "--data-dir", tmp_path / "shop")

    assert refused.exit_code == 1
    assert "DATABASE_NOT_READY" in refused.err


def test_the_words_that_plugins_may_not_take_are_those_of_the_command_line() -> None:
    command: Any = typer.main.get_command(application())

    assert set(command.commands) == OWN_WORDS


class Brings:
    """A plugin with some commands."""

    def __init__(self, name: str, *commands: object) -> None:
        self.plugin = Plugin(name=name, version="1", summary="For a test.")
        self._commands = commands

    @hookimpl
    def register_commands(self) -> Any:
        return self._commands


HELLO = Command("hello", "Says hello.", lambda crm, options: Report(True, ()))


@pytest.mark.parametrize(
    ("plugin", "told"),
    [
        (Brings("serve", HELLO), "'serve': the command 'serve' is also contributed by .* 'core'"),
        (Brings("ant", HELLO, HELLO), "'ant hello' is also contributed by plugin 'ant'"),
        (Brings("ant", "hello"), "'hello' is not a Command"),
    ],
)  # fmt: skip
def test_a_command_that_cannot_be_reached_stops_the_start(plugin: Brings, told: str) -> None:
    with pytest.raises(PluginError, match=told):
        Crm(Settings(plugins=(), data_dir=Path("no-such-folder")), plugins=[plugin])


@pytest.mark.parametrize("name", ["json", "data-dir", "twice", "Since", "since day"])
def test_an_option_that_cannot_be_told_apart_stops_the_start(name: str) -> None:
    options = [Option(each, "text", "Says.") for each in ("twice", name)]
    plugin = Brings("ant", Command("hello", "Says hello.", HELLO.run, options))

    with pytest.raises(PluginError, match=f"--{name}"):
        Crm(Settings(plugins=(), data_dir=Path("no-such-folder")), plugins=[plugin])
