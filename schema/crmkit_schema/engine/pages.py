"""Compiling connections: a page of rows in one pass, with its cursors and its count."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Subquery, case, func, literal_column

from crmkit_schema.declarations import CrmField
from crmkit_schema.engine.codecs import placed
from crmkit_schema.engine.compilation import Around, Compilation, Here, ObjectOf
from crmkit_schema.engine.computed_fields import EACH, Place
from crmkit_schema.engine.json_sql import Expression, Scope
from crmkit_schema.engine.levels import RANK, TOTAL
from crmkit_schema.engine.page_arguments import page_arguments
from crmkit_schema.engine.selecting import Choice
from crmkit_schema.engine.volume import Volume
from crmkit_schema.selections import Selected
from crmkit_schema.sources import Connected

_MORE, _FIRST, _LAST = "more", "first_cursor", "last_cursor"


class PageSql:
    """One connection being compiled; at the root, `around` is None.

    Raises:
        Uncovered: something selected has no SQL form.
        GraphQLError: the arguments are wrong.
    """

    def __init__(
        self,
        made: Compilation,
        around: Around | None,
        declared: CrmField,
        source: Connected,
        place: Place,
        selected: Selected,
        object_of: ObjectOf,
    ) -> None:
        self._made, self._place, self._object_of = made, place, object_of
        self._choice = made.selecting.below(selected)
        self._level = made.level(made.composition.target(declared))
        if around is not None and source.child is not None:
            self._level.tie(source.child, around.rows, source.parent)
        if source.where is not None:
            self._level.level.conditions.append(source.where(self._level.level.rows))
        self._page = page_arguments(made, self._level, made.selecting.arguments(selected))
        self._has = {
            name: [made.selecting.below(each) for each in self._choice.named(name)]
            for name in ("nodes", "edges", "pageInfo")
        }
        self._columns: list[ColumnElement[Any]] = []
        size = self._page.size
        self.volume = Volume(
            lambda given: size(given) + 2, bool(self._has["nodes"] or self._has["edges"])
        )

    def query(self) -> Expression:
        """Return the page as the JSON of a subquery."""
        json, counted = self._made.json, self._level.counted()
        if self._page.is_placed:
            self._page.start()
        gathered = self._gathered()
        scope = json.scope(gathered)
        members: list[tuple[str, Expression]] = []
        for key, selected in self._made.members(self._choice):
            if selected is None:
                members.append((key, json.constant(self._choice.type.name)))
            elif selected.name == "totalCount":
                members.append((key, json.value(counted)))
            elif gathered is None or selected.name == "pageInfo":
                members.append((key, self._info(scope, gathered, selected)))
            else:
                members.append((key, gathered.c[key]))
        return json.subquery(scope.select(scope.object(members).label("r")))

    def _gathered(self) -> Subquery | None:
        """Return one row that holds everything made of the page's rows."""
        if not any(self._has.values()):
            return None
        rows = self._rows()
        scope = self._made.json.scope(rows)
        for key, selected in self._made.members(self._choice):
            if selected is not None and selected.name in ("nodes", "edges"):
                made = self._nodes if selected.name == "nodes" else self._edges
                self._columns.append(made(scope, rows, key, selected).label(key))
        if self._is_ranked():
            self._add_ends(rows)
        columns = self._columns or [func.count().label("rows")]
        gathered: Subquery = scope.select(*columns).subquery(f"g{next(self._made.numbers)}")
        return gathered

    def _rows(self) -> Subquery:
        for each in self._has["nodes"]:
            self._level.want(each)
        for each in self._has["edges"]:
            for node in each.named("node"):
                self._level.want(self._made.selecting.below(node))
        backwards = self._page.backwards
        has_cursors = any(each.named("cursor") for each in self._has["edges"])
        if has_cursors or self._is_ranked() or backwards:
            self._level.place()
        ahead = 1 if self._looks_ahead() else 0
        rows = self._level.rows(self._page.limit(ahead), backwards=backwards)
        if self._is_ranked():
            rows = self._level.ranked(rows, backwards)
        return self._level.turned(rows, self._page.limit(ahead)) if backwards else rows

    def _looks_ahead(self) -> bool:
        name = "hasPreviousPage" if self._page.backwards else "hasNextPage"
        return any(each.named(name) for each in self._has["pageInfo"])

    def _is_ranked(self) -> bool:
        ends = ("startCursor", "endCursor")
        return self._looks_ahead() or any(each.named(*ends) for each in self._has["pageInfo"])

    def _nodes(self, scope: Scope, rows: Subquery, key: str, selected: Selected) -> Expression:
        place = (*self._place, key, EACH)
        node = self._node(scope, rows, place, self._made.selecting.below(selected))
        return self._made.json.collected(node, self._shown(rows))

    def _edges(self, scope: Scope, rows: Subquery, key: str, selected: Selected) -> Expression:
        json, choice = self._made.json, self._made.selecting.below(selected)
        members: list[tuple[str, Expression]] = []
        for name, each in self._made.members(choice):
            if each is None:
                members.append((name, json.constant(choice.type.name)))
            elif each.name == "cursor":
                members.append((name, json.value(self._cursor(rows))))
            else:
                place = (*self._place, key, EACH, name)
                below = self._made.selecting.below(each)
                members.append((name, self._node(scope, rows, place, below)))
        return json.collected(scope.object(members), self._shown(rows))

    def _node(self, scope: Scope, rows: FromClause, place: Place, choice: Choice) -> Expression:
        here = Here(self._level, rows, scope, place, self.volume)
        return self._object_of(self._made, here, choice)

    def _shown(self, rows: Subquery) -> Expression | None:
        return rows.c[RANK] <= self._page.limit() if self._looks_ahead() else None

    def _cursor(self, rows: Subquery) -> Expression:
        json = self._made.json
        places = [placed(json, rows.c[label]) for label in self._level.place()]
        return json.hex_text(self._page.order_name, places)

    def _add_ends(self, rows: Subquery) -> None:
        rank, total, size = rows.c[RANK], rows.c[TOTAL], self._page.limit()
        more = func.coalesce(func.max(total), literal_column("0")) > size
        last = case((total < size, total), else_=size)
        cursor = self._cursor(rows)
        self._columns += [
            more.label(_MORE),
            func.max(cursor).filter(rank == literal_column("1")).label(_FIRST),
            func.max(cursor).filter(rank == last).label(_LAST),
        ]

    def _info(self, scope: Scope, gathered: Subquery | None, selected: Selected) -> Expression:
        json, choice = self._made.json, self._made.selecting.below(selected)
        members: list[tuple[str, Expression]] = []
        for key, each in self._made.members(choice):
            if each is None or gathered is None:
                members.append((key, json.constant(choice.type.name)))
            else:
                members.append((key, self._fact(gathered, each.name)))
        return scope.object(members)

    def _fact(self, gathered: Subquery, name: str) -> Expression:
        json, backwards = self._made.json, self._page.backwards
        if name in ("startCursor", "endCursor"):
            label = _FIRST if (name == "startCursor") != backwards else _LAST
            return json.value(gathered.c[label])
        if name == ("hasPreviousPage" if backwards else "hasNextPage"):
            return json.boolean(gathered.c[_MORE])
        return json.truth(self._page.is_placed)
