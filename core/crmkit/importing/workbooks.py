"""Reading Excel workbooks, cell by cell as the text a CSV export of them would hold.

The reader holds one sheet in memory, which Excel limits to 1,048,576 rows.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from crmkit.errors import ImportFailed
from crmkit.importing.rows import RECORD_BYTES_MAX, Block, Damage, without_trailing_blanks

_ROWS = 4_000
Cell = int | float | str | bool | datetime | date | time | timedelta


class WorkbookTable:
    """One sheet of a workbook; its rows are numbered as Excel shows them.

    Args:
        decimal: the mark that numbers are given with, so that they read like typed ones.

    Attributes:
        heading: names of the columns.
    """

    def __init__(self, path: Path, sheet: str | None, heading_line: int, decimal: str) -> None:
        self._path = path
        self._decimal = decimal
        self._sheet = sheet
        self._heading_line = heading_line
        heading = next((row for _, row in self._rows(self._open())), [])
        while heading and not heading[-1]:
            heading.pop()
        self.heading = tuple(name.strip() for name in heading)

    def blocks(self) -> Iterator[Block]:
        """Read the sheet from its first row on."""
        return without_trailing_blanks(self._blocks())

    def looks_right(self) -> bool:
        """Return True: a workbook says itself how its text is written."""
        return True

    def _blocks(self) -> Iterator[Block]:
        rows = self._rows(self._open())
        next(rows, None)
        width = len(self.heading)
        while part := list(islice(rows, _ROWS)):
            damages = {}
            for number, row in part:
                if any(row[width:]):
                    damages[number] = Damage(
                        "WRONG_COLUMNS", f"a value stands right of the {width} columns"
                    )
                elif any("\0" in cell for cell in row):
                    damages[number] = Damage("INVALID_TEXT", "a NUL character cannot be stored")
                elif sum(map(len, row)) > RECORD_BYTES_MAX:
                    damages[number] = Damage("TOO_LONG", f"at most {RECORD_BYTES_MAX} characters")
            yield Block([number for number, _ in part], [row[:width] for _, row in part], damages)

    def _open(self) -> CalamineSheet:
        try:
            workbook = CalamineWorkbook.from_path(self._path)
            if self._sheet is not None:
                return workbook.get_sheet_by_name(self._sheet)
            return workbook.get_sheet_by_index(0)
        except (CalamineError, OSError, IndexError) as error:
            raise ImportFailed(f"{self._path.name} is not a readable workbook: {error}") from None

    def _rows(self, sheet: CalamineSheet) -> Iterator[tuple[int, list[str]]]:
        """Give the heading and what follows, each with its number in Excel."""
        top, left = sheet.start or (0, 0)
        indent = [""] * left
        for number, row in enumerate(sheet.iter_rows(), top + 1):
            if number >= self._heading_line:
                yield number, indent + [cell_text(cell, self._decimal) for cell in row]


def cell_text(cell: Cell, decimal: str = ".") -> str:
    """Return a cell as text: numbers without Excel's binary noise, times as ISO 8601."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        # 15 digits are what Excel keeps; a till's 13800000001 arrives as 13800000001.0
        return format(Decimal(format(cell, ".15g")), "f").replace(".", decimal)
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)
