"""A plugin whose part of the schema is wrong can be put aside at the start."""

from typing import Any

import pytest
import strawberry

from crmkit import Crm, Plugin, PluginError, SchemaContribution, Settings, hookimpl
from crmkit.errors import DatabaseNotReady
from crmkit_schema import PUBLIC, computed
from crmkit_schema.runtime import compose


def one_each(parents: Any, _context: Any) -> list[int]:
    return [1] * len(parents)


def extending(name: str) -> SchemaContribution:
    """Return a contribution of one field of customers."""
    declared = computed("For a test.", one_each, permission=PUBLIC)
    namespace = {"__annotations__": {name: int | None}, name: declared}
    return SchemaContribution(extends={"Customer": strawberry.type(type("X", (), namespace))})


class Broken:
    """A plugin whose part of the schema is wrong."""

    plugin = Plugin(name="broken", version="1", summary="For a test.")

    @hookimpl
    def register_graphql(self) -> Any:
        return extending("tags")


class Needing:
    """A plugin that needs the broken one."""

    plugin = Plugin(name="needing", version="1", summary="For a test.", requires=("broken",))


class Fine:
    """A plugin that needs nobody."""

    plugin = Plugin(name="fine", version="1", summary="For a test.")

    @hookimpl
    def register_graphql(self) -> Any:
        return extending("fine")


@pytest.fixture
def crm(tmp_path: Any) -> Any:
    settings = Settings(data_dir=tmp_path, plugins=())
    with Crm(settings, plugins=[Broken(), Needing(), Fine()]) as crm:
        yield crm


def test_a_broken_plugin_stops_the_start(crm: Crm) -> None:
    with pytest.raises(PluginError, match="plugin 'broken'"):
        compose(crm)


def test_a_broken_plugin_can_be_put_aside_with_those_that_need_it(crm: Crm) -> None:
    schema = compose(crm, skip_broken=True)

    assert [each.name for each in crm.registry.plugins] == ["core", "fine"]
    assert set(crm.registry.broken) == {"broken", "needing"}
    assert "fine: Int" in schema.sdl()


def test_tables_that_must_be_there_and_are_not_stop_the_start(crm: Crm) -> None:
    with pytest.raises(DatabaseNotReady):
        compose(crm, skip_broken=True, must_be_ready=True)


@pytest.mark.parametrize("answer", [7, "text", [SchemaContribution()]])
def test_a_hook_that_gives_no_contribution_is_named(
    tmp_path: Any, inline: Any, answer: Any
) -> None:
    odd = inline("odd", answer, ())
    settings = Settings(data_dir=tmp_path, plugins=())

    with Crm(settings, plugins=[odd]) as crm, pytest.raises(PluginError) as caught:
        compose(crm)

    assert caught.value.plugin == "odd"
