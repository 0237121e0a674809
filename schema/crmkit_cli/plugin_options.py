"""Options of plugins' commands: what stands on the command line becomes checked values."""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from crmkit import Command, Option

_SHARED = "Besides, as every command of a plugin: --data-dir, --json and --report FILE."


def read_options(
    context: typer.Context, command: "Command", words: Sequence[str]
) -> Mapping[str, Any]:
    """Return a value for each option of a plugin's command.

    Args:
        context: of the plugin's word.
        words: what stood behind the command.

    Raises:
        UsageError: a word is no option, a value is wrong, or one is missing.
        Exit: help was asked for, and has been shown.
    """
    app = typer.Typer(add_completion=False)
    app.command(command.name, help=command.summary, epilog=_SHARED)(_taking(command.options))
    parser: Any = typer.main.get_command(app)
    with parser.make_context(command.name, list(words), parent=context) as made:
        values: Mapping[str, Any] = parser.invoke(made)
    return values


def _taking(options: "Sequence[Option]") -> Callable[..., Mapping[str, Any]]:
    """Return a function with a parameter for each option, which returns what it is given."""
    names = {f"{each.name.replace('-', '_')}_": each for each in options}  # not `from`, but `from_`

    def take(**given: Any) -> Mapping[str, Any]:
        return {names[word].name: value for word, value in given.items()}

    parameters = [_parameter(word, option) for word, option in names.items()]
    take.__annotations__ = {each.name: each.annotation for each in parameters}
    take.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return take


def _parameter(name: str, option: "Option") -> Parameter:
    read, metavar = _KINDS[option.kind]
    described = typer.Option(f"--{option.name}", parser=read, metavar=metavar, help=option.summary)
    default = ... if option.is_required else option.default
    return Parameter(
        name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[Any, described]
    )


def _date(text: str | date) -> date:
    from crmkit.times import TimeError, parse_date

    try:
        return parse_date(text)
    except TimeError as error:
        raise typer.BadParameter(f"{text!r}: {error}") from None


def _file(text: str | Path) -> Path:
    path = Path(text)
    if not path.is_file() or not os.access(path, os.R_OK):
        raise typer.BadParameter(f"there is no file {str(path)!r} that can be read")
    return path


_KINDS: Mapping[str, tuple[Callable[[Any], Any], str]] = {
    "text": (str, "TEXT"),
    "date": (_date, "DATE"),
    "file": (_file, "FILE"),
}
