"""Reading CSV: fast where a block is clean, record by record where it is not.

A damaged record never takes its neighbours with it. A quote that is opened and not closed within
RECORD_LINES_MAX lines damages the one line it stands on; reading goes on with the next.
"""

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from crmkit.importing.physical_lines import REPLACEMENT, Lines, read_lines
from crmkit.importing.rows import (
    RECORD_BYTES_MAX,
    RECORD_LINES_MAX,
    Block,
    Damage,
    without_trailing_blanks,
)
from crmkit.importing.streams import opened

_SLICE = 64
_PROBED_BLOCKS = 8
_UNREADABLE = frozenset(f'{REPLACEMENT}\0\n"')


class DelimitedTable:
    """A CSV file, plain or gzipped, in a known encoding and with a known delimiter.

    Attributes:
        heading: names of the columns.
    """

    def __init__(self, path: Path, encoding: str, delimiter: str, heading_line: int) -> None:
        self._path = path
        self._encoding = encoding
        self._heading_line = heading_line
        self._dialect: dict[str, Any] = {"delimiter": delimiter, "strict": True}
        self.heading = self._read_heading()

    def blocks(self) -> Iterator[Block]:
        """Read the file from its first row on."""
        return without_trailing_blanks(self._blocks())

    def looks_right(self) -> bool:
        """Tell whether the file's beginning is text in this encoding."""
        with opened(self._path) as stream:
            first = islice(read_lines(stream, self._encoding), _PROBED_BLOCKS)
            return not any(lines.damages for lines in first)

    def _read_heading(self) -> tuple[str, ...]:
        with opened(self._path) as stream:
            for lines in read_lines(stream, self._encoding):
                at = self._heading_line - lines.first
                if at < len(lines.texts):
                    if self._heading_line in lines.damages:
                        return ()
                    return tuple(name.strip() for name in self._lenient(lines.texts[at]))
        return ()

    def _blocks(self) -> Iterator[Block]:
        skipped, rest = self._heading_line, Lines(1, [], {})
        with opened(self._path) as stream:
            for lines in read_lines(stream, self._encoding):
                cut = max(0, min(len(lines.texts), skipped + 1 - lines.first))
                lines = Lines(lines.first + cut, lines.texts[cut:], lines.damages)
                if rest.texts:
                    damages = {**rest.damages, **lines.damages}
                    lines = Lines(rest.first, rest.texts + lines.texts, damages)
                block, rest = self._parsed(lines, whole=False)
                if block.rows:
                    yield block
        if rest.texts:
            yield self._parsed(rest, whole=True)[0]

    def _parsed(self, lines: Lines, *, whole: bool) -> tuple[Block, Lines]:
        """Parse lines, leaving those of a last record that may go on.

        Args:
            whole: there is no further line.
        """
        rows = None if lines.damages else self._clean(lines.texts)
        if rows is not None:
            return Block(range(lines.first, lines.first + len(rows)), rows, {}), Lines(0, [], {})
        numbers: list[int] = []
        damages: dict[int, Damage] = {}
        rows, at = [], 0
        while at < len(lines.texts):
            part = lines.texts[at : at + _SLICE]
            here = range(lines.first + at, lines.first + at + len(part))
            clean = None if lines.damages.keys() & here else self._clean(part)
            if clean is not None:
                numbers += here
                rows += clean
                at += len(part)
                continue
            for _ in part:
                taken = self._record(lines, at, whole, rows, damages)
                if taken == 0:
                    rest = Lines(lines.first + at, lines.texts[at:], lines.damages)
                    return Block(numbers, rows, damages), rest
                numbers.append(lines.first + at)
                at += taken
                if at >= len(lines.texts):
                    break
        return Block(numbers, rows, damages), Lines(0, [], {})

    def _clean(self, texts: list[str]) -> list[list[str]] | None:
        """Return one row per line, or None if that is not what the lines are."""
        try:
            rows = list(csv.reader(texts, **self._dialect))
        except csv.Error:
            return None
        return (
            rows if set(map(len, rows)) == {len(self.heading)} and len(rows) == len(texts) else None
        )

    def _record(
        self, lines: Lines, at: int, whole: bool, rows: list[list[str]], damages: dict[int, Damage]
    ) -> int:
        """Parse the record that starts at a line; returns how many lines it took, 0 if unknown."""
        number, candidates = lines.first + at, lines.texts[at : at + RECORD_LINES_MAX]
        if number in lines.damages:
            return self._damaged(lines.damages[number], number, candidates[0], rows, damages)
        reader = csv.reader(candidates, **self._dialect)
        try:
            row, taken = next(reader), reader.line_num
        except csv.Error as error:
            if reader.line_num == len(candidates) < RECORD_LINES_MAX and not whole:
                return 0
            return self._damaged(_quoting(error), number, candidates[0], rows, damages)
        width = len(self.heading)
        while len(row) > width and not row[-1]:
            row.pop()
        within = [lines.damages.get(each) for each in range(number, number + taken)]
        damage = next(filter(None, within), None)
        if row and len(row) != width:
            damage = Damage("WRONG_COLUMNS", f"{len(row)} columns; the heading has {width}")
        elif sum(map(len, candidates[:taken])) > RECORD_BYTES_MAX:
            damage = Damage("TOO_LONG", f"a record has at most {RECORD_BYTES_MAX} characters")
        if damage is not None:
            return self._damaged(damage, number, candidates[0], rows, damages)
        rows.append(row or [""] * width)
        return taken

    def _damaged(
        self,
        damage: Damage,
        number: int,
        text: str,
        rows: list[list[str]],
        damages: dict[int, Damage],
    ) -> int:
        """Keep of a damaged line the fields that can be trusted to be what they seem."""
        fields = self._lenient(text)
        if len(fields) != len(self.heading):
            fields = fields[:-1]  # the last may have swallowed others
        fields = ["" if _UNREADABLE & set(field) else field for field in fields]
        fields += [""] * (len(self.heading) - len(fields))
        rows.append(fields[: len(self.heading)])
        damages[number] = damage._replace(value=text[:100].rstrip("\r\n"))
        return 1

    def _lenient(self, text: str) -> list[str]:
        try:
            return next(csv.reader([text], delimiter=self._dialect["delimiter"]), [])
        except csv.Error:
            return text.rstrip("\r\n").split(self._dialect["delimiter"])


def _quoting(error: csv.Error) -> Damage:
    return Damage("INVALID_QUOTING", f"the quotes of this line do not fit: {error}")
