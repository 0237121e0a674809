"""What a person sees when crmkit says no: one line, never a traceback."""

import functools
import sys
from collections.abc import Callable
from typing import Any

import typer

from crmkit_cli.printing import print_json

REFUSED = 1
"""Exit code of a refusal, and of a comparison that found differences."""


def refusing(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command, with crmkit's own errors turned into one line and an exit code.

    With `--json` the error is also an object on standard output. Other exceptions are bugs and
    keep their traceback.
    """

    @functools.wraps(command)
    def wrapped(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
        except Exception as error:
            code, message = _expected(error)
            print(f"error: {message} [{code}]", file=sys.stderr)
            if options.get("as_json"):
                print_json({"error": {"code": code, "message": message}})
            raise typer.Exit(REFUSED) from None

    return wrapped


def _expected(error: Exception) -> tuple[str, str]:
    """Return code and sentence of an error that is no bug; raises any other again."""
    from sqlalchemy.exc import OperationalError

    from crmkit import CrmkitError

    if isinstance(error, CrmkitError):
        return error.code, _one_line(error)
    if isinstance(error, OperationalError):
        return "UNAVAILABLE", f"the database cannot be used: {_one_line(error.orig)}"
    raise error


def _one_line(error: BaseException | None) -> str:
    return " ".join(str(error).split())
