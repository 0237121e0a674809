"""Compiling the objects of one level: columns, money, relations, computed fields."""

from graphql import GraphQLNonNull, get_named_type, is_leaf_type

from crmkit_schema.conditions import is_unique, source_of
from crmkit_schema.declarations import CrmField
from crmkit_schema.engine.codecs import encoded, raw
from crmkit_schema.engine.compilation import Compilation, Here
from crmkit_schema.engine.computed_fields import EACH, ComputedField, is_plain
from crmkit_schema.engine.json_sql import Expression
from crmkit_schema.engine.pages import PageSql
from crmkit_schema.engine.selecting import Choice
from crmkit_schema.engine.uncovered import Uncovered
from crmkit_schema.engine.volume import Volume
from crmkit_schema.levels import label_of
from crmkit_schema.reachable_types import is_list
from crmkit_schema.selections import Selected
from crmkit_schema.sources import Computed, Connected, Embedded, Mapped, Related
from crmkit_schema.specs import order_of
from crmkit_schema.values import Money


def object_of(made: Compilation, here: Here, choice: Choice) -> Expression:
    """Return the JSON objects of a level.

    Raises:
        Uncovered: something selected has no SQL form, or the caller may not see it.
        GraphQLError: the arguments of a connection are wrong.
    """
    members: list[tuple[str, Expression]] = []
    for key, selected in made.members(choice):
        if selected is None:
            members.append((key, made.json.constant(choice.type.name)))
        else:
            members.append((key, _member(made, here, key, selected)))
    return here.scope.object(members)


def _member(made: Compilation, here: Here, key: str, selected: Selected) -> Expression:
    declared = selected.declared
    if not isinstance(declared, CrmField):
        raise Uncovered(f"{selected.name} is resolved by Python")
    source = declared.source
    if isinstance(source, Mapped):
        return _mapped(made, here, declared, source, selected)
    if isinstance(source, Embedded):
        return _embedded(made, here, source, selected)
    if isinstance(source, Related):
        return _related(made, here, source, key, selected)
    if isinstance(source, Connected):
        place = (*here.place, key)
        page = PageSql(made, here, declared, source, place, selected, object_of)
        here.volume.below.append(page.volume)
        return page.query()
    if isinstance(source, Computed):
        return _computed(made, here, source, key, selected)
    raise Uncovered(f"{selected.name} is resolved by Python")


def _is_required(selected: Selected) -> bool:
    return isinstance(selected.field.type, GraphQLNonNull)


def _mapped(
    made: Compilation, here: Here, declared: CrmField, source: Mapped, selected: Selected
) -> Expression:
    label = label_of(declared, source)
    column = here.rows.c[label]
    leaf = get_named_type(selected.field.type)
    if not is_leaf_type(leaf) or is_list(declared.type):
        raise Uncovered(f"{selected.name} is no single scalar")
    value = encoded(made.json, leaf, source.codec, column)
    if _is_required(selected) and not here.level.is_certain(source, label):
        return made.json.present(column, value)
    return value


def _embedded(made: Compilation, here: Here, source: Embedded, selected: Selected) -> Expression:
    if source.build is not Money:
        raise Uncovered(f"{selected.name} is a value that Python makes")
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
    cls = made.composition.target(selected.declared)
    many = is_list(selected.declared.type)
    level, choice = made.level(cls), made.selecting.below(selected)
    level.want(choice)
    level.tie(source.child, here.rows, source.parent)
    if source.where is not None:
        level.level.conditions.append(source.where(level.level.rows))
    level.level.sort_by(source.order or order_of(cls))
    most = source.limit if many else 1
    is_one = not many and is_unique(source_of(cls), source.child, order_of(cls))
    rows = level.rows(None if is_one else most)
    volume = Volume(lambda _given: most)
    here.volume.below.append(volume)
    place = (*here.place, key, EACH) if many else (*here.place, key)
    scope = made.json.scope(rows)
    value = object_of(made, Here(level, rows, scope, place, volume), choice)
    made_of_rows = made.json.collected(value, None) if many else value
    query = made.json.subquery(scope.select(made_of_rows.label("r")))
    return made.json.nested(query, _is_required(selected))


def _computed(
    made: Compilation, here: Here, source: Computed, key: str, selected: Selected
) -> Expression:
    if not is_plain(selected.field.type):
        raise Uncovered(f"{selected.name} is an object that Python makes")
    needed = [raw(made.json, here.rows.c[name]) for name in source.needs]
    needs = [(name, decode) for name, (_, decode) in zip(source.needs, needed, strict=True)]
    place, cls = (*here.place, key), here.level.cls
    made.computed.append(ComputedField(selected, source, cls, place, needs))
    return made.json.array([column for column, _ in needed])
