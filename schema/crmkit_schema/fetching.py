"""Fetching a query level by level: one statement per relation, however many rows.

The field that graphql-core resolves first at the root looks ahead at everything selected below
it. Each level's rows are fetched together, computed fields are called once per level, and what was
found is kept on the objects; the fields below then only pick it up.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, GraphQLResolveInfo
from sqlalchemy import literal
from strawberry.utils.str_converters import to_camel_case

from crmkit.errors import Refused
from crmkit_schema.declarations import CrmField
from crmkit_schema.expansion import expand, expand_values
from crmkit_schema.levels import Failure, decode, embed, level_of, objects_of, want
from crmkit_schema.methods import called, computed
from crmkit_schema.pages import PageReader
from crmkit_schema.problems import as_problem
from crmkit_schema.selections import Nodes, Operation, Selected, Selection
from crmkit_schema.sources import (
    Announced,
    Connected,
    Embedded,
    Found,
    Held,
    Key,
    Mapped,
    Mutated,
    Resolved,
)
from crmkit_schema.specs import order_of, permission_of
from crmkit_schema.statements import by_parent
from crmkit_schema.values import bad_input

if TYPE_CHECKING:
    from crmkit_schema.context import RequestContext


class Fetch:
    """Fetches rows for one operation.

    Attributes:
        context: the request's.
        operation: what is being executed.
        composition: what the schema is made of.
    """

    def __init__(self, context: "RequestContext", info: GraphQLResolveInfo[Any]) -> None:
        self.context = context
        self.operation = Operation(info, context.is_production)
        self.composition = context.schema.composition
        self._kept: dict[int, tuple[Any, dict[Nodes, Any]]] = {}

    def kept(self, of: Any) -> dict[Nodes, Any]:
        """Return what was fetched for an object so far, by selection.

        It is kept here and not on the object, which may be a plugin's own and outlive the request.
        """
        return self._kept.setdefault(id(of), (of, {}))[1]

    def value(
        self,
        declared: CrmField,
        parent: Any,
        info: GraphQLResolveInfo[Any],
        args: list[Any],
        kwargs: dict[str, Any],
    ) -> Any:
        """Return the value of the field being resolved."""
        source = declared.source
        if isinstance(source, Mapped):
            return decode(declared, source, parent)
        if isinstance(source, Embedded):
            return embed(source, parent)
        selected = self.operation.resolving(info)
        if isinstance(source, Held):
            return self._held(declared, parent, selected, args, kwargs)
        if isinstance(source, Resolved):
            return self._expanded(computed(declared, self.context, args, kwargs), selected)
        if isinstance(source, Mutated):
            return self._mutated(declared, source, selected, args, kwargs)
        if isinstance(source, Announced):
            return self._announced(declared, info)
        return self._fetched(declared, parent, selected)

    def expand(self, objects: Sequence[Any], selection: Selection) -> None:
        """Fetch everything selected below objects of one type."""
        expand(self, objects, selection)

    def nodes(self, info: GraphQLResolveInfo[Any], cls: type, ids: Sequence[Any]) -> dict[Any, Any]:
        """Return objects of one type by their stored ids, with what is selected of them.

        Raises:
            GraphQLError: the caller may not see objects of that type.
        """
        self.context.require([permission_of(cls)])
        object_type = self.operation.object_type(cls)
        selection = self.operation.below(self.operation.resolving(info), object_type)
        level = level_of(cls)
        want(level, selection, self.context.allows)
        rows = by_parent(self.context.rows(level.below("id", ids, None, self.context.rows_max)))
        objects = {key: objects_of(cls, some)[0] for key, some in rows.items()}
        self.expand(list(objects.values()), selection)
        return objects

    def _fetched(self, declared: CrmField, parent: Any, selected: Selected) -> Any:
        """Return what was fetched with the parent's level; at the root, fetch it now."""
        source = declared.source
        if parent is None and isinstance(source, Found):
            return self._found(declared, source, selected)
        if parent is None and isinstance(source, Connected):
            cls = self.composition.target(declared)
            return PageReader(self, cls, source, selected).read([None])[None]
        if selected.key not in self.kept(parent):
            object_type = self.operation.object_type(type(parent))
            if object_type is None:
                raise TypeError(f"{type(parent).__name__} is no object type of this schema")
            self.expand([parent], Selection(object_type, (selected,)))
        found = self.kept(parent)[selected.key]
        if isinstance(found, Failure):
            raise found.error
        return found

    def _held(
        self,
        declared: CrmField,
        parent: Any,
        selected: Selected,
        args: list[Any],
        kwargs: dict[str, Any],
    ) -> Any:
        if declared.base_resolver is None:
            return getattr(parent, declared.python_name)
        return self._expanded(computed(declared, self.context, args, kwargs), selected)

    def _mutated(
        self,
        declared: CrmField,
        source: Mutated,
        selected: Selected,
        args: list[Any],
        kwargs: dict[str, Any],
    ) -> Any:
        written = self.context.written
        try:
            answer = (
                written[selected.key] if selected.key in written else called(declared, args, kwargs)
            )
        except Refused as error:
            return as_problem(error, source.members)
        with self.context.snapshot():
            return self._expanded(answer, selected)

    def _announced(self, declared: CrmField, info: GraphQLResolveInfo[Any]) -> Any:
        """Return the row that is being delivered; None if it is gone."""
        row_id = self.context.announced
        if row_id is None:
            raise GraphQLError(
                "subscribe over a WebSocket, or accept text/event-stream",
                extensions={"code": "SUBSCRIPTION_NOT_STREAMED"},
            )
        return self.nodes(info, self.composition.target(declared), [row_id]).get(row_id)

    def _expanded(self, answer: Any, selected: Selected) -> Any:
        expand_values(self, [answer], selected)
        return answer

    def _found(self, declared: CrmField, source: Found, selected: Selected) -> Any:
        key, value = self._chosen(source, selected)
        coerced = key.coerce(value, self.context)
        if coerced is None:
            return None
        cls, selection = self.composition.target(declared), self.operation.below(selected)
        level = level_of(cls)
        want(level, selection, self.context.allows)
        level.conditions.append(key.where(level.rows, _bound(coerced)))
        level.sort_by([order_of(cls)[-1].lstrip("-")])
        objects = objects_of(cls, self.context.rows(level.all(1)))
        self.expand(objects, selection)
        return next(iter(objects), None)

    def _chosen(self, source: Found, selected: Selected) -> tuple[Key, Any]:
        """Return the one key that was given, with its value."""
        given = {n: v for n, v in self.operation.arguments(selected).items() if v is not None}
        if len(given) != 1:
            raise bad_input(f"give exactly one of: {', '.join(selected.field.args)}")
        name, value = next(iter(given.items()))
        keys = {to_camel_case(python_name): key for python_name, key in source.by.items()}
        return keys[name], value


def _bound(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: literal(each) for name, each in value.items()}
    return literal(value)
