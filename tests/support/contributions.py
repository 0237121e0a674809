"""Contributions of a few lines, for tests of how schemas are composed."""

from typing import Any

import pytest
import strawberry

from crmkit import PluginError, SchemaContribution, models
from crmkit.builtin import plugin as core
from crmkit_schema import (
    PUBLIC,
    computed,
    mapped,
    object_type,
    resolved,
    value_type,
)
from crmkit_schema.composed_schema import build
from crmkit_schema.core_contribution import core_contribution

PERMISSIONS = frozenset(each.name for each in core.permissions)


def composed(**plugins: SchemaContribution) -> Any:
    """Return the schema of core and some contributions."""
    return build([("core", core_contribution()), *plugins.items()], PERMISSIONS)[1]


def refusal(**plugins: SchemaContribution) -> PluginError:
    """Return why contributions cannot be composed."""
    with pytest.raises(PluginError) as caught:
        composed(**plugins)
    return caught.value


def field_named(name: str, made: Any = None, annotation: Any = int | None) -> type:
    """Return a class with one field."""
    declared = made or computed("For a test.", one_each, permission=PUBLIC)
    return strawberry.type(
        type("Extra", (), {"__annotations__": {name: annotation}, name: declared})
    )


def one_each(parents: Any, _context: Any) -> list[int]:
    return [1] * len(parents)


def extending(name: str, made: Any = None, annotation: Any = int | None) -> SchemaContribution:
    return SchemaContribution(extends={"Customer": field_named(name, made, annotation)})


def value_named(name: str) -> type:
    @value_type
    class Made:
        """Made for a test."""

        text: str = strawberry.field(description="For a test.")

    Made.__strawberry_definition__.name = name  # type: ignore[attr-defined]
    return Made


def asking(cls: type) -> SchemaContribution:
    """Return a contribution whose root field gives a type."""

    def resolver(self: Any) -> Any:
        return None

    resolver.__annotations__["return"] = cls
    made = resolved("For a test.", permission=PUBLIC)(resolver)
    namespace = {cls.__name__.lower() + str(id(cls)): made}
    return SchemaContribution(queries=(strawberry.type(type("Roots", (), namespace)),))


@value_type
class First:
    """The first of two types."""

    text: str = strawberry.field(description="For a test.")


@object_type(models.CustomerTag, permission="customers.read", sorted_by=("tag",))
class Tagged:
    """Rows for a test."""

    tag: str = mapped("For a test.")


def typed(**changes: Any) -> SchemaContribution:
    """Return a contribution of one type, with some fields changed."""
    options: dict[str, Any] = {
        "permission": "customers.read",
        "sorted_by": ("tag",),
        "source": models.CustomerTag,
    }
    annotations = {"tag": str}
    namespace: dict[str, Any] = {"__doc__": "For a test.", "tag": mapped("For a test.")}
    for key, value in changes.items():
        if key in ("permission", "sorted_by", "node", "source"):
            options[key] = value
        elif key == "doc":
            namespace["__doc__"] = value
        else:
            annotations[key], namespace[key] = value
    namespace["__annotations__"] = annotations
    made = object_type(options.pop("source"), **options)(type("Thing", (), namespace))
    return SchemaContribution(types=(made,))
