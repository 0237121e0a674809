"""Preparing the next piece of work while the database is busy with the last."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

T = TypeVar("T")
_END: Any = object()


def working_ahead(items: Iterator[T]) -> Iterator[T]:
    """Give what `items` gives, and let it make one item more meanwhile, in a thread.

    That pays where the caller waits for a server. Beside SQLite it costs more than it brings: each
    row that SQLite inserts gives the interpreter away and has to wait for it.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="crmkit-import") as worker:
        coming = worker.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = worker.submit(next, items, _END)
            yield cast(T, item)
