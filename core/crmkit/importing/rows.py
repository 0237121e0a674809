"""What a reader of files gives: rows of text with the physical line each starts on."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

RECORD_BYTES_MAX = 65_536
RECORD_LINES_MAX = 100
_BLANK_BLOCKS_MAX = 8  # more empty rows than these hold are reported, wherever they stand


class Damage(NamedTuple):
    """Why a line cannot be taken.

    Attributes:
        field: heading of the column that is wrong; empty for the whole line.
        value: the offending value, cut short.
    """

    code: str
    message: str
    field: str = ""
    value: str | None = None


class Block(NamedTuple):
    """Some rows of a file, in its order, each as wide as the heading.

    Attributes:
        numbers: for each row the physical line it starts on, from 1.
        damages: what is wrong with damaged lines; their rows are what could be made out.
    """

    numbers: Sequence[int]
    rows: list[list[str]]
    damages: dict[int, Damage]


class Table(Protocol):
    """A file opened for reading, as often as wanted.

    Attributes:
        heading: names of the columns.
    """

    heading: tuple[str, ...]

    def blocks(self) -> Iterator[Block]:
        """Read the file from its first row on."""

    def looks_right(self) -> bool:
        """Tell whether what stands at the beginning is text."""


def without_trailing_blanks(blocks: Iterator[Block]) -> Iterator[Block]:
    """Leave out the empty rows at the end of a file, which no editor shows."""
    held: list[Block] = []
    for block in blocks:
        filled = len(block.rows)
        while filled and not any(block.rows[filled - 1]):
            filled -= 1
        if filled == 0 and len(held) < _BLANK_BLOCKS_MAX:
            held.append(block)
            continue
        yield from held
        held = []
        if filled < len(block.rows):
            held.append(Block(block.numbers[filled:], block.rows[filled:], block.damages))
            block = Block(block.numbers[:filled], block.rows[:filled], block.damages)
        yield block
