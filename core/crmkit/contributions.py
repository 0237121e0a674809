"""What plugins hand to crmkit through `register_*` hooks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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
