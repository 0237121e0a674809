"""News of what was written, told to whoever listens once the write is durable.

Services and hooks announce inside the writing session; a write that fails announces nothing. News
hold ids only: whoever hears them reads what is there by then. They are kept nowhere, so who does
not listen misses them. What keeps them, such as an outbox, would call `Feed.publish` later and
leave everything else as it is.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from crmkit.batches import RecordedTransaction
from crmkit.write_session import WriteSession

log = logging.getLogger("crmkit")
_FEED: Final = "crmkit.feed"


@dataclass(frozen=True, slots=True)
class Event:
    """A kind of thing that happens to rows of one type.

    Attributes:
        name: the owner's name and a past participle, such as `recall.case_opened`.
    """

    name: str


CUSTOMER_CHANGED: Final = Event("core.customer_changed")
"""A customer was created or changed, or the key figures moved with a transaction."""
TRANSACTION_RECORDED: Final = Event("core.transaction_recorded")
"""A transaction was recorded, or an anonymous one was given to a customer."""


class Announcement(NamedTuple):
    """One event of one row.

    Attributes:
        id: of the row; it may have changed again, or be gone, by the time it is looked at.
        customer_id: whom the row belongs to; None if to nobody.
    """

    event: Event
    id: UUID
    customer_id: UUID | None


Hear = Callable[[Sequence[Announcement]], None]


class Feed:
    """Tells news to the listeners of one process."""

    def __init__(self) -> None:
        self._listeners: tuple[Hear, ...] = ()
        self._lock = Lock()

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def listen(self, hear: Hear) -> Callable[[], None]:
        """Have a function called with all news from now on.

        Args:
            hear: runs in the thread that wrote, before its caller gets an answer, so it only
                hands the news on. An error in it is logged.

        Returns:
            What ends the listening.
        """

        def heard(news: Sequence[Announcement]) -> None:
            hear(news)

        def stop() -> None:
            with self._lock:
                self._listeners = tuple(each for each in self._listeners if each is not heard)

        with self._lock:
            self._listeners = (*self._listeners, heard)
        return stop

    def publish(self, news: Sequence[Announcement]) -> None:
        """Tell all listeners; whatever the news are about must be durable."""
        for hear in self._listeners:
            try:
                hear(news)
            except Exception:
                log.exception("a listener failed to hear news")

    def follow(self, session: Session) -> None:
        """Publish what will be announced in a writing session."""
        session.info[_FEED] = self


def announce(session: Session, event: Event, rows: Mapping[UUID, UUID | None]) -> None:
    """Announce an event of some rows; it is told once the write is durable, if it ever is.

    Args:
        session: the writing session, as hooks and `Crm.write` give it.
        rows: ids of the rows, each with the id of the customer it belongs to.
    """
    feed: Feed | None = session.info.get(_FEED)
    if feed is None or not feed.is_heard or not rows or not isinstance(session, WriteSession):
        return
    news = [Announcement(event, id_, customer_id) for id_, customer_id in rows.items()]
    session.after_commit(partial(feed.publish, news))


def announce_transactions(session: Session, transactions: Sequence[RecordedTransaction]) -> None:
    """Announce transactions that now count, and the customers whose key figures they moved."""
    owners = {each.id: each.customer_id for each in transactions}
    announce(session, TRANSACTION_RECORDED, owners)
    announce(session, CUSTOMER_CHANGED, {who: who for who in owners.values() if who})
