"""Fetching what a query selects below the objects of one level, for all of them together."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from crmkit_schema.computing import compute
from crmkit_schema.conditions import is_unique, source_of
from crmkit_schema.declarations import CrmField
from crmkit_schema.levels import Failure, keys_of, level_of, objects_of, want
from crmkit_schema.pages import PageReader
from crmkit_schema.reachable_types import is_list
from crmkit_schema.selections import Selected, Selection
from crmkit_schema.sources import Computed, Connected, Held, Related
from crmkit_schema.specs import order_of
from crmkit_schema.statements import KEY

if TYPE_CHECKING:
    from crmkit_schema.fetching import Fetch


def expand(fetch: "Fetch", objects: Sequence[Any], selection: Selection) -> None:
    """Fetch everything selected below objects of one type.

    What was fetched for an object already is left as it is.
    """
    for selected in selection.fields:
        declared = selected.declared
        if not isinstance(declared, CrmField):
            expand_held(fetch, declared, objects, selected)
        elif fetch.context.allows(declared.needed):
            missing = [each for each in objects if selected.key not in fetch.kept(each)]
            if missing:
                _expand_field(fetch, declared, missing, selected)


def expand_values(fetch: "Fetch", values: Iterable[Any], selected: Selected) -> None:
    """Fetch what is selected below values that Python code gave, whatever their types."""
    by_class: dict[type, list[Any]] = {}
    for each in _flat(values):
        by_class.setdefault(type(each), []).append(each)
    for cls, objects in by_class.items():
        object_type = fetch.operation.object_type(cls)
        if object_type is not None:
            expand(fetch, objects, fetch.operation.below(selected, object_type))


def expand_held(
    fetch: "Fetch", declared: StrawberryField, objects: Iterable[Any], selected: Selected
) -> None:
    """Go on below what objects hold as attributes; a method runs only when it is resolved."""
    if declared.base_resolver is None:
        held = (getattr(each, declared.python_name) for each in objects)
        expand_values(fetch, held, selected)


def _expand_field(
    fetch: "Fetch", declared: CrmField, objects: Sequence[Any], selected: Selected
) -> None:
    source = declared.source
    values: Sequence[Any]
    try:
        if isinstance(source, Related):
            values = _related(fetch, declared, source, objects, selected)
        elif isinstance(source, Connected):
            values = _connected(fetch, declared, source, objects, selected)
        elif isinstance(source, Computed):
            values = _computed(fetch, declared, source, objects, selected)
        elif isinstance(source, Held):
            return expand_held(fetch, declared, objects, selected)
        else:
            return None
    except Exception as error:  # a field's own error must not become its siblings'
        values = [Failure(error)] * len(objects)
    for each, value in zip(objects, values, strict=True):
        fetch.kept(each)[selected.key] = value
    return None


def _related(
    fetch: "Fetch",
    declared: CrmField,
    source: Related,
    objects: Sequence[Any],
    selected: Selected,
) -> list[Any]:
    many = is_list(declared.type)
    found = _rows_of(fetch, declared, source, keys_of(objects, source.parent), selected, many)
    of_each = [found.get(vars(each)[source.parent], []) for each in objects]
    return of_each if many else [next(iter(rows), None) for rows in of_each]


def _rows_of(
    fetch: "Fetch",
    declared: CrmField,
    source: Related,
    keys: Sequence[Any],
    selected: Selected,
    many: bool,
) -> dict[Any, list[Any]]:
    """Return the related rows of each key, as objects with everything below them."""
    if not keys:
        return {}
    cls, selection = fetch.composition.target(declared), fetch.operation.below(selected)
    level = level_of(cls)
    want(level, selection, fetch.context.allows)
    if source.where is not None:
        level.conditions.append(source.where(level.rows))
    level.sort_by(source.order or order_of(cls))
    one = None if is_unique(source_of(cls), source.child, order_of(cls)) else 1
    per_parent = source.limit if many else one
    rows = fetch.context.rows(level.below(source.child, keys, per_parent, fetch.context.rows_max))
    made = objects_of(cls, rows)
    expand(fetch, made, selection)
    found: dict[Any, list[Any]] = {}
    for row, each in zip(rows, made, strict=True):
        found.setdefault(row[KEY], []).append(each)
    return found


def _connected(
    fetch: "Fetch",
    declared: CrmField,
    source: Connected,
    objects: Sequence[Any],
    selected: Selected,
) -> list[Any]:
    reader = PageReader(fetch, fetch.composition.target(declared), source, selected)
    keys = keys_of(objects, source.parent)
    pages = reader.read(keys) if keys else {}
    empty = reader.empty()
    return [pages.get(vars(each)[source.parent], empty) for each in objects]


def _computed(
    fetch: "Fetch",
    declared: CrmField,
    source: Computed,
    objects: Sequence[Any],
    selected: Selected,
) -> Sequence[Any]:
    schema = fetch.context.schema.schema
    arguments = convert_arguments(
        dict(fetch.operation.arguments(selected)),
        declared.arguments,
        schema.schema_converter.scalar_registry,
        schema.config,
    )
    values = compute(
        declared, fetch.context, lambda own: source.function(objects, own, **arguments)
    )
    if len(values) != len(objects):
        raise TypeError(
            f"{declared.python_name} gave {len(values)} values for {len(objects)} parents"
        )
    expand_values(fetch, values, selected)
    return values


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    for each in values:
        if isinstance(each, list | tuple):
            yield from _flat(each)
        elif each is not None:
            yield each
