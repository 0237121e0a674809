"""The registry: which plugins are on, in what order, and what happens when one is broken."""

import sys
from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Field as Column
from sqlmodel import Session, SQLModel, select

from crmkit import (
    API_VERSION,
    Crm,
    CustomerInput,
    ErrorPolicy,
    InteractionInput,
    InteractionKind,
    Metric,
    Permission,
    Plugin,
    PluginError,
    Refused,
    Service,
    Settings,
    TransactionBatch,
    ValidationFailed,
    hookimpl,
    table_of,
)
from crmkit.batches import Refusal
from crmkit.errors import HookFailed, PluginConflict, SettingsError
from crmkit.models import Customer, Transaction
from crmkit.plugin_assembly import without
from crmkit.plugin_loading import load_plugins
from crmkit.plugins import PluginRegistry
from crmkit.testing import NOON, CrmFactory, sale


class PointsEntry(SQLModel, table=True):
    """A table that two plugins fight for."""

    __tablename__ = "points_extra_entry"

    id: int = Column(primary_key=True)


class Misnamed(SQLModel, table=True):
    """A table that has no plugin's prefix."""

    __tablename__ = "unprefixed"

    id: int = Column(primary_key=True)


class Options(BaseModel):
    """Settings that pass over what they do not know, as pydantic does unless told."""

    rate: int = Field(default=1, ge=0)


class Strict(Options):
    """Settings that refuse what they do not know."""

    model_config = ConfigDict(extra="forbid")


def made(name: str, hooks: dict[str, Callable[..., Any]] | None = None, **manifest: Any) -> Any:
    """Return a plugin object with some hook implementations."""
    plugin = Plugin(name=name, version="1", summary="For a test.", **manifest)
    return SimpleNamespace(
        plugin=plugin, **{hook: hookimpl(function) for hook, function in (hooks or {}).items()}
    )


def load(*plugins: Any, skip_broken: bool = False, **settings: Any) -> PluginRegistry:
    options = {"plugins": (), "data_dir": Path("no-such-folder"), **settings}
    return load_plugins(Settings(**options), plugins, skip_broken=skip_broken)


def names(registry: PluginRegistry) -> list[str]:
    return [loaded.name for loaded in registry.plugins]


def leave(*_: object) -> None:
    sys.exit(0)


def test_plugins_run_after_those_they_require_and_then_by_name() -> None:
    plugins = [
        made("zoo"),
        made("ant", requires=["zoo"]),
        made("bee"),
        made("cat", requires=["bee", "ant"]),
    ]

    orders = {tuple(names(load(*order))) for order in permutations(plugins)}

    assert orders == {("core", "bee", "zoo", "ant", "cat")}


def test_an_optional_plugin_comes_first_if_it_is_on_and_need_not_be() -> None:
    first = made("zoo")
    plugins = [made("ant", optional=["zoo", "gnu"]), made("bee")]

    assert names(load(*plugins)) == ["core", "ant", "bee"]
    assert names(load(*plugins, first)) == ["core", "bee", "zoo", "ant"]


def test_hooks_are_called_in_that_order_whatever_was_registered_first() -> None:
    heard: list[str] = []
    plugins = [
        made(name, {"customers_upserted": lambda name=name: heard.append(name)}, requires=needed)
        for name, needed in [("ant", ["zoo"]), ("bee", []), ("zoo", [])]
    ]

    for order in permutations(plugins):
        load(*order).tell("customers_upserted", Session(), batch=None)

    assert heard == ["bee", "zoo", "ant"] * 6


def test_a_hook_gets_the_parameters_it_names_and_its_own_settings() -> None:
    heard: list[Any] = []
    plugin = made(
        "ant",
        {"customers_upserted": lambda settings, batch: heard.append((settings.rate, batch))},
        settings=Options,
    )

    load(plugin, plugin={"ant": {"rate": "7"}}).tell("customers_upserted", Session(), batch=2)

    assert heard == [(7, 2)]


def metric(name: str) -> Metric:
    return Metric(name, "visits", "Visits.", lambda: table_of(Customer).select())


def service(name: str, version: int = 1) -> Service:
    return Service(name, version, "Doubles a number.", lambda number: 2 * number)


def test_a_hook_can_name_the_metrics_and_services_of_all_plugins() -> None:
    heard: list[Any] = []

    def follow(metrics: Any, services: Any) -> None:
        heard.append((metrics["bee.visits"].unit, services.find("bee.double", 1)(21)))
        heard.append((services.find("bee.double", 2), services.find("gnu.double", 1)))

    bee: dict[str, Any] = {
        "register_metrics": lambda: [metric("bee.visits")],
        "register_services": lambda metrics: [service("bee.double")] if metrics else [],
    }
    load(made("bee", bee), made("ant", {"transactions_recorded": follow})).tell(
        "transactions_recorded", Session(), batch=None
    )

    assert heard == [("visits", 42), (None, None)]


