"""Remembering what is costly to make, whatever strangers ask for in between."""

from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import Final, Generic, TypeVar

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")
_NEW_PART: Final = 4
_ASKED_MAX: Final = 3


@dataclass(slots=True)
class _Entry(Generic[ValueT]):
    value: ValueT
    asked: int = 0


class Remembered(Generic[KeyT, ValueT]):
    """A bounded number of values by key; those that are asked for again stay.

    Newcomers wait in a queue of their own, a quarter of the room. Who is asked for while waiting
    becomes a regular; who is not, is forgotten at its end. So any number of values that are used
    once pass through without a regular losing its place. Regulars make room for each other: each
    time the queue comes round to one, being asked for lets it stay, up to three times in advance.

    Asking takes one look-up and no lock.

    Args:
        most: how many are remembered.
    """

    def __init__(self, most: int) -> None:
        self._most, self._new_most = most, most // _NEW_PART
        self._entries: dict[KeyT, _Entry[ValueT]] = {}
        self._newcomers: deque[KeyT] = deque()
        self._regulars: deque[KeyT] = deque()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._newcomers) + len(self._regulars)

    def get(self, key: KeyT) -> ValueT | None:
        """Return what is remembered under a key, None if nothing is."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.asked < _ASKED_MAX:
            entry.asked += 1
        return entry.value

    def add(self, key: KeyT, value: ValueT) -> None:
        """Remember a value under a key that has none; of two that come at once the first stays."""
        with self._lock:
            if key in self._entries:
                return
            self._entries[key] = _Entry(value)
            self._newcomers.append(key)
            while len(self) > self._most:
                self._make_room()

    def pin(self, key: KeyT, value: ValueT) -> None:
        """Remember a value for good, beyond the number of those that come and go."""
        self._entries[key] = _Entry(value)

    def _make_room(self) -> None:
        """Forget one, or let one stay a while longer."""
        is_new = len(self._newcomers) > self._new_most
        queue = self._newcomers if is_new else self._regulars
        key = queue.popleft()
        entry = self._entries[key]
        if entry.asked:
            entry.asked -= not is_new
            self._regulars.append(key)
        else:
            del self._entries[key]
