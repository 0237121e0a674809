"""Rows that Python code asks for by their ids: all of them, of whatever types, in one statement."""

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import GraphQLObjectType
from sqlalchemy.exc import DBAPIError
from strawberry import Info
from strawberry.types.base import get_object_definition

from crmkit_schema.conditions import source_of
from crmkit_schema.engine.keyed_rows import KeyedField, rows_by_key
from crmkit_schema.engine.running import Readable, Run, nodes_of
from crmkit_schema.engine.selecting import Selecting
from crmkit_schema.engine.uncovered import Uncovered, Unready
from crmkit_schema.selections import Selected
from crmkit_schema.sources import Related

Wanted = Mapping[type, Sequence[Any]]
Found = dict[tuple[type, Any], Any]


class NodeRows:
    """Reads rows for one root field, with everything that is selected below it."""

    def __init__(self, selecting: Selecting, selected: Selected) -> None:
        self._selecting, self._selected = selecting, selected
        self._nodes = nodes_of([each.node for each in selected.details])
        self._plans: dict[tuple[str, ...], Readable] = {}

    def read(self, run: Run, info: Info[Any, Any], wanted: Wanted) -> Found | None:
        """Return an object for each row, by its type and stored id; None if no statement can."""
        if nodes_of(info._raw_info.field_nodes) != self._nodes:
            return None
        try:
            fields = [self._field(cls) for cls in wanted]
            rows = [
                tuple(id_ if each is cls else None for each in wanted)
                for cls, ids in wanted.items()
                for id_ in ids
            ]
            own = run.within(info.context)
            data = rows_by_key(self._plans, self._selecting, fields, rows, own)
            run.has_failed |= own.has_failed
        except (Uncovered, Unready):
            return None
        except DBAPIError as error:
            # Lost while it lay idle; sessions try their connections before, so they go on.
            if not error.connection_invalidated:
                raise
            return None
        names = iter(data)
        found: Found = {}
        for (cls, ids), field in zip(wanted.items(), fields, strict=True):
            for id_ in ids:
                row = next(names)[field.key]
                if row is not None:
                    made: Any = object.__new__(cls)
                    run.loaded[id(made)] = (made, self._nodes, row)
                    found[cls, id_] = made
        return found

    def _field(self, cls: type) -> KeyedField:
        name = get_object_definition(cls, strict=True).name
        type_ = self._selecting.schema.get_type(name)
        if not isinstance(type_, GraphQLObjectType):
            raise Uncovered(f"{name} is no object type")
        choice = self._selecting.below(self._selected, type_)
        source = Related(parent=name, child="id")
        return KeyedField(name, self._selected, source, cls, name, source_of(cls).c.id.type, choice)