def test_two_versions_of_a_service_can_be_offered() -> None:
    both = [service("ant.double"), service("ant.double", 2)]
    registry = load(made("ant", {"register_services": lambda: both}))

    assert list(registry.services.offered) == [("ant.double", 1), ("ant.double", 2)]


def test_two_registries_with_other_plugins_live_in_one_process() -> None:
    heard: list[str] = []
    one = load(made("ant", {"customers_upserted": lambda: heard.append("ant")}))
    two = load(made("bee", {"customers_upserted": lambda: heard.append("bee")}))

    for registry in (one, two, one):
        registry.tell("customers_upserted", Session(), batch=None)

    assert heard == ["ant", "bee", "ant"]
    assert ("ant" in one, "bee" in one, "ant" in two) == (True, False, False)
    assert one.hooks_of("ant") == ["customers_upserted"]


def wrapper() -> Any:
    def customers_upserted() -> Any:
        return (yield)

    plugin = made("ant")
    plugin.customers_upserted = hookimpl(wrapper=True)(customers_upserted)
    return plugin


BROKEN: list[tuple[Any, str]] = [
    (made("ant", {"customer_upserted": lambda: None}), "unknown hook 'customer_upserted'"),
    (made("ant", {"customers_upserted": lambda sesion: None}), "sesion"),
    (wrapper(), "customers_upserted is a wrapper"),
    (made("ant", requires=["bee"]), "requires plugin 'bee', which is not on"),
    (made("ant", requires=["ant"]), "requires itself: ant -> ant"),
    (made("ant", api=">=2"), f"needs plugin API >=2, this crmkit has {API_VERSION}"),
    (made("ant", api="soon"), "api='soon' is not a version range"),
    (made("ant", permissions=[Permission("bee.fly", "Fly.")]), "'bee.fly' must be named ant."),
    (made("ant", {"register_models": lambda: [Misnamed]}), "'unprefixed' must be named ant_"),
    (made("ant", {"register_models": lambda: [Options]}), "is not an SQLModel with table=True"),
    (made("ant", {"register_models": lambda: [Customer]}), "'customer' must be named ant_"),
    (made("ant", {"register_models": lambda: 1 / 0}), "register_models failed: ZeroDivisionError"),
    (made("ant", {"register_models": leave}), "register_models failed: SystemExit"),
    (made("ant", {"register_interaction_kinds": lambda: ["x"]}), "'x' is not an InteractionKind"),
    (made("ant", {"register_metrics": lambda: ["x"]}), "'x' is not a Metric"),
    (
        made("ant", {"register_metrics": lambda: [metric("bee.visits")]}),
        "its metric 'bee.visits' must be named ant.",
    ),
    (
        made("ant", {"register_metrics": lambda: [metric("ant.visits")] * 2}),
        "the metric 'ant.visits' is also contributed by plugin 'ant'",
    ),
    (made("ant", {"register_services": lambda: ["x"]}), "'x' is not a Service"),
    (
        made("ant", {"register_services": lambda: [service("double")]}),
        "its service 'double' must be named ant.",
    ),
    (
        made("ant", {"register_services": lambda: [service("ant.double")] * 2}),
        "version 1 of the service 'ant.double' is also contributed by plugin 'ant'",
    ),
    (made("core"), "is crmkit's own name"),
    (SimpleNamespace(plugin="ant"), "defines no manifest"),
]


@pytest.mark.parametrize(("plugin", "reason"), BROKEN, ids=[reason[:30] for _, reason in BROKEN])
def test_a_broken_plugin_stops_the_start_with_one_line_that_names_it(
    plugin: Any, reason: str
) -> None:
    with pytest.raises(PluginError) as stopped:
        load(plugin)

    assert reason in str(stopped.value)
    assert "\n" not in str(stopped.value)
    assert stopped.value.plugin == getattr(plugin.plugin, "name", "SimpleNamespace")


@pytest.mark.parametrize(("plugin", "reason"), BROKEN, ids=[reason[:30] for _, reason in BROKEN])
def test_a_broken_plugin_can_be_put_aside_with_those_that_need_it(plugin: Any, reason: str) -> None:
    needy, fine = made("cat", requires=["ant"]), made("dog")

    registry = load(needy, plugin, fine, skip_broken=True)

    assert names(registry) == ["core", "dog"]
    assert any(reason in each for each in registry.broken.values())
    assert "'ant'" in registry.broken["cat"]


