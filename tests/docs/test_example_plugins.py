"""The example plugins that refuse and follow do what their page says."""

import sys
import tomllib
from datetime import date
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlmodel import select

from crmkit import (
    Actor,
    Crm,
    CustomerInput,
    CustomerRef,
    ErrorPolicy,
    InteractionInput,
    ValidationFailed,
    discovery,
)
from crmkit.plugin_loading import load_plugins
from crmkit.settings import Settings
from crmkit.testing import NOON, CrmFactory, sale
from crmkit_schema.requests import GraphQLRequest
from crmkit_schema.runtime import ComposedSchema
from crmkit_tiers.models import TierMembership

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def _example(name: str) -> ModuleType:
    found: ModuleType = discovery.load_file(EXAMPLES / f"{name}.py").implementation
    return found


@pytest.fixture
def bar(crm_factory: CrmFactory) -> Crm:
    """Give a crmkit that sells wine from the age of 18 to a customer of just 18 and one not yet."""
    options = {"age_limit": {"years_min": {"wine": 18}}}
    crm = crm_factory(_example("age_limit"), plugin=options, timezone="Asia/Shanghai")
    births = {"old": date(2008, 6, 15), "young": date(2008, 6, 16), "unknown": None}
    crm.upsert_customers([CustomerInput("till", who, birth_on=on) for who, on in births.items()])
    return crm


def _bottle(number: str, customer: str | None, quantity: int = 1, **changes: Any) -> Any:
    made = sale(number, ("W-1", quantity, "30.00"), customer=customer, **changes)
    made.lines[0].category = "wine"
    return made


@pytest.mark.parametrize("customer", ["old", "unknown", None])
def test_wine_is_sold_to_whoever_is_not_known_to_be_too_young(
    bar: Crm, customer: str | None
) -> None:
    (result,) = bar.record_transactions([_bottle("1", customer)])

    assert result.id is not None


def test_wine_for_a_minor_is_refused_and_names_the_line(bar: Crm) -> None:
    results = bar.record_transactions(
        [sale("1"), _bottle("2", "young")], policy=ErrorPolicy.REJECT_ROWS
    )

    assert [each.outcome for each in results] == ["taken", "rejected"]
    (problem,) = results[1].problems
    assert (problem.code, problem.field) == ("TOO_YOUNG", "lines[0]")


def test_wine_for_a_minor_refuses_a_batch_that_takes_no_gaps(bar: Crm) -> None:
    with pytest.raises(ValidationFailed, match="TOO_YOUNG"):
        bar.record_transactions([sale("1"), _bottle("2", "young")])

    (again,) = bar.record_transactions([sale("1")])
    assert again.outcome == "taken"


def test_a_minor_may_bring_wine_back_and_buy_tea(bar: Crm) -> None:
    back = _bottle("1", "young", quantity=-1, kind="return")

    results = bar.record_transactions([back, sale("2", customer="young")])

    assert [each.outcome for each in results] == ["taken", "taken"]


@pytest.fixture
def calls(crm_factory: CrmFactory) -> Crm:
    return crm_factory(_example("followups"), plugin={"followups": {"complaint_days": 3}})


def _contact(number: str, kind: str, customer: str | None = "ann") -> InteractionInput:
    who = CustomerRef(external_id=customer) if customer else None
    return InteractionInput("till", number, NOON, kind, customer=who)


def _followups(crm: Crm) -> list[Any]:
    admin = Actor("test", "admin", crm.roles["admin"])
    query = "{ followups { nodes { reason dueOn isDone customer { displayName } } } }"
    answer = ComposedSchema(crm).execute(GraphQLRequest(query), admin)
    assert answer.data is not None
    found: list[Any] = answer.data["followups"]["nodes"]
    return [(each["reason"], each["dueOn"], each["isDone"]) for each in found]


def test_a_new_customer_gets_a_welcome_call_once(calls: Crm) -> None:
    for name in ("Ann", "Anna"):
        calls.upsert_customers([CustomerInput("till", "ann", display_name=name)])

    assert _followups(calls) == [("welcome", "2026-06-29", False)]


def test_a_customer_that_a_sale_creates_gets_a_welcome_call_too(calls: Crm) -> None:
    calls.record_transactions([sale("1", customer="bob")], create_missing_customers=True)

    assert _followups(calls) == [("welcome", "2026-06-29", False)]


def test_a_complaint_asks_for_a_call_and_an_apology_settles_it(calls: Crm) -> None:
    calls.upsert_customers([CustomerInput("till", "ann")])
    calls.record_interactions([_contact("1", "complaint"), _contact("2", "complaint", None)])
    assert _followups(calls)[0] == ("complaint", "2026-06-18", False)

    calls.record_interactions([_contact("3", "apology")])

    assert _followups(calls) == [
        ("complaint", "2026-06-18", True),
        ("welcome", "2026-06-29", False),
    ]


def test_an_installed_package_is_found_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tomllib.loads((EXAMPLES / "packaged" / "pyproject.toml").read_text(encoding="utf-8"))
    ((name, module),) = project["project"]["entry-points"]["crmkit"].items()
    source = (EXAMPLES / "recall.py").read_text(encoding="utf-8")
    (tmp_path / f"{module}.py").write_text(
        source.replace("recall", "parcel").replace("Recall", "Parcel"), encoding="utf-8"
    )
    info = tmp_path / "crmkit_parcel-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: crmkit-parcel\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[crmkit]\nparcel = {module}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, module, raising=False)

    registry = load_plugins(Settings.load(tmp_path, plugins=("parcel",)))

    assert name == "recall"
    assert [each.name for each in registry.plugins] == ["core", "parcel"]
    assert any(each.name == "parcel" for each in entry_points(group="crmkit"))


def test_a_tier_can_be_about_a_metric_of_a_plugin_it_knows_nothing_of(
    crm_factory: CrmFactory,
) -> None:
    often = {"metric": "visits.count", "window": "rolling", "days": 30, "at_least": 2}
    tiers = [{"name": "guest"}, {"name": "regular", "entry": often}]
    options = {"tiers": {"sets": {"club": {"currency": "CNY", "tiers": tiers}}}}
    crm = crm_factory("tiers", _example("visits"), plugin=options)
    (ann,) = crm.upsert_customers([CustomerInput("till", "ann")])
    ref = CustomerRef(external_id="ann")
    visits = [
        InteractionInput("desk", name, kind="visit", occurred_at=NOON, customer=CustomerRef(ann.id))
        for name in ("1", "2")
    ]

    def tier(number: str) -> str:
        crm.record_transactions([sale(number, customer=ref)])
        with crm.read() as session:
            return session.exec(select(TierMembership.tier)).one()

    crm.record_interactions(visits[:1])
    assert tier("1") == "guest"
    crm.record_interactions(visits[1:])
    assert tier("2") == "regular"


def test_a_service_is_found_by_name_and_version(crm_factory: CrmFactory) -> None:
    crm = crm_factory(_example("visits"))
    (ann,) = crm.upsert_customers([CustomerInput("till", "ann")])

    greeting = crm.registry.services.find("visits.greeting", 1)

    assert greeting is not None
    with crm.read() as session:
        assert greeting(session, ann.id) == "visit number 0"
