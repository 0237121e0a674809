"""Rules for segments, which another plugin tells; here one that keeps them in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from sqlmodel import Session

from crmkit import InteractionInput, Plugin, Service, hookimpl
from crmkit.inputs import CustomerRef
from crmkit.testing import NOON, CrmFactory
from crmkit_loyalty.settings import LoyaltySettings

Till: TypeAlias = Any

BASE: dict[str, Any] = {"name": "base", "kind": "per_amount", "points": 1}
TWICE: dict[str, Any] = {"name": "twice", "kind": "multiplier", "factor": 2}
REVIEW: dict[str, Any] = {
    "name": "reviews", "kind": "interaction", "points": 20, "interaction_kinds": ["review"],
}  # fmt: skip


class Segments:
    """A plugin that knows who was in which segment since when.

    Attributes:
        asked: what it was asked, call by call.
    """

    plugin = Plugin("segments", "1.0", "Knows segments.")

    def __init__(self) -> None:
        self.since: dict[tuple[UUID, str], datetime] = {}
        self.asked: list[list[tuple[UUID, datetime]]] = []

    @hookimpl
    def register_services(self) -> Sequence[Service]:
        return [Service("segments.held", 1, "Names of segments.", self.held)]

    def held(
        self, _session: Session, wanted: Sequence[tuple[UUID, datetime]]
    ) -> list[frozenset[str]]:
        self.asked.append(list(wanted))
        return [
            frozenset(
                name for (who, name), since in self.since.items() if who == customer and since < at
            )
            for customer, at in wanted
        ]


@pytest.fixture
def segments() -> Segments:
    return Segments()


def shop(crm_factory: CrmFactory, till_of: Any, *plugins: Any, rules: Any) -> Till:
    return till_of(crm_factory("loyalty", *plugins, plugin={"loyalty": {"rules": rules}}))


def given(till: Till, who: str) -> list[tuple[str, int]]:
    return [(entry.rule, entry.points_delta) for entry in till.entries(who)]


def sell(till: Till, who: str, at: datetime = NOON) -> None:
    till.sell(who, ("tea", "1", "30.00"), occurred_at=at)


def test_a_rule_gives_to_those_who_are_in_one_of_its_segments(
    crm_factory: CrmFactory, till_of: Any, segments: Segments
) -> None:
    rule = {**BASE, "name": "tea_lovers", "segments": ["vip", "tea"]}
    till = shop(crm_factory, till_of, segments, rules=[BASE, rule])
    segments.since[till.ids["ann"], "tea"] = NOON - timedelta(days=1)
    segments.since[till.ids["bob"], "new"] = NOON - timedelta(days=1)

    sell(till, "ann")
    sell(till, "bob")
    sell(till, "ann", NOON - timedelta(days=2))  # not yet, then

    assert given(till, "ann") == [("base", 30), ("tea_lovers", 30), ("base", 30)]
    assert given(till, "bob") == [("base", 30)]


def test_the_segment_counts_that_held_just_before(
    crm_factory: CrmFactory, till_of: Any, segments: Segments
) -> None:
    till = shop(crm_factory, till_of, segments, rules=[{**BASE, "segments": ["tea"]}])
    segments.since[till.ids["ann"], "tea"] = NOON

    sell(till, "ann")
    sell(till, "ann", NOON + timedelta(microseconds=1))

    assert given(till, "ann") == [("base", 30)]


def test_multipliers_and_interactions_know_segments_too(
    crm_factory: CrmFactory, till_of: Any, segments: Segments
) -> None:
    vip = {"segments": ["vip"]}
    till = shop(crm_factory, till_of, segments, rules=[BASE, {**TWICE, **vip}, {**REVIEW, **vip}])
    segments.since[till.ids["ann"], "vip"] = NOON - timedelta(days=1)

    for who in ("ann", "bob"):
        sell(till, who)
        review = InteractionInput("till", who, NOON, "review", CustomerRef(external_id=who))
        till.crm.record_interactions([review])

    assert given(till, "ann") == [("base", 60), ("reviews", 20)]
    assert given(till, "bob") == [("base", 30)]


def test_where_nobody_knows_segments_they_filter_nothing(
    crm_factory: CrmFactory, till_of: Any
) -> None:
    till = shop(crm_factory, till_of, rules=[{**BASE, "segments": ["vip"]}])

    sell(till, "ann")

    assert given(till, "ann") == [("base", 30)]


def test_a_batch_asks_once_and_only_if_a_rule_does(
    crm_factory: CrmFactory, till_of: Any, segments: Segments
) -> None:
    till = shop(crm_factory, till_of, segments, rules=[{**BASE, "segments": ["vip"]}, TWICE])
    sales = [till.document("sale", who, [("tea", "1", "1.00")]) for who in ("ann", "bob", None)]

    till.record(*sales)
    till.enrol("eve")

    assert segments.asked == [[(till.ids["ann"], NOON), (till.ids["bob"], NOON)]]


def test_a_rule_behind_one_for_fewer_segments_has_its_turn() -> None:
    def settings(first: Mapping[str, Any], second: Mapping[str, Any]) -> LoyaltySettings:
        rules = [{**BASE, "group": "g", **first}, {**BASE, "name": "b", "group": "g", **second}]
        return LoyaltySettings.model_validate({"rules": rules})

    settings({"segments": ["vip"]}, {"segments": ["vip", "tea"]})
    settings({"segments": ["vip"]}, {})
    for wide in ({"segments": ["vip", "tea"]}, {}):
        with pytest.raises(ValueError, match=r"rules.1 \(b\).group: it can never match"):
            settings(wide, {"segments": ["vip"]})