def test_a_cycle_is_shown_whole() -> None:
    with pytest.raises(PluginError, match=r"requires itself: (\w+ -> ){3}\w+$"):
        load(
            made("ant", requires=["bee"]),
            made("bee", requires=["cat"]),
            made("cat", requires=["ant"]),
        )


def test_two_plugins_of_one_name_are_both_named_by_origin(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    file = tmp_path / "plugins" / "ant.py"
    file.write_text("from crmkit import Plugin\nplugin = Plugin('ant', '1', 'An ant.')\n")

    with pytest.raises(PluginError, match=r"found twice, as file .*ant\.py and the application"):
        load(made("ant"), data_dir=tmp_path)


CLASHES: list[tuple[dict[str, Any], str]] = [
    ({"register_models": lambda: [PointsEntry]}, "the table 'points_extra_entry'"),
    (
        {"register_interaction_kinds": lambda: [InteractionKind("dance", "They danced.")]},
        "the interaction kind 'dance'",
    ),
]


@pytest.mark.parametrize(("hooks", "what"), CLASHES)
def test_a_clash_names_both_owners(hooks: dict[str, Any], what: str) -> None:
    with pytest.raises(PluginConflict) as stopped:
        load(made("points_extra", hooks), made("points", hooks))

    assert (stopped.value.plugin, stopped.value.other) == ("points_extra", "points")
    assert f"{what} is also contributed by plugin 'points'" in str(stopped.value)


def test_a_kind_of_core_cannot_be_taken() -> None:
    kinds = [InteractionKind("note", "Mine.")]

    with pytest.raises(PluginConflict, match=r"the interaction kind 'note'.*'core'"):
        load(made("ant", {"register_interaction_kinds": lambda: kinds}))


@pytest.mark.parametrize("model", [Options, Strict])
@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"rat": 5}, r"plugin\.ant\.rat: .*5"),
        ({"rate": "many"}, r"plugin\.ant\.rate: .*'many'"),
        ({"rate": -1}, r"plugin\.ant\.rate: .*-1"),
    ],
)
def test_a_wrong_option_of_a_plugin_is_named_with_its_value(
    model: type[BaseModel], section: dict[str, Any], message: str
) -> None:
    with pytest.raises(PluginError, match=message):
        load(made("ant", settings=model), plugin={"ant": section})


def test_a_misspelt_plugin_in_the_settings_is_named_with_what_was_meant() -> None:
    with pytest.raises(SettingsError, match=r"plugin\.loyality: .* but 'loyalty'"):
        load(plugin={"loyality": {}})


def test_the_settings_of_a_plugin_that_is_gone_may_stay() -> None:
    assert names(load(plugin={"recall": {"skus": ["tea"]}})) == ["core"]


class Zoned(BaseModel):
    """Options that repeat one of the main settings."""

    timezone: str = "UTC"


@pytest.mark.parametrize(
    ("section", "zone"),
    [({}, "Asia/Shanghai"), ({"timezone": "Europe/London"}, "Europe/London")],
)
def test_a_plugin_shares_the_shops_zone_unless_it_is_given_its_own(
    section: dict[str, str], zone: str
) -> None:
    plugin = made("ant", settings=Zoned)

    loaded = load(plugin, timezone="Asia/Shanghai", plugin={"ant": section})["ant"]

    assert loaded.settings == Zoned(timezone=zone)


def test_a_plugin_without_settings_takes_none() -> None:
    with pytest.raises(PluginError, match="takes no settings, but got rate"):
        load(made("ant"), plugin={"ant": {"rate": 5}})


@pytest.mark.parametrize("name", ["", "A", "x", "1a", "a-b", "ant ", "x" * 32, "ä1", "a\n"])
def test_a_plugins_name_is_a_prefix_of_tables(name: str) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        Plugin(name=name, version="1", summary="")


def test_what_a_plugin_requires_is_a_list() -> None:
    with pytest.raises(ValueError, match="a list of names"):
        Plugin(name="ant", version="1", summary="", requires="bee")


def test_a_plugin_can_be_taken_out_of_a_registry_with_those_that_need_it() -> None:
    registry = load(made("ant"), made("bee", requires=["ant"]), made("cat", requires=["bee"]))

    smaller = without(registry, "ant", "its tables are missing")

    assert (names(registry), names(smaller)) == (["core", "ant", "bee", "cat"], ["core"])
    assert smaller.broken == {
        "ant": "its tables are missing",
        "bee": "requires 'ant', which was put aside",
        "cat": "requires 'bee', which was put aside",
    }


def fail(*_: object) -> None:
    raise RuntimeError("boom")


