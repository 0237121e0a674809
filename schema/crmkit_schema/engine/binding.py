"""The values of a statement's parameters, made anew for each request."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from sqlalchemy import BindParameter, Compiled, bindparam
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeEngine

from crmkit_schema.context import RequestContext
from crmkit_schema.engine.tags import Path, path_of, read_path

REQUEST_VALUES = ("request_home_currency", "request_today", "request_now")


@dataclass(slots=True)
class Given:
    """What one request brings to a plan.

    Attributes:
        variables: coerced values by name.
        memo: what several parameters share, such as a cursor that was read.
        keys: what Python gave to find rows by, one tuple for each of its objects.
    """

    variables: Mapping[str, Any]
    context: RequestContext
    memo: dict[Any, Any] = field(default_factory=dict)
    keys: Sequence[tuple[Any, ...]] = ()

    def keyed(self, keys: Sequence[tuple[Any, ...]]) -> "Given":
        """Return the same with keys."""
        return Given(self.variables, self.context, self.memo, keys)

    def shared(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what was made under a key, making it at most once."""
        if key not in self.memo:
            self.memo[key] = make()
        return self.memo[key]


Read = Callable[[Given], Any]


class Slot:
    """Stands for a value that every request brings itself."""

    def __init__(self, read: Read) -> None:
        self.read = read


def slot(read: Read, type_: TypeEngine[Any] | None = None) -> BindParameter[Any]:
    """Return a parameter whose value is read from each request."""
    return bindparam("given", Slot(read), type_=type_, unique=True)


def reader(value: Any) -> Read:
    """Return what reads an argument from each request, wherever its parts come from."""
    path = path_of(value)
    if path is not None:
        return _at(path)
    if isinstance(value, Mapping):
        parts = {name: reader(each) for name, each in value.items()}
        return lambda given: {name: read(given) for name, read in parts.items()}
    return lambda _given: value


@dataclass(frozen=True, slots=True)
class Binder:
    """Makes all parameters of one statement.

    Attributes:
        names: for drivers that take parameters by name; None for those that take them in order.
    """

    constants: Sequence[Any]
    readers: Sequence[tuple[int, Read, Callable[[Any], Any] | None]]
    names: Sequence[str] | None

    def values(self, given: Given) -> Any:
        """Return the parameters of a request, as the driver takes them."""
        values = list(self.constants)
        for position, read, process in self.readers:
            value = read(given)
            values[position] = value if process is None else process(value)
        if self.names is None:
            return tuple(values)
        return dict(zip(self.names, values, strict=True))


def binder_of(compiled: Compiled, dialect: Dialect) -> tuple[str, Binder]:
    """Return a compiled statement's final text and what binds its parameters."""
    dummies = {name: Slot(_request_value(name)) for name in REQUEST_VALUES}
    state = compiled.construct_expanded_state(dummies, escape_names=True)  # type: ignore[attr-defined]

    def processor(name: str) -> Callable[[Any], Any] | None:
        bind = compiled.binds.get(name)  # type: ignore[attr-defined]
        return None if bind is None else bind.type.dialect_impl(dialect).bind_processor(dialect)

    names = state.positiontup if dialect.positional else list(state.parameters)
    constants: list[Any] = []
    readers: list[tuple[int, Read, Callable[[Any], Any] | None]] = []
    for position, name in enumerate(names):
        value = state.parameters[name]
        process = state.processors.get(name) or processor(name)
        read = value.read if isinstance(value, Slot) else None
        path = path_of(value)
        if read is None and path is not None:
            read = _at(path)
        if read is not None:
            readers.append((position, read, process))
            value = None
        elif process is not None:
            value = process(value)
        constants.append(value)
    return state.statement, Binder(constants, readers, None if dialect.positional else names)


def _at(path: Path) -> Read:
    if len(path) == 1:
        pick = itemgetter(path[0])
        return lambda given: pick(given.variables)
    return lambda given: read_path(given.variables, path)


def _request_value(name: str) -> Read:
    if name == "request_home_currency":
        return lambda given: given.context.crm.settings.currency
    if name == "request_today":
        return lambda given: given.context.today
    return lambda given: given.context.now
