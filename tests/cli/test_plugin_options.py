from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

ECHO = """
from datetime import date

from crmkit import Command, Findings, Option, Plugin, Report, hookimpl

plugin = Plugin("echo", "1", "Says what it was given.")


def run(crm, values):
    rows = [(name, type(value).__name__, value) for name, value in values.items()]
    return Report(True, [Findings("values", ("name", "type", "value"), rows)])


@hookimpl
def register_commands():
    return [
        Command("silent", "Takes nothing.", run),
        Command("say", "Says it again.", run, [
            Option("from", "date", "First day.", is_required=True),
            Option("to", "date", "Last day.", default=date(2026, 12, 31)),
            Option("rule-file", "file", "The rules."),
            Option("word", "text", "Any word."),
        ]),
    ]
"""


@pytest.fixture(autouse=True)
def echo(shop: Path) -> None:
    (shop / "plugins" / "echo.py").write_text(ECHO, encoding="utf-8")


def _shown(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


def test_values_reach_the_command_in_their_types(crmkit: Run, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.touch()

    said = crmkit("echo", "say", "--from", "2026-03-01", "--rule-file", file, "--word=hi", "--json")

    assert said.exit_code == 0
    assert [tuple(each.values()) for each in said.object["values"]] == [
        ("from", "date", "2026-03-01"),
        ("to", "date", "2026-12-31"),
        ("rule-file", "PosixPath", str(file)),
        ("word", "str", "hi"),
    ]


def test_an_option_that_is_not_given_has_its_default_or_none(crmkit: Run) -> None:
    said = crmkit("echo", "say", "--from", "2026-03-01", "--json")

    assert said.object["values"][2] == {"name": "rule-file", "type": "NoneType", "value": None}


def test_help_behind_a_command_lists_its_options(crmkit: Run) -> None:
    helped = crmkit("echo", "say", "--help")

    assert helped.exit_code == 0
    text = _shown(helped.out)
    for told in ("Says it again.", "--from", "First day.", "required", "--rule-file", "--data-dir"):
        assert told in text


def test_help_behind_the_plugins_name_tells_how_to_list_commands(crmkit: Run) -> None:
    helped = crmkit("echo", "--help")

    assert helped.exit_code == 0
    assert "without one, lists them" in _shown(helped.out)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["say"], "Missing option '--from'"),
        (["say", "--from", "2026-02-30"], "'2026-02-30': no such day"),
        (["say", "--from"], "requires an argument"),
        (["say", "--form", "2026-03-01"], "No such option: --form"),
        (["say", "--from", "2026-03-01", "--rule-file", "gone.toml"], "no file 'gone.toml'"),
        (["say", "--from", "2026-03-01", "word"], "unexpected extra argument"),
        (["silent", "--from", "2026-03-01"], "No such option: --from"),
    ],
)
def test_what_a_command_does_not_take_is_wrong_use(
    crmkit: Run, words: list[str], told: str
) -> None:
    refused = crmkit("echo", *words)

    assert refused.exit_code == 2
    assert told in _shown(refused.err)
    assert refused.out == ""
