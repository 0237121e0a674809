"""Fetching a query level by level: one statement per relation, however many rows.

The field that graphql-core resolves first at the root looks ahead at everything selected below
it. Each level's rows are fetched together, computed fields are called once per level, and what was
found is kept on the objects under the response key; the fields below then only pick it up.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    get_named_type,
)
from graphql.execution.collect_fields import (
    FieldDetails,
    FragmentDetails,
    collect_subfields,
)
from graphql.execution.values import get_argument_values
from strawberry.types.base import StrawberryList, StrawberryOptional

from crmkit.errors import Refused
from crmkit_schema.connections import Connection, Edge, Page, PageInfo, read_page, write_cursor
from crmkit_schema.context import RequestContext
from crmkit_schema.declarations import (
    Computed,
    Connected,
    CrmField,
    Embedded,
    Failure,
    Found,
    Given,
    Mapped,
    Mutated,
    Related,
    Resolved,
)
from crmkit_schema.filters import column_of
from crmkit_schema.problems import as_problem
from crmkit_schema.specs import TypeSpec, spec_of
from crmkit_schema.statements import KEY, Level, by_parent
from crmkit_schema.values import bad_input

_BACKREF = "strawberry-definition"
_FETCHED = "_crmkit_fetched"

Selection = dict[str, list[FieldDetails]]


class Fetch:
    """Fetches rows for one operation."""

    def __init__(self, context: RequestContext, info: GraphQLResolveInfo) -> None:
        self.context = context
        self.operation = info.operation
        self.info = info
        self._fragments = {name: FragmentDetails(each) for name, each in info.fragments.items()}
        self._composition = context.schema.composition

    def at(self, info: GraphQLResolveInfo) -> "Fetch":
        """Move to the field that is being resolved."""
        self.info = info
        return self

    def value(self, declared: CrmField, parent: Any, args: list[Any], kwargs: Any) -> Any:
        """Return the value of the field being resolved."""
        source = declared.source
        if isinstance(source, Mapped):
            return decode(source, vars(parent)[label_of(declared)])
        if isinstance(source, Embedded):
            return embed(source, parent)
        if isinstance(source, Resolved):
            return self._expanded(declared.base_resolver(*args, **kwargs))  # type: ignore[misc]
        if isinstance(source, Mutated):
            return self._mutated(declared, source, args, kwargs)
        key = self.info.path.key
        if parent is None:
            return self._root(declared)
        fetched = vars(parent).setdefault(_FETCHED, {})
        if key not in fetched:
            self._expand(self.info.parent_type, [parent], {str(key): self._details()})
        found = fetched[key]
        if isinstance(found, Failure):
            raise found.error
        return found

    # -- the root ---------------------------------------------------------------------------

    def _details(self) -> list[FieldDetails]:
        return [FieldDetails(node, None) for node in self.info.field_nodes]

    def _field(self) -> GraphQLField:
        return self.info.parent_type.fields[self.info.field_name]

    def _root(self, declared: CrmField) -> Any:
        source, field = declared.source, self._field()
        arguments = self._arguments(field, self._details())
        if isinstance(source, Found):
            return self._found(declared, source, field, arguments)
        if isinstance(source, Connected):
            pages = self._pages(declared, source, field, [None], self._details(), arguments)
            return pages[None]
        raise TypeError(f"a root field cannot be {type(source).__name__.lower()}")

    def _mutated(self, declared: CrmField, source: Mutated, args: list[Any], kwargs: Any) -> Any:
        try:
            answer = declared.base_resolver(*args, **kwargs)  # type: ignore[misc]
        except Refused as error:
            return as_problem(error, source.members)
        return self._expanded(answer)

    def _expanded(self, answer: Any) -> Any:
        """Fetch what is selected below objects that Python code returned."""
        objects = [each for each in (answer if isinstance(answer, list) else [answer]) if each]
        for cls in dict.fromkeys(type(each) for each in objects):
            name = getattr(getattr(cls, "__strawberry_definition__", None), "name", None)
            object_type = self.info.schema.type_map.get(name) if name else None
            if isinstance(object_type, GraphQLObjectType):
                same = [each for each in objects if type(each) is cls]
                self._expand(object_type, same, self._select(object_type, self._details()))
        return answer

    def _found(
        self, declared: CrmField, source: Found, field: GraphQLField, arguments: dict[str, Any]
    ) -> Any:
        chosen = {name: value for name, value in arguments.items() if value is not None}
        if len(chosen) != 1:
            raise bad_input(f"give exactly one of: {', '.join(field.args)}")
        given, value = next(iter(chosen.items()))
        name = next(n for n, a in field.args.items() if n == given)
        key = source.by[_python_name(source.by, name)]
        coerced = key.coerce(value, self.context)
        if coerced is None:
            return None
        cls = self._composition.target(declared)
        level, selection, object_type = self._level(cls, field, self._details())
        level.conditions.append(key.where(level.rows, _bind(coerced)))
        level.sort_by(_spec(cls).order[-1:])
        rows = self.context.rows(level.statement(None, (), 1))
        objects = self._objects(cls, rows)
        self._expand(object_type, objects, selection)
        return objects[0] if objects else None

    def nodes(self, cls: type, ids: Sequence[Any]) -> dict[Any, Any]:
        """Return objects of one type by their stored ids, with what is selected of them."""
        if not self.context.allows([_spec(cls).permission]):
            self.context.require([_spec(cls).permission])
        object_type = self.info.schema.type_map[cls.__strawberry_definition__.name]  # type: ignore[attr-defined]
        assert isinstance(object_type, GraphQLObjectType)  # noqa: S101 rows are of object types
        selection = self._select(object_type, self._details())
        level = self._wanted(cls, object_type, selection)
        rows = by_parent(self.context.rows(level.statement("id", ids, None)))
        objects = {key: self._objects(cls, some)[0] for key, some in rows.items()}
        self._expand(object_type, list(objects.values()), selection)
        return objects

    # -- what is selected -------------------------------------------------------------------

    def _select(self, object_type: GraphQLObjectType, details: list[FieldDetails]) -> Selection:
        return collect_subfields(
            self.info.schema,
            self._fragments,
            self.info.variable_values,
            self.operation,
            object_type,
            details,
        ).grouped_field_set

    def _arguments(self, field: GraphQLField, details: list[FieldDetails]) -> dict[str, Any]:
        return get_argument_values(field, details[0].node, self.info.variable_values)

    def _level(
        self, cls: type, field: GraphQLField, details: list[FieldDetails]
    ) -> tuple[Level, Selection, GraphQLObjectType]:
        object_type = get_named_type(field.type)
        assert isinstance(object_type, GraphQLObjectType)  # noqa: S101 rows are of object types
        selection = self._select(object_type, details)
        return self._wanted(cls, object_type, selection), selection, object_type

    def _wanted(self, cls: type, object_type: GraphQLObjectType, selection: Selection) -> Level:
        """Return a level that asks for the columns a selection needs, and no others."""
        spec = _spec(cls)
        assert spec.source is not None  # noqa: S101 checked when the schema was composed
        level = Level(spec.source.alias())
        self._want(level, object_type, selection)
        return level

    def _want(self, level: Level, object_type: GraphQLObjectType, selection: Selection) -> None:
        for declared in self._declared(object_type, selection):
            source = declared.source
            if isinstance(source, Mapped):
                level.columns[label_of(declared)] = column_of(declared, level.rows)
            elif isinstance(source, Embedded):
                level.want(source.columns.values())
            elif isinstance(source, Related | Connected):
                level.want([source.parent])
            elif isinstance(source, Computed):
                level.want(source.needs)
            elif isinstance(source, Resolved):
                level.want(level.rows.c.keys())

    def _declared(self, object_type: GraphQLObjectType, selection: Selection) -> list[CrmField]:
        found = []
        for details in selection.values():
            field = object_type.fields.get(details[0].node.name.value)
            declared = field.extensions.get(_BACKREF) if field else None
            if isinstance(declared, CrmField) and self.context.allows(declared.needed):
                found.append(declared)
        return found

    def _objects(self, cls: type, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        objects = []
        for row in rows:
            made = cls.__new__(cls)
            vars(made).update(row)
            vars(made)[_FETCHED] = {}
            objects.append(made)
        return objects

    # -- below the root ---------------------------------------------------------------------

    def _expand(
        self, object_type: GraphQLObjectType, objects: Sequence[Any], selection: Selection
    ) -> None:
        """Fetch everything selected below objects of one type."""
        if not objects:
            return
        for key, details in selection.items():
            field = object_type.fields.get(details[0].node.name.value)
            if field is None:
                continue
            declared = field.extensions.get(_BACKREF)
            if not isinstance(declared, CrmField):
                self._expand_plain(declared, field, objects, details)
            elif self.context.allows(declared.needed):
                self._expand_field(key, declared, field, objects, details)

    def _expand_plain(
        self,
        declared: Any,
        field: GraphQLField,
        objects: Sequence[Any],
        details: list[FieldDetails],
    ) -> None:
        """Go on below values that the objects hold as attributes."""
        object_type = get_named_type(field.type)
        if not isinstance(object_type, GraphQLObjectType) or declared.base_resolver is not None:
            return
        held = [getattr(each, declared.python_name) for each in objects]
        flat = [x for each in held for x in (each if isinstance(each, list) else [each]) if x]
        self._expand(object_type, flat, self._select(object_type, details))

    def _expand_field(
        self,
        key: str,
        declared: CrmField,
        field: GraphQLField,
        objects: Sequence[Any],
        details: list[FieldDetails],
    ) -> None:
        source = declared.source
        try:
            if isinstance(source, Related):
                values = self._related(declared, source, field, objects, details)
            elif isinstance(source, Connected):
                keys = _keys(objects, source.parent)
                arguments = self._arguments(field, details)
                pages = self._pages(declared, source, field, keys, details, arguments)
                values = [pages.get(vars(each)[source.parent]) for each in objects]
            elif isinstance(source, Computed):
                values = self._computed(declared, source, field, objects, details)
            else:
                return
        except Exception as error:  # the field's own error must not become its siblings'
            values = [Failure(error)] * len(objects)
        for each, value in zip(objects, values, strict=True):
            vars(each).setdefault(_FETCHED, {})[key] = value

    def _computed(
        self,
        declared: CrmField,
        source: Computed,
        field: GraphQLField,
        objects: Sequence[Any],
        details: list[FieldDetails],
    ) -> Sequence[Any]:
        given = self._arguments(field, details)
        names = {argument: each.python_name for argument, each in _argument_names(declared).items()}
        arguments = {names[name]: value for name, value in given.items()}
        values = source.function(objects, self.context, **arguments)
        if len(values) != len(objects):
            raise TypeError(
                f"{declared.python_name} gave {len(values)} values for {len(objects)} parents"
            )
        return values

    def _related(
        self,
        declared: CrmField,
        source: Related,
        field: GraphQLField,
        objects: Sequence[Any],
        details: list[FieldDetails],
    ) -> list[Any]:
        cls = self._composition.target(declared)
        keys = _keys(objects, source.parent)
        many = _is_list(declared.type)
        found: dict[Any, list[Any]] = {}
        if keys:
            level, selection, object_type = self._level(cls, field, details)
            if source.where is not None:
                level.conditions.append(source.where(level.rows))
            level.sort_by(source.order or _spec(cls).order)
            limit = source.limit if many else (1 if len(keys) == 1 else None)
            rows = self.context.rows(level.statement(source.child, keys, limit))
            objects_ = self._objects(cls, rows)
            self._expand(object_type, objects_, selection)
            for row, made in zip(rows, objects_, strict=True):
                found.setdefault(row[KEY], []).append(made)
        if many:
            return [found.get(_attribute(each, source.parent), []) for each in objects]
        return [
            next(iter(found.get(_attribute(each, source.parent), ())), None) for each in objects
        ]

    # -- connections ------------------------------------------------------------------------

    def _pages(
        self,
        declared: CrmField,
        source: Connected,
        field: GraphQLField,
        keys: Sequence[Any],
        details: list[FieldDetails],
        arguments: dict[str, Any],
    ) -> dict[Any, Any]:
        """Return one page per parent key; at the root the key is None."""
        cls = self._composition.target(declared)
        page_type = get_named_type(field.type)
        assert isinstance(page_type, GraphQLObjectType)  # noqa: S101 connections are objects
        selection = self._select(page_type, details)
        reader = _PageReader(self, cls, source, page_type, selection, arguments)
        return reader.read(keys)


class _PageReader:
    """Reads the pages of one connection field for all parents of a level."""

    def __init__(
        self,
        fetch: Fetch,
        cls: type,
        source: Connected,
        page_type: GraphQLObjectType,
        selection: Selection,
        arguments: dict[str, Any],
    ) -> None:
        self._fetch, self._cls, self._source = fetch, cls, source
        self._page_type, self._selection = page_type, selection
        spec = _spec(cls)
        assert spec.source is not None  # noqa: S101 checked when the schema was composed
        self._level = Level(spec.source.alias())
        filters, context = fetch._composition.filters, fetch.context
        order = arguments.get("orderBy")
        path = order["field"] if order else ""
        path = getattr(path, "value", path)
        down = bool(order) and getattr(order["direction"], "value", order["direction"]) == "desc"
        self._order_name = f"{path}{'-' if down else '+'}" if order else ""
        if order:
            key = filters.sort_key(cls, self._level.rows, path, context)
            self._level.order.append((key, down))
            self._level.sort_by([("-" if down else "") + spec.order[-1].lstrip("-")])
        else:
            self._level.sort_by(spec.order)
        if source.where is not None:
            self._level.conditions.append(source.where(self._level.rows))
        if arguments.get("filter"):
            condition = filters.condition(cls, self._level.rows, arguments["filter"], context)
            self._level.conditions.append(condition)
        self._page = read_page(arguments, self._order_name)

    def read(self, keys: Sequence[Any]) -> dict[Any, Any]:
        """Return a connection per key."""
        if not keys:
            return {}
        counts = self._counts(keys)
        rows = self._rows(keys)
        pages: dict[Any, Any] = {}
        shown: dict[Any, list[Mapping[str, Any]]] = {}
        for key in keys:
            own = rows.get(key, [])
            more = len(own) > self._page.size
            own = own[: self._page.size]
            shown[key] = own[::-1] if self._page.backwards else own
            pages[key] = self._connection(shown[key], more, counts.get(key, 0))
        self._fill(pages, shown)
        return pages

    def _counts(self, keys: Sequence[Any]) -> dict[Any, int]:
        if not self._keys_of("totalCount"):
            return {}
        child = self._source.child
        rows = self._fetch.context.rows(self._level.count(child, keys))
        return {row[KEY] if child else None: row["n"] for row in rows}

    def _rows(self, keys: Sequence[Any]) -> dict[Any, list[Mapping[str, Any]]]:
        paths = self._node_selections()
        if not paths and not self._keys_of("pageInfo") and not self._keys_of("edges"):
            return {}
        for object_type, selection in paths:
            self._fetch._want(self._level, object_type, selection)
        for position, (expression, _) in enumerate(self._level.order):
            self._level.columns[f"_place{position}"] = expression
        context, page, child = self._fetch.context, self._page, self._source.child
        self._level.start_behind(page, context.crm.database.writer.dialect)
        statement = self._level.statement(child, keys, page.size + 1, page.backwards)
        rows = context.rows(statement)
        return by_parent(rows) if child else {None: rows}

    def _connection(self, rows: Sequence[Mapping[str, Any]], more: bool, count: int) -> Any:
        made = Connection.__new__(Connection)
        page = self._page
        placed = page.place is not None
        info = PageInfo(
            has_next_page=placed if page.backwards else more,
            has_previous_page=more if page.backwards else placed,
            start_cursor=self._cursor(rows[0]) if rows else None,
            end_cursor=self._cursor(rows[-1]) if rows else None,
        )
        fetched = dict.fromkeys(self._keys_of("pageInfo"), info)
        fetched.update(dict.fromkeys(self._keys_of("totalCount"), count))  # type: ignore[arg-type]
        vars(made)[_FETCHED] = fetched
        return made

    def _cursor(self, row: Mapping[str, Any]) -> str:
        place = tuple(row[f"_place{position}"] for position in range(len(self._level.order)))
        return write_cursor(place, self._order_name)

    def _fill(self, pages: dict[Any, Any], rows: dict[Any, list[Mapping[str, Any]]]) -> None:
        """Put nodes and edges on the connections, each selection with objects of its own."""
        fetch = self._fetch
        for key, details in self._selection.items():
            name = details[0].node.name.value
            if name == "nodes":
                nodes = self._nodes(rows, details, self._page_type.fields["nodes"])
                for parent, page in pages.items():
                    vars(page)[_FETCHED][key] = nodes[parent]
            elif name == "edges":
                edge_type = get_named_type(self._page_type.fields["edges"].type)
                assert isinstance(edge_type, GraphQLObjectType)  # noqa: S101 edges are objects
                selection = fetch._select(edge_type, details)
                for parent, page in pages.items():
                    vars(page)[_FETCHED][key] = [self._edge(row, selection) for row in rows[parent]]
                for below, some in selection.items():
                    if some[0].node.name.value == "node":
                        nodes = self._nodes(rows, some, edge_type.fields["node"])
                        for parent, page in pages.items():
                            edges = vars(page)[_FETCHED][key]
                            for edge, node in zip(edges, nodes[parent], strict=True):
                                vars(edge)[_FETCHED][below] = node

    def _edge(self, row: Mapping[str, Any], selection: Selection) -> Any:
        made = Edge.__new__(Edge)
        cursors = [key for key, some in selection.items() if some[0].node.name.value == "cursor"]
        vars(made)[_FETCHED] = dict.fromkeys(cursors, self._cursor(row))
        return made

    def _nodes(
        self,
        rows: dict[Any, list[Mapping[str, Any]]],
        details: list[FieldDetails],
        field: GraphQLField,
    ) -> dict[Any, list[Any]]:
        object_type = get_named_type(field.type)
        assert isinstance(object_type, GraphQLObjectType)  # noqa: S101 nodes are objects
        made = {key: self._fetch._objects(self._cls, some) for key, some in rows.items()}
        flat = [each for some in made.values() for each in some]
        self._fetch._expand(object_type, flat, self._fetch._select(object_type, details))
        return made

    def _node_selections(self) -> list[tuple[GraphQLObjectType, Selection]]:
        """Return every selection of nodes: below `nodes`, and below `node` of `edges`."""
        fetch, found = self._fetch, []
        for details in self._selection.values():
            name = details[0].node.name.value
            field = self._page_type.fields.get(name)
            object_type = get_named_type(field.type) if field else None
            if not isinstance(object_type, GraphQLObjectType):
                continue
            if name == "nodes":
                found.append((object_type, fetch._select(object_type, details)))
            elif name == "edges":
                for some in fetch._select(object_type, details).values():
                    if some[0].node.name.value == "node":
                        node_type = get_named_type(object_type.fields["node"].type)
                        assert isinstance(node_type, GraphQLObjectType)  # noqa: S101
                        found.append((node_type, fetch._select(node_type, some)))
        return found

    def _keys_of(self, name: str) -> list[str]:
        return [key for key, some in self._selection.items() if some[0].node.name.value == name]


def label_of(declared: CrmField) -> str:
    """Return the label under which a mapped field's value stands in its row."""
    source = declared.source
    assert isinstance(source, Mapped)  # noqa: S101 callers ask for mapped fields only
    if source.sql is not None:
        return f"_sql_{declared.python_name}"
    return source.column or declared.python_name