def refuse(*_: object) -> None:
    raise Refused("not today")


FAILURES: Sequence[tuple[Callable[..., None], type[Exception], str]] = [
    (refuse, Refused, "not today"),
    (fail, HookFailed, "plugin 'ant': its hook {hook} failed: RuntimeError: boom"),
    (leave, HookFailed, "plugin 'ant': its hook {hook} failed: SystemExit: 0"),
]
WRITES: dict[str, Callable[[Crm], object]] = {
    "check_transactions": lambda crm: crm.record_transactions(
        [sale("1", customer="new")], create_missing_customers=True
    ),
    "transactions_recorded": lambda crm: crm.record_transactions([sale("1")]),
    "interactions_recorded": lambda crm: crm.record_interactions(
        [InteractionInput("web", "1", NOON, "note")]
    ),
    "customers_upserted": lambda crm: crm.upsert_customers([CustomerInput("crm", "1")]),
}


@pytest.mark.parametrize("hook", WRITES)
@pytest.mark.parametrize(("work", "error", "message"), FAILURES)
def test_a_hook_that_raises_undoes_the_whole_write(
    crm_factory: CrmFactory,
    hook: str,
    work: Callable[..., None],
    error: type[Exception],
    message: str,
) -> None:
    def implementation(session: Session) -> None:
        work(session)

    crm = crm_factory(made("ant", {hook: implementation}))

    with pytest.raises(error) as raised:
        WRITES[hook](crm)

    assert type(raised.value) is error
    assert str(raised.value) == message.format(hook=hook)
    with crm.read() as session:
        for model in (Customer, Transaction):
            assert session.exec(select(model)).all() == []


def test_a_check_comes_before_the_first_row_and_sees_the_ids_to_be(crm_factory: CrmFactory) -> None:
    seen: list[Any] = []

    def check(session: Session, batch: TransactionBatch) -> None:
        rows = [session.exec(select(model)).all() for model in (Transaction, Customer)]
        seen.append((rows, [each.id for each in batch.transactions]))

    crm = crm_factory(made("ant", {"check_transactions": check}))

    [result] = crm.record_transactions([sale("1", customer="c")], create_missing_customers=True)
    crm.record_transactions([sale("1", customer="c")])

    assert seen == [([[], []], [result.id])]


def test_a_later_plugin_that_fails_undoes_an_earlier_ones_rows(crm_factory: CrmFactory) -> None:
    def follow(session: Session, batch: TransactionBatch) -> None:
        session.add(Customer(lifecycle_since=NOON, created_at=NOON, updated_at=NOON))
        session.flush()

    crm = crm_factory(
        made("ant", {"transactions_recorded": follow}),
        made("bee", {"transactions_recorded": lambda: 1 / 0}),
    )

    with pytest.raises(HookFailed, match="plugin 'bee'"):
        crm.record_transactions([sale("1")])

    with crm.read() as session:
        assert session.exec(select(Customer)).all() == []


def test_a_race_lost_inside_a_hook_is_run_again(crm_factory: CrmFactory) -> None:
    class LostRace(Exception):
        sqlstate = "40P01"

    tries: list[int] = []

    def follow() -> None:
        from sqlalchemy.exc import OperationalError

        tries.append(1)
        if len(tries) < 3:
            raise OperationalError("deadlock", None, LostRace())

    crm = crm_factory(made("ant", {"transactions_recorded": follow}))

    [result] = crm.record_transactions([sale("1")])

    assert (result.outcome, len(tries)) == ("taken", 3)


@pytest.mark.parametrize("policy", list(ErrorPolicy))
def test_a_check_refuses_single_rows_as_the_policy_says(
    crm_factory: CrmFactory, policy: ErrorPolicy
) -> None:
    def check(batch: TransactionBatch) -> list[Refusal]:
        refused = [each for each in batch.transactions if each.external_id == "2"]
        return [Refusal(each.id, "CREDIT_LIMIT", "too much", "paid") for each in refused]

    crm = crm_factory(made("ant", {"check_transactions": check}))
    batch = [sale("1", customer="a"), sale("2", customer="b")]

    try:
        results = crm.record_transactions(batch, policy=policy, create_missing_customers=True)
    except ValidationFailed as failed:
        problems, taken = failed.problems, 0
    else:
        problems, taken = results[1].problems, 1

    with crm.read() as session:
        assert len(session.exec(select(Transaction)).all()) == taken
        assert len(session.exec(select(Customer)).all()) == taken
    assert taken == (policy == ErrorPolicy.REJECT_ROWS)
    assert [(p.row, p.code, p.field) for p in problems] == [(1, "CREDIT_LIMIT", "paid")]
