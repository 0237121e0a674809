"""What completing a payload will take, told from its selection."""

from graphql import GraphQLObjectType, get_named_type, is_abstract_type

from crmkit_schema.declarations import CrmField
from crmkit_schema.engine.keyed_rows import leads_to_rows
from crmkit_schema.engine.selecting import Choice, Selecting
from crmkit_schema.selections import Selected
from crmkit_schema.sources import Computed, Resolved


def needs_snapshot(selecting: Selecting, selected: Selected) -> bool:
    """Tell whether completing what a field gives may take more than one look at the database."""
    return _looks(selecting, selected) > 1


def _looks(selecting: Selecting, selected: Selected) -> int:
    """Return how often objects that Python gave for a field lead to rows or to functions."""
    return sum(_looks_of(selecting, each) for each in choices_of(selecting, selected))


def _looks_of(selecting: Selecting, choice: Choice) -> int:
    fields = choice.selection.fields
    found = 1 if any(leads_to_rows(each) for each in fields) else 0
    for each in fields:
        if _is_function(each) or (leads_to_rows(each) and _has_function(selecting, each)):
            return 2
        if not leads_to_rows(each):
            found += _looks(selecting, each)
    return found


def _has_function(selecting: Selecting, selected: Selected) -> bool:
    """Tell whether functions are called for something below a field."""
    return any(
        _is_function(each) or _has_function(selecting, each)
        for choice in choices_of(selecting, selected)
        for each in choice.selection.fields
    )


def _is_function(selected: Selected) -> bool:
    declared = selected.declared
    if isinstance(declared, CrmField) and isinstance(declared.source, Computed | Resolved):
        return True
    resolver = declared.base_resolver
    return resolver is not None and resolver.info_parameter is not None


def choices_of(selecting: Selecting, selected: Selected) -> list[Choice]:
    """Return what is selected of the objects that a field gives, for each type they can have."""
    named = get_named_type(selected.field.type)
    if is_abstract_type(named):
        types = selecting.schema.get_possible_types(named)
        return [selecting.below(selected, each) for each in types]
    return [selecting.below(selected)] if isinstance(named, GraphQLObjectType) else []
