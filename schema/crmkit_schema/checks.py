"""What every contribution must fulfil before a schema is built of it. Pure; names the culprit."""

import re
from collections.abc import Iterable
from typing import Any

from strawberry.types.base import StrawberryObjectDefinition, get_object_definition
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.field import UNRESOLVED, StrawberryField

from crmkit import PluginError
from crmkit_schema.declarations import CrmField
from crmkit_schema.reachable_types import name_of, row_class
from crmkit_schema.specs import PUBLIC, spec_of
from crmkit_schema.values import SCALARS

_NAME = re.compile(r"(?!__)[_A-Za-z][_0-9A-Za-z]*", re.ASCII)
_PREFIX = re.compile(r"[a-z]{2,4}", re.ASCII)
_RESERVED = frozenset(
    {"Query", "Mutation", "Subscription", "String", "Int", "Float", "Boolean", "ID", "JSON"}
)


def check_decorated(owner: str, cls: Any) -> None:
    """Refuse a contributed class that strawberry does not know."""
    if get_object_definition(cls) is None:
        name = getattr(cls, "__name__", repr(cls))
        raise PluginError(owner, f"{name} needs the decorator strawberry.type")


def check_target(owner: str, name: str, held: Any) -> None:
    """Refuse to extend what is no object type."""
    definition = get_object_definition(held)
    if definition is None or definition.is_input or definition.is_interface:
        raise PluginError(owner, f"extends {name!r}, but no object type has that name")


def require_declared(owner: str, where: str, declared: StrawberryField) -> CrmField:
    """Return a contributed field; refuse one that says neither source nor permission."""
    if isinstance(declared, CrmField):
        return declared
    raise PluginError(
        owner,
        f"{where} has no permission; declare it with mapped, related, connection, computed, "
        "resolved, mutation or subscription of crmkit_schema",
    )


def check_permission(
    owner: str, where: str, declared: CrmField, permissions: Iterable[str]
) -> None:
    """Refuse a contributed field that anybody could see without somebody saying so."""
    target = spec_of(row_class(declared.type))
    if declared.permission is None and (target is None or target.permission == PUBLIC):
        raise PluginError(owner, f"{where} declares no permission; say permission=... or PUBLIC")
    _check_known(owner, where, declared.permission, permissions)


def check_type(owner: str, name: str, type_: Any, permissions: Iterable[str]) -> None:
    """Refuse a type without name, description or permission."""
    what = f"type {name!r}"
    if not _NAME.fullmatch(name) or name in _RESERVED or name in _scalar_names():
        raise PluginError(owner, f"{what} has a name that GraphQL or crmkit reserves")
    check_description(owner, what, type_ if _is_enum(type_) else get_object_definition(type_))
    definition = get_object_definition(type_)
    if definition is None:
        return
    for declared in definition.fields:
        check_field_text(owner, f"{name}.{name_of(declared)}", declared)
    if not definition.is_input:
        _check_spec(owner, what, definition, permissions)


def _check_spec(
    owner: str, what: str, definition: StrawberryObjectDefinition, permissions: Iterable[str]
) -> None:
    spec = spec_of(definition.origin)
    if spec is None:
        raise PluginError(owner, f"{what} declares no permission; use object_type or value_type")
    _check_known(owner, what, spec.permission, permissions)
    for declared in definition.fields:
        if isinstance(declared, CrmField):
            where = f"{definition.name}.{name_of(declared)}"
            _check_known(owner, where, declared.permission, permissions)
    if spec.prefix is not None and not _PREFIX.fullmatch(spec.prefix):
        raise PluginError(owner, f"{what}: node={spec.prefix!r} is not two to four small letters")
    if spec.source is not None:
        for column in spec.order:
            if column.lstrip("-") not in spec.source.c:
                raise PluginError(owner, f"{what} is sorted by {column!r}, which its rows lack")


def _check_known(
    owner: str, where: str, permission: str | None, permissions: Iterable[str]
) -> None:
    if permission is not None and permission != PUBLIC and permission not in permissions:
        raise PluginError(owner, f"{where} asks for {permission!r}, which no manifest declares")


def check_field_text(owner: str, where: str, declared: StrawberryField) -> None:
    """Refuse a field without a proper name, description or type."""
    if not _NAME.fullmatch(name_of(declared)):
        raise PluginError(owner, f"{where} is not a GraphQL name")
    check_description(owner, where, declared)
    if declared.type is UNRESOLVED:
        annotation = declared.type_annotation and declared.type_annotation.raw_annotation
        raise PluginError(owner, f"{where}: there is no type {annotation}")


def check_description(owner: str, what: str, described: Any) -> None:
    """Refuse what front-end developers would have to guess at."""
    if described is not None and not (described.description or "").strip():
        raise PluginError(owner, f"{what} has no description")


def _scalar_names() -> set[str]:
    return {each.name for each in SCALARS.values()}


def _is_enum(type_: Any) -> bool:
    return isinstance(type_, StrawberryEnumDefinition)
