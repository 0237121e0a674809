"""Compiling the objects of one level: columns, money, relations, computed fields."""

from collections.abc import Callable

from graphql import GraphQLNonNull, get_named_type, is_leaf_type

from crmkit_schema.conditions import is_unique, source_of
from crmkit_schema.declarations import CrmField
from crmkit_schema.engine.codecs import encoded
from crmkit_schema.engine.compilation import Around, Compilation, Here
from crmkit_schema.engine.computed_fields import EACH, Place
from crmkit_schema.engine.json_sql import Expression
from crmkit_schema.engine.pages import PageSql
from crmkit_schema.engine.python_columns import python_of
from crmkit_schema.engine.selecting import Choice
from crmkit_schema.engine.volume import Volume
from crmkit_schema.levels import label_of
from crmkit_schema.reachable_types import is_list
from crmkit_schema.selections import Selected
from crmkit_schema.sources import Connected, Embedded, Mapped, Related
from crmkit_schema.specs import order_of
from crmkit_schema.values import Money


def object_of(made: Compilation, here: Here, choice: Choice) -> Expression:
    """Return the JSON objects of a level.

    Raises:
        Uncovered: something selected has no SQL form.
    """
    members: list[tuple[str, Expression]] = []
    for key, selected in made.members(choice):
        if selected is None:
            members.append((key, made.json.constant(choice.type.name)))
        else:
            compiled = _member(made, here, choice, key, selected)
            members.append((key, made.guarded((*here.place, key), selected, compiled)))
    return here.scope.object(members)


def page_of(
    made: Compilation,
    around: Around | None,
    declared: CrmField,
    source: Connected,
    place: Place,
    selected: Selected,
    volume: Volume,
) -> Expression:
    """Return the page of a connection, as the JSON of a subquery.

    Args:
        volume: of what is around it.

    Raises:
        Uncovered: something selected has no SQL form.
        GraphQLError: the arguments are wrong.
    """
    page = PageSql(made, around, declared, source, place, selected, object_of)
    query = page.query()
    volume.below.append(page.volume)
    return query


def related_of(
    made: Compilation,
    around: Around,
    source: Related,
    place: Place,
    cls: type,
    choice: Choice,
    *,
    is_many: bool,
    is_required: bool = False,
) -> Expression:
    """Return the rows that an object leads to, or the one row, as the JSON of a subquery.

    Raises:
        Uncovered: something selected has no SQL form.
    """
    level = made.level(cls)
    level.want(choice)
    level.tie(source.child, around.rows, source.parent)
    if source.where is not None:
        level.level.conditions.append(source.where(level.level.rows))
    level.level.sort_by(source.order or order_of(cls))
    most = source.limit if is_many else 1
    is_one = not is_many and is_unique(source_of(cls), source.child, order_of(cls))
    rows = level.rows(None if is_one else most)
    volume = Volume(lambda _given: most)
    around.volume.below.append(volume)
    scope = made.json.scope(rows)
    here = Here(level, rows, scope, (*place, EACH) if is_many else place, volume)
    value = object_of(made, here, choice)
    made_of_rows = made.json.collected(value, None) if is_many else value
    query = made.json.subquery(scope.select(made_of_rows.label("r")))
    return made.json.nested(query, is_required)


def _member(
    made: Compilation, here: Here, choice: Choice, key: str, selected: Selected
) -> Callable[[], Expression]:
    declared = selected.declared
    source = declared.source if isinstance(declared, CrmField) else None

    def compiled() -> Expression:
        if isinstance(declared, CrmField) and isinstance(source, Mapped):
            found = _mapped(made, here, declared, source, selected)
            return python_of(made, here, choice, key, selected) if found is None else found
        if isinstance(source, Embedded) and source.build is Money:
            return _money(made, here, source, selected)
        if isinstance(declared, CrmField) and isinstance(source, Connected):
            place = (*here.place, key)
            return page_of(made, here, declared, source, place, selected, here.volume)
        if isinstance(source, Related):
            return _related(made, here, source, key, selected)
        return python_of(made, here, choice, key, selected)

    return compiled


def _is_required(selected: Selected) -> bool:
    return isinstance(selected.field.type, GraphQLNonNull)


def _mapped(
    made: Compilation, here: Here, declared: CrmField, source: Mapped, selected: Selected
) -> Expression | None:
    """Return a column as JSON; None if only Python can write it."""
    label = label_of(declared, source)
    column = here.rows.c[label]
    leaf = get_named_type(selected.field.type)
    if not is_leaf_type(leaf) or is_list(declared.type):
        return None
    value = encoded(made.json, leaf, source.codec, column)
    if value is not None and _is_required(selected) and not here.level.is_certain(source, label):
        return made.json.present(column, value)
    return value


def _money(made: Compilation, here: Here, source: Embedded, selected: Selected) -> Expression:
    json, choice = made.json, made.selecting.below(selected)
    minor, currency = (here.rows.c[source.columns[name]] for name in ("minor", "currency"))
    members: list[tuple[str, Expression]] = []
    for key, each in made.members(choice):
        if each is None:
            members.append((key, json.constant(choice.type.name)))
        elif each.name == "minor":
            members.append((key, json.value(minor)))
        elif each.name == "currency":
            members.append((key, json.present(currency, json.value(currency))))
        else:
            members.append((key, json.amount(minor, currency)))
    value = json.unless_null(minor, here.scope.object(members))
    return json.present(minor, value) if _is_required(selected) else value


def _related(
    made: Compilation, here: Here, source: Related, key: str, selected: Selected
) -> Expression:
    return related_of(
        made,
        here,
        source,
        (*here.place, key),
        made.composition.target(selected.declared),
        made.selecting.below(selected),
        is_many=is_list(selected.declared.type),
        is_required=_is_required(selected),
    )