def decode(source: Mapped, value: Any) -> Any:
    """Return a stored value as the field gives it."""
    return value if value is None or source.codec is None else source.codec.decode(value)


def embed(source: Embedded, parent: Any) -> Any:
    """Return a value object made of a row's columns, or None if its first is null."""
    values = {name: vars(parent)[column] for name, column in source.columns.items()}
    return None if next(iter(values.values())) is None else source.build(**values)


def _bind(value: Any) -> Any:
    from sqlalchemy import literal

    return literal(value)


def _attribute(parent: Any, name: str) -> Any:
    return vars(parent)[name]


def _keys(objects: Sequence[Any], name: str) -> list[Any]:
    return list(dict.fromkeys(k for each in objects if (k := _attribute(each, name)) is not None))


def _spec(cls: type) -> TypeSpec:
    spec = spec_of(cls)
    assert spec is not None  # noqa: S101 checked when the schema was composed
    return spec


def _is_list(type_: Any) -> bool:
    if isinstance(type_, StrawberryOptional):
        type_ = type_.of_type
    return isinstance(type_, StrawberryList)


def _argument_names(declared: CrmField) -> dict[str, Any]:
    from strawberry.utils.str_converters import to_camel_case

    return {
        each.graphql_name or to_camel_case(each.python_name): each for each in declared.arguments
    }


def _python_name(names: Mapping[str, Any], graphql_name: str) -> str:
    from strawberry.utils.str_converters import to_camel_case

    return next(name for name in names if to_camel_case(name) == graphql_name)


__all__ = ["Fetch", "Given", "Page"]
