"""Building the strawberry schema of one composition."""

from collections.abc import Sequence
from typing import Any

import strawberry
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from crmkit import Crm, PluginError, SchemaContribution
from crmkit.errors import CrmkitError
from crmkit_schema.composition import CORE, Composition
from crmkit_schema.core_contribution import core_contribution, roots
from crmkit_schema.values import schema_config

Contributions = Sequence[tuple[str, SchemaContribution]]


class CrmSchema(strawberry.Schema):
    """A strawberry schema whose types have the fields of one composition."""

    def __init__(self, composition: Composition, **options: Any) -> None:
        self._composition = composition
        super().__init__(**options)

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        """Return the composed fields of a type."""
        if type_definition.is_input:
            return type_definition.fields
        return self._composition.fields_of(type_definition)


def contributions_of(crm: Crm) -> Contributions:
    """Return what core and the plugins that are on contribute, core first.

    Raises:
        PluginError: a plugin's hook raised, or gave something else.
    """
    found: list[tuple[str, SchemaContribution]] = [(CORE, core_contribution())]
    for loaded, answer in crm.registry.ask("register_graphql"):
        if not isinstance(answer, SchemaContribution):
            kind = type(answer).__name__
            raise PluginError(loaded.name, f"register_graphql gives {kind}, no SchemaContribution")
        found.append((loaded.name, answer))
    return found


def build(
    contributions: Contributions, permissions: frozenset[str]
) -> tuple[Composition, CrmSchema]:
    """Compose contributions and build their schema.

    Raises:
        PluginError: one of them cannot be part of a schema; it names whose it is.
    """
    composition = Composition(contributions, permissions)
    try:
        return composition, _built(composition)
    except CrmkitError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PluginError(
            _culprit(contributions, permissions), f"the schema cannot be built with it: {reason}"
        ) from error


def _built(composition: Composition) -> CrmSchema:
    query, mutation, subscription = roots()
    types = [each for _, contribution in composition.contributions for each in contribution.types]
    return CrmSchema(
        composition,
        query=query,
        mutation=mutation,
        subscription=subscription,
        types=types,
        config=schema_config(),
    )


def _culprit(contributions: Contributions, permissions: frozenset[str]) -> str:
    """Return the first plugin with which the schema, built of ever more of them, fails."""
    for count in range(1, len(contributions)):
        try:
            _built(Composition(contributions[:count], permissions))
        except Exception:
            return contributions[count - 1][0]
    return contributions[-1][0]
