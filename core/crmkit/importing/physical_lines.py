"""Cutting a stream of bytes into physical lines, whatever the bytes are.

A line ends at a line feed and nowhere else, which is how editors, `sed` and `grep -n` count.
"""

import codecs
import io
import re
from collections.abc import Iterator
from typing import IO, NamedTuple

from crmkit.importing.rows import RECORD_BYTES_MAX, Damage

BLOCK_BYTES = 262_144
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_HEAD = 200  # what is kept of an endless line: enough to see whose it is
_WIDE = re.compile(r"utf[-_]?(16|32)", re.IGNORECASE)


class Lines(NamedTuple):
    """Whole physical lines.

    Attributes:
        first: number of the first, from 1.
        texts: the lines with their ends.
        damages: lines whose bytes are no text, by number; their texts are what could be made out.
    """

    first: int
    texts: list[str]
    damages: dict[int, Damage]


def read_lines(stream: IO[bytes], encoding: str) -> Iterator[Lines]:
    """Read a stream in blocks of whole lines, in bounded memory."""
    if _WIDE.match(encoding):
        stream, encoding = _Narrowed(stream, encoding), "utf-8"  # type: ignore[assignment]
    first, rest = 1, b""
    while chunk := stream.read(BLOCK_BYTES):
        data = rest + chunk
        cut = data.rfind(b"\n") + 1
        if cut:
            lines = _decoded(first, data[:cut], encoding)
            yield lines
            first += len(lines.texts)
        rest = data[cut:]
        if len(rest) > RECORD_BYTES_MAX:
            rest = rest[: RECORD_BYTES_MAX + 1]  # already too long; the tail is not needed
    if rest:
        yield _decoded(first, rest, encoding)


def _decoded(first: int, data: bytes, encoding: str) -> Lines:
    try:
        text = data.decode(encoding if first == 1 else encoding.removesuffix("-sig"))
    except UnicodeDecodeError:
        return _decoded_singly(first, data, encoding)
    texts = _split(text)
    if "\0" in text or REPLACEMENT in text or max(map(len, texts)) > RECORD_BYTES_MAX // 4:
        return _decoded_singly(first, data, encoding)
    return Lines(first, texts, {})


def _decoded_singly(first: int, data: bytes, encoding: str) -> Lines:
    texts: list[str] = []
    damages: dict[int, Damage] = {}
    for number, line in enumerate(_cut(data), first):
        codec = encoding if number == 1 else encoding.removesuffix("-sig")
        text = line.decode(codec, "replace")
        if len(line) > RECORD_BYTES_MAX:
            text = text[:_HEAD]
            damages[number] = Damage("TOO_LONG", f"a line has at most {RECORD_BYTES_MAX} bytes")
        elif REPLACEMENT in text:
            damages[number] = Damage("INVALID_TEXT", f"some bytes are not {codec}")
        elif "\0" in text:
            damages[number] = Damage("INVALID_TEXT", "a NUL character cannot be stored")
        texts.append(text)
    return Lines(first, texts, damages)


def _cut(data: bytes) -> list[bytes]:
    lines = [line + b"\n" for line in data.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _split(text: str) -> list[str]:
    return list(io.StringIO(text, newline="\n"))


class _Narrowed:
    """A stream of UTF-16 or UTF-32 as UTF-8; what is no text becomes replacement characters."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")

    def read(self, size: int) -> bytes:
        """Return about `size` bytes, and none only at the end."""
        while True:
            raw = self._stream.read(size)
            text = self._decoder.decode(raw, final=not raw)
            if text or not raw:
                return text.encode("utf-8", "replace")
