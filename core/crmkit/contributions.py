"""What plugins hand to crmkit through `register_*` hooks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select
from sqlmodel import Session, SQLModel


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of a plugin's tables, as functions; for plugins that are a single file.

    Attributes:
        revision: name of the step, unique inside the plugin; steps run in list order.
        upgrade: called with Alembic's `op`, makes the change.
        downgrade: called with Alembic's `op`, takes it back.
    """

    revision: str
    upgrade: Callable[[Any], None]
    downgrade: Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class InteractionKind:
    """A kind of interaction that may be recorded.

    Attributes:
        name: lower-case word, such as `complaint`.
        description: one sentence.
        payload_keys: keys the payload may have; None allows any.
        has_rating: whether a rating is allowed.
    """

    name: str
    description: str
    payload_keys: frozenset[str] | None = frozenset()
    has_rating: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """One stored row that is not what the facts give.

    Attributes:
        table: name of the derived table.
        key: the row's key, as text.
        stored: the row as stored; None if it is missing.
        expected: the row as the facts give it; None if it should not be there.
    """

    table: str
    key: str
    stored: Mapping[str, Any] | None
    expected: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Rebuilder:
    """How a plugin's derived rows follow from facts.

    Attributes:
        name: what is rebuilt, such as `metrics`.
        check: returns every difference between what is stored and what facts give; reads only.
        rebuild: makes the stored rows what the facts give, and returns how many it wrote.
    """

    name: str
    check: Callable[[Session], Sequence[Difference]]
    rebuild: Callable[[Session], int]


Daily = Callable[[], Select[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Metric:
    """An amount per customer and business day; its value over some days is the sum of theirs.

    Whoever uses a metric sums it over the days it wants, so that any window, and any day in the
    past, costs no further table.

    Attributes:
        name: `<plugin>.<what>`, such as `core.net_spend`.
        unit: what is counted, in the plural, such as `sales`; for money, `money`.
        description: one sentence.
        daily: selects the columns `customer_id`, `business_on`, `currency` (null where there is
            none) and `value`, an integer. The first two must be columns that a condition can be
            put on. A customer's day may have more than one row.
        digits: how many of the value's digits are decimals; None for those of the currency.
        without_returns: the same as `daily`, had nothing been given back; None if a return
            changes nothing.
    """

    name: str
    unit: str
    description: str
    daily: Daily
    digits: int | None = 0
    without_returns: Daily | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A function that a plugin offers to the others, who need not know whose it is.

    Attributes:
        name: `<plugin>.<what>`, such as `tiers.multiplier`.
        version: grows when callers have to change; both may be offered for a while.
        description: what it takes and gives.
        call: the function itself.
    """

    name: str
    version: int
    description: str
    call: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Services:
    """What the plugins that are on offer to each other."""

    offered: Mapping[tuple[str, int], Service] = field(default_factory=dict)

    def find(self, name: str, version: int) -> Callable[..., Any] | None:
        """Return a service's function, or None if nobody offers it: do without it then."""
        service = self.offered.get((name, version))
        return service.call if service else None


@dataclass(frozen=True, slots=True)
class SchemaContribution:
    """What a plugin adds to the GraphQL schema.

    Attributes:
        queries: classes whose fields become root query fields.
        mutations: classes whose fields become root mutations.
        subscriptions: classes whose fields become root subscriptions.
        extends: for each GraphQL type of somebody else, a class whose fields are added to it.
        types: object types nobody's field mentions, such as further members of an interface.
    """

    queries: Sequence[type] = ()
    mutations: Sequence[type] = ()
    subscriptions: Sequence[type] = ()
    extends: Mapping[str, type] = field(default_factory=dict)
    types: Sequence[type] = ()


Models = Sequence[type[SQLModel]]
