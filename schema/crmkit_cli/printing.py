"""How commands talk: results on standard output, everything else on standard error."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_WIDTH_IN_FILES = 200


def print_json(value: object) -> None:
    """Print one object for programs; what JSON has no word for becomes text."""
    print(json.dumps(value, indent=2 if sys.stdout.isatty() else None, default=_text), flush=True)


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def note(sentence: str) -> None:
    """Tell a person something that is no result."""
    print(sentence, file=sys.stderr, flush=True)


def print_table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows under headings; None becomes a dash."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        # Text, because cells may hold brackets that rich takes for markup.
        table.add_row(*(Text("-" if cell is None else str(cell)) for cell in row))
    console().print(table)


def console(*, stderr: bool = False) -> "Console":
    """Return where to print with colours on a terminal, and without in a file."""
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False, emoji=False)
    if not made.is_terminal:
        made.width = _WIDTH_IN_FILES
    return made
