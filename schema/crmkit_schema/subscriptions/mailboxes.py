"""News on their way from the writers to the subscribers: one mailbox each, none ever too full."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from crmkit import Announcement, Event
from crmkit.announcements import Feed

BATCH_MAX: Final = 20
"""Announcements that are taken out at once."""

News = dict[Announcement, None]
Topic = tuple[Event, UUID | None]


class MailboxOverrun(Exception):
    """More news waited than a mailbox holds; what waited was thrown away."""


class Mailbox:
    """What waits for one subscriber, each announcement once: it gets the row as it is by then."""

    def __init__(self, waiting_max: int) -> None:
        self._waiting: News = {}
        self._waiting_max = waiting_max
        self._is_overrun = False
        self._arrived = asyncio.Event()

    def put(self, news: News) -> None:
        """Put news in; never waits."""
        if not self._is_overrun:
            self._waiting |= news
        if len(self._waiting) > self._waiting_max:
            self._is_overrun, self._waiting = True, {}
        self._arrived.set()

    async def take(self) -> list[Announcement]:
        """Wait for news and take the oldest out.

        Raises:
            MailboxOverrun: too much had come since the last time.
        """
        await self._arrived.wait()
        if self._is_overrun:
            raise MailboxOverrun
        taken = list(self._waiting)[:BATCH_MAX]
        for each in taken:
            del self._waiting[each]
        if not self._waiting:
            self._arrived.clear()
        return taken


class Hub:
    """Sorts what a feed tells into mailboxes, on the event loop.

    It listens only while there are mailboxes, and a writer waits for none of them.

    Args:
        waiting_max: announcements that may wait in one mailbox.
    """

    def __init__(self, feed: Feed, waiting_max: int) -> None:
        self._feed, self._waiting_max = feed, waiting_max
        self._boxes: dict[Topic, set[Mailbox]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._boxes.values()))

    @contextmanager
    def mailbox(self, event: Event, customer_id: UUID | None) -> Iterator[Mailbox]:
        """Keep a mailbox for one event.

        Args:
            customer_id: whose news it gets; None for everybody's.
        """
        topic, box = (event, customer_id), Mailbox(self._waiting_max)
        if not self._boxes:
            self._loop = asyncio.get_running_loop()
            self._stop = self._feed.listen(self._hear)
        self._boxes.setdefault(topic, set()).add(box)
        try:
            yield box
        finally:
            self._boxes[topic].discard(box)
            if not self._boxes[topic]:
                del self._boxes[topic]
            if not self._boxes:
                self._stop()

    def _hear(self, news: Sequence[Announcement]) -> None:
        self._loop.call_soon_threadsafe(self._sort, news)

    def _sort(self, news: Sequence[Announcement]) -> None:
        by_topic: dict[Topic, News] = defaultdict(dict)
        for each in news:
            for topic in {(each.event, None), (each.event, each.customer_id)}:
                if topic in self._boxes:
                    by_topic[topic][each] = None
        for topic, some in by_topic.items():
            for box in self._boxes[topic]:
                box.put(some)
