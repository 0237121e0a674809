"""The answers to one operation over time, whatever carries them."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final, TypeVar

from graphql import GraphQLError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from crmkit import Actor, Announcement, Crm
from crmkit.errors import DatabaseBusy, DatabaseNotReady
from crmkit.relaying import Relay
from crmkit_schema import refusals
from crmkit_schema.answers import formatted
from crmkit_schema.refusals import RequestRefused
from crmkit_schema.requests import GraphQLRequest
from crmkit_schema.runtime import ComposedSchema
from crmkit_schema.subscriptions.endings import StreamFailed, TokenEnded
from crmkit_schema.subscriptions.mailboxes import Hub, Mailbox, MailboxOverrun
from crmkit_schema.subscriptions.subscribing import Subscribed, begin, deliver
from crmkit_schema.workers import Workers, WorkersBusy, WorkOverran

logger = logging.getLogger("crmkit")
T = TypeVar("T")

WORKERS: Final = 4
"""Threads that make answers for subscribers, apart from those of requests."""
SEND_SECONDS_MAX: Final = 20.0
"""How long a client may take to accept one message."""
STOP_SECONDS_MAX: Final = 2.0
"""How long clients have to take their goodbyes."""


class Streams:
    """Who listens to one crmkit, over whatever connection.

    Attributes:
        schema: what operations are executed on.
        settings: of subscriptions.
        stopping: set once the server is told to stop; connections then end.
        hub: the mailboxes of all subscribers.
        connected: how many connections there are.
    """

    def __init__(self, crm: Crm, schema: ComposedSchema) -> None:
        self._crm, self.schema = crm, schema
        self.settings = crm.settings.subscriptions
        self.message_bytes_max = crm.settings.body_bytes_max
        self.stopping = asyncio.Event()
        self.hub = Hub(crm.feed, self.settings.waiting_max)
        self.connected = 0
        self._workers = Workers(WORKERS)

    @asynccontextmanager
    async def running(self, _app: object = None) -> AsyncIterator[None]:
        """Hear of what other servers write, while the application runs."""
        if not self.settings.across_processes or self._crm.database.dialect == "sqlite":
            yield
            return
        relay = Relay(self._crm.database, self._crm.feed)
        relay.start()
        try:
            yield
        finally:
            await asyncio.to_thread(relay.stop)

    async def stop(self) -> None:
        """End every connection, and wait a moment for their goodbyes."""
        self.stopping.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS_MAX):
                while self.connected:
                    await asyncio.sleep(0.01)

    @contextmanager
    def connection(self) -> Iterator[None]:
        """Count a connection while it lasts.

        Raises:
            RequestRefused: there are too many already, or the server is about to stop.
        """
        if self.connected >= self.settings.connections_max or self.stopping.is_set():
            raise refusals.busy()
        self.connected += 1
        try:
            yield
        finally:
            self.connected -= 1

    async def actor(self, token: str) -> Actor:
        """Return who bears a token now.

        Raises:
            TokenEnded: nobody.
            RequestRefused: it cannot be found out.
        """
        return await self._in_thread(lambda: self._bearer(token))

    async def watch(self, token: str) -> None:
        """Look at a token again and again.

        Raises:
            TokenEnded: it is not good any more.
        """
        while True:
            await asyncio.sleep(self.settings.recheck_seconds)
            try:
                await self.actor(token)
            except RequestRefused as refusal:
                logger.warning("a subscriber's token could not be looked at: %s", refusal)

    async def answers(self, request: GraphQLRequest, token: str) -> AsyncGenerator[bytes, None]:
        """Yield the answers to one operation, as JSON, until there are no more.

        Raises:
            TokenEnded: the bearer may not have any more of them.
            StreamFailed: the operation is not executed, or not any more.
            RequestRefused: it cannot be executed, or not go on.
        """
        begun = await self._in_thread(lambda: self._begun(request, token))
        if isinstance(begun, bytes):
            yield begun
            return
        with self.hub.mailbox(begun.event, begun.customer_id) as mailbox:
            while True:
                news = await _taken(mailbox)
                for answer in await self._in_thread(lambda: self._delivered(begun, news, token)):  # noqa: B023 awaited at once
                    yield answer

    def _begun(self, request: GraphQLRequest, token: str) -> Subscribed | bytes:
        begun = begin(self.schema, request, self._bearer(token))
        if isinstance(begun, Subscribed):
            return begun
        if not begun.was_executed:
            raise StreamFailed(begun.errors)
        return begun.encoded()

    def _delivered(
        self, subscribed: Subscribed, news: list[Announcement], token: str
    ) -> list[bytes]:
        actor = self._bearer(token)
        try:
            return [each.encoded() for each in deliver(self.schema, subscribed, news, actor)]
        except GraphQLError as error:
            raise StreamFailed(formatted([error])) from None

    def _bearer(self, token: str) -> Actor:
        actor = self._crm.authenticate(token)
        if actor is None:
            raise TokenEnded
        return actor

    async def _in_thread(self, work: Callable[[], T]) -> T:
        seconds_max = self._crm.settings.request_seconds_max
        deadline = asyncio.get_running_loop().time() + seconds_max
        try:
            return await self._workers.run(work, deadline)
        except (TokenEnded, StreamFailed):
            raise
        except WorkersBusy:
            raise refusals.busy() from None
        except WorkOverran:
            raise refusals.timed_out(seconds_max) from None
        except (DatabaseBusy, DatabaseNotReady, OperationalError, PoolTimeout):
            logger.exception("the database cannot be used")
            raise refusals.unavailable("UNAVAILABLE") from None
        except Exception:
            failure = refusals.internal()
            logger.exception("a subscription failed, reference %s", failure.reference)
            raise failure from None


async def _taken(mailbox: Mailbox) -> list[Announcement]:
    try:
        return await mailbox.take()
    except MailboxOverrun:
        message = "more happened than could be told in time; ask for what there is, then subscribe"
        raise RequestRefused(503, "SLOW_CONSUMER", message) from None
