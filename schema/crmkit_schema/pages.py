"""Reading the pages of one connection field, for all parents of a level together."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from crmkit_schema.conditions import condition, sort_key
from crmkit_schema.connections import Connection, Edge, Page, PageInfo, read_page
from crmkit_schema.cursors import python_type, write_cursor
from crmkit_schema.levels import level_of, objects_of, want
from crmkit_schema.selections import Selected, Selection
from crmkit_schema.sources import Connected
from crmkit_schema.specs import order_of
from crmkit_schema.statements import KEY, by_parent

if TYPE_CHECKING:
    from crmkit_schema.fetching import Fetch

Row = Mapping[str, Any]


class PageReader:
    """Reads one page for each parent.

    Raises:
        GraphQLError: the arguments are wrong, or the caller may not see what they name.
    """

    def __init__(self, fetch: "Fetch", cls: type, source: Connected, selected: Selected) -> None:
        self._fetch, self._cls, self._source = fetch, cls, source
        self._selection = fetch.operation.below(selected)
        arguments = fetch.operation.arguments(selected)
        self._level = level_of(cls)
        self._order_name = self._sort(arguments.get("orderBy"))
        if source.where is not None:
            self._level.conditions.append(source.where(self._level.rows))
        if arguments.get("filter"):
            self._filter(arguments["filter"])
        types = [python_type(each.type) for each, _ in self._level.order]
        self._page: Page = read_page(arguments, self._order_name, types)

    def read(self, keys: Sequence[Any]) -> dict[Any, Connection[Any]]:
        """Return the page of each parent's key; at the root, of the key None."""
        counts = self._counts(keys)
        rows = self._rows(keys)
        pages: dict[Any, Connection[Any]] = {}
        shown: dict[Any, list[Row]] = {}
        for key in keys:
            own = rows.get(key, [])
            more = len(own) > self._page.size
            own = own[: self._page.size]
            shown[key] = own[::-1] if self._page.backwards else own
            pages[key] = self._connection(shown[key], more, counts.get(key, 0))
        self._fill(pages, shown)
        return pages

    def empty(self) -> Connection[Any]:
        """Return the page of a parent that has no key, and therefore no rows."""
        page = self._connection([], False, 0)
        self._fill({None: page}, {None: []})
        return page

    def _sort(self, given: Mapping[str, Any] | None) -> str:
        """Put the level in order and return the order's name, which cursors carry."""
        level, name = self._level, self._cls.__name__
        if given is None:
            level.sort_by(order_of(self._cls))
            return name
        path, direction = _value(given["field"]), _value(given["direction"])
        down = direction == "desc"
        context, composition = self._fetch.context, self._fetch.composition
        key = sort_key(composition, self._cls, level.rows, path, context)
        level.order.append((key, down))
        level.sort_by([("-" if down else "") + order_of(self._cls)[-1].lstrip("-")])
        return f"{name} {path} {direction}"

    def _filter(self, given: Mapping[str, Any]) -> None:
        context, composition = self._fetch.context, self._fetch.composition
        meant = condition(composition, self._cls, self._level.rows, given, context)
        self._level.conditions.append(meant)

    def _counts(self, keys: Sequence[Any]) -> dict[Any, int]:
        if not any(self._selection.named("totalCount")):
            return {}
        child = self._source.child
        rows = self._fetch.context.rows(self._level.count(child, keys))
        return {row[KEY] if child else None: row["n"] for row in rows}

    def _rows(self, keys: Sequence[Any]) -> dict[Any, list[Row]]:
        """Return one row more than the page holds, for each parent, to tell whether it ends."""
        level, page, child = self._level, self._page, self._source.child
        wanted = [self._selection.named(name) for name in ("nodes", "edges", "pageInfo")]
        if not any(any(some) for some in wanted):
            return {}
        for selection in self._node_selections():
            want(level, selection, self._fetch.context.allows)
        for position, (expression, _) in enumerate(level.order):
            level.columns[f"_place{position}"] = expression
        context, size, backwards = self._fetch.context, page.size + 1, page.backwards
        if page.place is not None:
            dialect = context.crm.database.writer.dialect
            level.start_behind(page.place, dialect, backwards=backwards)
        if child is None:
            return {None: context.rows(level.all(size, backwards=backwards))}
        return by_parent(
            context.rows(level.below(child, keys, size, context.rows_max, backwards=backwards))
        )

    def _node_selections(self) -> list[Selection]:
        """Return every selection of nodes: below `nodes`, and below `node` of `edges`."""
        below = self._fetch.operation.below
        found = [below(nodes) for nodes in self._selection.named("nodes")]
        for edges in self._selection.named("edges"):
            found += [below(node) for node in below(edges).named("node")]
        return found

    def _connection(self, rows: Sequence[Row], more: bool, count: int) -> Connection[Any]:
        made: Connection[Any] = object.__new__(Connection)
        page, placed = self._page, self._page.place is not None
        info = PageInfo(
            has_next_page=placed if page.backwards else more,
            has_previous_page=more if page.backwards else placed,
            start_cursor=self._cursor(rows[0]) if rows else None,
            end_cursor=self._cursor(rows[-1]) if rows else None,
        )
        for each in self._selection.named("pageInfo"):
            self._fetch.kept(made)[each.key] = info
        for each in self._selection.named("totalCount"):
            self._fetch.kept(made)[each.key] = count
        return made

    def _cursor(self, row: Row) -> str:
        place = [row[f"_place{position}"] for position in range(len(self._level.order))]
        return write_cursor(place, self._order_name)

    def _fill(self, pages: Mapping[Any, Connection[Any]], rows: dict[Any, list[Row]]) -> None:
        """Put nodes and edges on the pages, each selection with objects of its own."""
        for selected in self._selection.named("nodes"):
            nodes = self._nodes(rows, selected)
            for key, page in pages.items():
                self._fetch.kept(page)[selected.key] = nodes[key]
        for selected in self._selection.named("edges"):
            edges = self._edges(rows, self._fetch.operation.below(selected))
            for key, page in pages.items():
                self._fetch.kept(page)[selected.key] = edges[key]

    def _edges(self, rows: dict[Any, list[Row]], selection: Selection) -> dict[Any, list[Any]]:
        made = {key: [self._edge(row, selection) for row in some] for key, some in rows.items()}
        for selected in selection.named("node"):
            nodes = self._nodes(rows, selected)
            for key, edges in made.items():
                for edge, node in zip(edges, nodes[key], strict=True):
                    self._fetch.kept(edge)[selected.key] = node
        return made

    def _edge(self, row: Row, selection: Selection) -> Edge[Any]:
        made: Edge[Any] = object.__new__(Edge)
        for each in selection.named("cursor"):
            self._fetch.kept(made)[each.key] = self._cursor(row)
        return made

    def _nodes(self, rows: dict[Any, list[Row]], selected: Selected) -> dict[Any, list[Any]]:
        made = {key: objects_of(self._cls, some) for key, some in rows.items()}
        flat = [each for some in made.values() for each in some]
        self._fetch.expand(flat, self._fetch.operation.below(selected))
        return made


def _value(given: Any) -> Any:
    return given.value if isinstance(given, Enum) else given
