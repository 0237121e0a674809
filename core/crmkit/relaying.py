"""News between the processes that serve one PostgreSQL database.

They are sent by NOTIFY after the commit, on a connection of their own: PostgreSQL lets
transactions that notify commit one by one only, which writers would have to wait for. News that
are on their way when a connection breaks are lost.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from queue import Empty, Full, Queue
from threading import Event as Flag
from threading import Thread, current_thread
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from crmkit.announcements import Announcement, Event, Feed
from crmkit.database import Database
from crmkit.ids import new_id

if TYPE_CHECKING:
    from psycopg import Connection

log = logging.getLogger("crmkit")
CHANNEL: Final = "crmkit_news"
ROWS_MAX: Final = 90
"""Rows in one notification: PostgreSQL takes 8,000 bytes, a row has 75."""
WAITING_MAX: Final = 1_000
"""Writes whose news may wait to be sent; more are dropped, with a line in the log."""
_RETRY_SECONDS, _LOOK_SECONDS = 2.0, 0.5


class Relay:
    """Sends what this process writes to the others, and tells what they send.

    Args:
        database: on PostgreSQL.
        feed: whose news go out, and where those of others come in.
    """

    def __init__(self, database: Database, feed: Feed) -> None:
        self._database, self._feed = database, feed
        self._me = new_id().hex
        self._outgoing: Queue[Sequence[Announcement]] = Queue(WAITING_MAX)
        self._stopping = Flag()
        self._sender = Thread(target=self._run, args=(self._send,), daemon=True)
        self._receiver = Thread(target=self._run, args=(self._receive,), daemon=True)

    def start(self) -> None:
        """Begin; both directions connect by themselves, and again if they are cut off."""
        self._stop_listening = self._feed.listen(self._hear)
        self._sender.start()
        self._receiver.start()

    def stop(self) -> None:
        """End both directions and wait for them."""
        self._stop_listening()
        self._stopping.set()
        self._sender.join()
        self._receiver.join()

    def _hear(self, news: Sequence[Announcement]) -> None:
        if current_thread() is self._receiver:
            return  # they came from another process, which told everybody
        try:
            self._outgoing.put_nowait(news)
        except Full:
            log.warning("news of %d rows do not reach other processes", len(news))

    def _run(self, work: Any) -> None:
        from psycopg import Error

        while not self._stopping.is_set():
            try:
                with self._connected() as connection:
                    work(connection)
            except Error as error:
                log.warning("news of other processes are cut off: %s", error)
                self._stopping.wait(_RETRY_SECONDS)

    def _connected(self) -> "Connection[Any]":
        from psycopg import connect

        address = self._database.url.set(drivername="postgresql")
        return connect(
            address.render_as_string(hide_password=False),
            autocommit=True,
            connect_timeout=4,
            options="-c synchronous_commit=off -c statement_timeout=15000",
            keepalives_idle=10,
            tcp_user_timeout=15000,
        )

    def _send(self, connection: "Connection[Any]") -> None:
        while not self._stopping.is_set():
            try:
                news = self._outgoing.get(timeout=_LOOK_SECONDS)
            except Empty:
                continue
            for payload in _payloads(self._me, news):
                connection.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])

    def _receive(self, connection: "Connection[Any]") -> None:
        connection.execute(f"LISTEN {CHANNEL}")
        while not self._stopping.is_set():
            for notified in connection.notifies(timeout=_LOOK_SECONDS):
                try:
                    sender, news = _read(notified.payload)
                except (ValueError, TypeError, AttributeError):
                    # Whoever may connect to the database may notify, and other versions do.
                    log.warning("a notification on %s holds no news", CHANNEL)
                    continue
                if sender != self._me:
                    self._feed.publish(news)


def _payloads(sender: str, news: Sequence[Announcement]) -> Iterator[str]:
    by_event: dict[str, list[tuple[str, str | None]]] = defaultdict(list)
    for event, id_, customer_id in news:
        by_event[event.name].append((id_.hex, customer_id.hex if customer_id else None))
    for name, rows in by_event.items():
        for start in range(0, len(rows), ROWS_MAX):
            part = [sender, name, rows[start : start + ROWS_MAX]]
            yield json.dumps(part, separators=(",", ":"))


def _read(payload: str) -> tuple[str, list[Announcement]]:
    sender, name, rows = json.loads(payload)
    event = Event(name)
    return sender, [
        Announcement(event, UUID(id_), None if customer_id is None else UUID(customer_id))
        for id_, customer_id in rows
    ]
