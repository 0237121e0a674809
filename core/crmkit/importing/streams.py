"""Opening files that may be gzipped, and may be broken."""

import gzip
import io
import zlib
from pathlib import Path
from typing import IO, cast

from crmkit.errors import ImportFailed


class _Sound:
    """A stream whose damage is our error."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream = stream
        self._path = path

    def __enter__(self) -> IO[bytes]:
        return self  # type: ignore[return-value]

    def __exit__(self, *_error: object) -> None:
        self._stream.close()

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes, and none only at the end."""
        try:
            return self._stream.read(size)
        except (EOFError, OSError, zlib.error) as error:
            raise ImportFailed(f"{self._path.name} cannot be read to its end: {error}") from None


def opened(path: Path) -> _Sound:
    """Open a file for reading its bytes, unzipped if it is gzipped."""
    with path.open("rb") as probe:
        zipped = probe.read(2) == b"\x1f\x8b"
    return _Sound(cast(IO[bytes], gzip.GzipFile(path) if zipped else io.FileIO(path)), path)
