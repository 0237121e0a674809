import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer.main

from crmkit_cli.application import application


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, each in getattr(command, "commands", {}).items():
        yield (*path, name), each
        yield from _commands(each, (*path, name))


COMMANDS = dict(_commands(typer.main.get_command(application())))


def test_help_imports_no_heavy_library() -> None:
    program = (
        "import sys\nfrom crmkit_cli.application import application\n"
        "try: application()(['--help'])\n"
        "except SystemExit: print(sorted({'sqlalchemy', 'strawberry', 'pydantic', 'uvicorn',"
        " 'sqlmodel', 'crmkit'} & sys.modules.keys()))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.stdout.splitlines()[-1] == "[]"


def test_help_tells_the_exit_codes(run: Callable[..., Any]) -> None:
    shown = run("--help")

    assert shown.exit_code == 0
    assert "Exit codes: 0 done, 1 refused" in " ".join(shown.out.split())


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_each_command_says_what_it_does(path: tuple[str, ...], run: Callable[..., Any]) -> None:
    shown = run(*path, "--help")

    assert shown.exit_code == 0
    assert COMMANDS[path].help


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_each_command_can_answer_in_json(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    is_plain_group = getattr(command, "commands", None) and not command.invoke_without_command

    options = {option for each in command.params for option in each.opts}

    assert is_plain_group or "--json" in options


@pytest.mark.parametrize("words", [["nothing"], ["token", "create"], ["serve", "--port", "x"]])
def test_wrong_use_exits_with_two(words: list[str], run: Callable[..., Any]) -> None:
    refused = run(*words)

    assert refused.exit_code == 2
    assert refused.out == ""
