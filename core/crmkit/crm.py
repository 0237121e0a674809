"""The domain, put together: settings, clock, plugins, database and services in one object."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from crmkit import access
from crmkit.access import Actor, Roles
from crmkit.announcements import Feed
from crmkit.attaching import attach_transactions
from crmkit.clock import Clock, SystemClock
from crmkit.customers import upsert_customers
from crmkit.database import Database
from crmkit.errors import HookFailed
from crmkit.inputs import (
    AttachInput,
    CustomerInput,
    ErrorPolicy,
    InteractionInput,
    RowResult,
    TransactionInput,
)
from crmkit.interactions import record_interactions
from crmkit.jobs import JobRun, job_named
from crmkit.plugin_loading import load_plugins
from crmkit.plugins import PluginRegistry
from crmkit.settings import Settings
from crmkit.transactions import read_transactions, record_transactions

T = TypeVar("T")
_TRIES = 4
# unique violation, deadlock, serialisation; and somebody's DEALLOCATE ALL
_LOST_RACES = frozenset({"23505", "40P01", "40001", "26000"})


class Crm:
    """crmkit without GraphQL: everything an application or a command needs.

    Every service takes `actor`, who asks, as plugins are told; and `session`, a writing session
    that is open already, so that a plugin can write rows of its own and a sale in one go.

    Attributes:
        settings: what the retailer chose.
        registry: the plugins that are on.
        database: where everything is.
        roles: who may do what.
        feed: tells what was written to whoever listens.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        plugins: Iterable[Any] = (),
        skip_broken: bool = False,
    ) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.registry: PluginRegistry = load_plugins(settings, plugins, skip_broken=skip_broken)
        self.roles: Roles = access.assemble_roles(
            self.registry.permissions.values(), settings.roles
        )
        self.database = Database(settings.url)
        self.feed = Feed()

    def __enter__(self) -> "Crm":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    @contextmanager
    def read(self, *, unhurried: bool = False) -> Iterator[Session]:
        """Open a session that sees one snapshot and cannot write.

        Args:
            unhurried: let statements take as long as they need, for work nobody waits for.
        """
        with self.database.read(unhurried=unhurried) as session:
            yield session

    def write(
        self,
        work: Callable[[Session], T],
        *,
        session: Session | None = None,
        unhurried: bool = False,
    ) -> T:
        """Run `work` in a writing session and commit; a race lost to another writer is run again.

        Args:
            work: may be called more than once, each time from the start.
            session: a writing session that is open already; `work` then joins it, and whoever
                opened it commits.
            unhurried: let statements take as long as they need, for work nobody waits for.
        """
        if session is not None:
            return work(session)
        for left in range(_TRIES - 1, -1, -1):
            try:
                with self.database.write(unhurried=unhurried) as own:
                    self.feed.follow(own)
                    return work(own)
            except (DBAPIError, HookFailed) as error:
                if left == 0 or not _lost_race(error):
                    raise
        raise AssertionError("unreachable")

    def record_transactions(
        self,
        inputs: Sequence[TransactionInput],
        *,
        policy: ErrorPolicy = ErrorPolicy.REJECT_BATCH,
        create_missing_customers: bool = False,
        actor: str | None = None,
        session: Session | None = None,
    ) -> list[RowResult]:
        """Record transactions; see `crmkit.transactions.record_transactions`."""
        read = read_transactions(inputs, self.settings.zone)

        def work(writing: Session) -> list[RowResult]:
            return record_transactions(
                writing,
                self.registry,
                read,
                now=self.clock.now(),
                policy=policy,
                create_missing_customers=create_missing_customers,
                actor=actor,
            )

        return self.write(work, session=session)

    def record_interactions(
        self,
        inputs: Sequence[InteractionInput],
        *,
        policy: ErrorPolicy = ErrorPolicy.REJECT_BATCH,
        actor: str | None = None,
        session: Session | None = None,
    ) -> list[RowResult]:
        """Record interactions; see `crmkit.interactions.record_interactions`."""

        def work(writing: Session) -> list[RowResult]:
            now = self.clock.now()
            return record_interactions(
                writing, self.registry, inputs, now=now, policy=policy, actor=actor
            )

        return self.write(work, session=session)

    def upsert_customers(
        self,
        inputs: Sequence[CustomerInput],
        *,
        policy: ErrorPolicy = ErrorPolicy.REJECT_BATCH,
        actor: str | None = None,
        session: Session | None = None,
    ) -> list[RowResult]:
        """Create or change customers; see `crmkit.customers.upsert_customers`."""

        def work(writing: Session) -> list[RowResult]:
            now = self.clock.now()
            return upsert_customers(
                writing,
                self.registry,
                inputs,
                now=now,
                today=now.astimezone(self.settings.zone).date(),
                country=self.settings.country,
                policy=policy,
                actor=actor,
            )

        return self.write(work, session=session)

    def attach_transactions(
        self,
        inputs: Sequence[AttachInput],
        *,
        policy: ErrorPolicy = ErrorPolicy.REJECT_BATCH,
        actor: str | None = None,
        session: Session | None = None,
    ) -> list[RowResult]:
        """Attach anonymous transactions; see `crmkit.attaching.attach_transactions`."""

        def work(writing: Session) -> list[RowResult]:
            now = self.clock.now()
            return attach_transactions(
                writing, self.registry, inputs, now=now, policy=policy, actor=actor
            )

        return self.write(work, session=session)

    def run_job(self, name: str) -> int:
        """Run a job of a plugin, step by step, until nothing is left to do.

        Each step is a write of its own, so others write in between, and what is done stays done
        if the job is interrupted.

        Returns:
            How much it found to do, in all.

        Raises:
            UnknownJob: no plugin that is on has a job of that name.
        """
        job, now = job_named(self.registry.jobs, name), self.clock.now()
        run = JobRun(now, now.astimezone(self.settings.zone).date())
        total = 0
        while done := self.write(lambda session: job.step(session, run)):
            total += done
        return total

    def authenticate(self, token: str) -> Actor | None:
        """Return who bears a token, or None if it is not good."""
        with self.read() as session:
            return access.authenticate(session, self.roles, token, now=self.clock.now())


def _lost_race(error: BaseException) -> bool:
    """Tell whether another writer came first, so that trying again will find its rows."""
    if isinstance(error, HookFailed) and error.__cause__ is not None:
        error = error.__cause__  # plugins write in the same database transaction
    return getattr(getattr(error, "orig", None), "sqlstate", None) in _LOST_RACES
