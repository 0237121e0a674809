"""Everything demo customers do besides buying: look, ask, praise, complain, propose."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from crmkit.demo.archetypes import Behaviour
from crmkit.demo.people import SOURCE, Person
from crmkit.demo.seasons import instant, shop_day
from crmkit.demo.words import COMPLAINTS, INQUIRIES, REVIEWS, SUGGESTIONS
from crmkit.inputs import InteractionInput, LineInput, TransactionInput
from crmkit.times import parse_instant

ANGER_DAYS = 60
"""For so many days before they leave, leavers complain often and rate badly."""

_CHANCES: Mapping[str, float] = {
    "search": 0.06,
    "view": 0.12,
    "review": 0.05,
    "inquiry": 0.02,
    "complaint": 0.008,
    "suggestion": 0.007,
    "visit": 0.02,
}
_ANGRY_COMPLAINT_CHANCE = 0.3
_BEFORE_SALE = frozenset({"search", "view"})
_SPOKEN = {"inquiry": INQUIRIES, "complaint": COMPLAINTS, "suggestion": SUGGESTIONS}


@dataclass(frozen=True, slots=True)
class _Occasion:
    """A sale to a known customer that gives rise to interactions."""

    sale: TransactionInput
    person: Person
    line: LineInput
    at: datetime
    is_angry: bool


def interactions(
    rng: Random,
    sales: Iterable[TransactionInput],
    people: Mapping[str, Person],
    languages: Mapping[str, str],
    until: datetime,
) -> Iterator[InteractionInput]:
    """Yield all interactions in order of time.

    Args:
        sales: transactions in order; only sales to known customers matter.
        people: customers by external id.
        languages: language tag by external id.
        until: instant after which nothing happens.
    """
    found = [
        _interaction(rng, kind, occasion, languages[occasion.person.external_id])
        for occasion in _occasions(rng, sales, people)
        for kind in _kinds(rng, occasion)
    ]
    found = [one for one in found if _is_possible(one, people, until)]
    found.sort(key=lambda one: parse_instant(one.occurred_at))
    for number, one in enumerate(found, 1):
        yield replace(one, external_id=f"I{number:06}")


def _occasions(
    rng: Random, sales: Iterable[TransactionInput], people: Mapping[str, Person]
) -> Iterator[_Occasion]:
    recorded = list(sales)
    voided = {one.original for one in recorded if one.kind == "void"}
    for sale in recorded:
        if sale.kind != "sale" or sale.external_id in voided:
            continue
        if sale.customer is None or sale.customer.external_id is None:
            continue
        person = people[sale.customer.external_id]
        at = parse_instant(sale.occurred_at)
        goods = [line for line in sale.lines if line.kind == "product"]
        is_angry = _is_angry(person.behaviour, shop_day(at))
        yield _Occasion(sale, person, rng.choice(goods), at, is_angry)


def _is_angry(behaviour: Behaviour, day: date) -> bool:
    return behaviour.leaves_on is not None and (behaviour.leaves_on - day).days <= ANGER_DAYS


def _kinds(rng: Random, occasion: _Occasion) -> Sequence[str]:
    """Return what happens around one sale."""
    return [
        kind
        for kind, chance in _CHANCES.items()
        if rng.random()
        < (_ANGRY_COMPLAINT_CHANCE if kind == "complaint" and occasion.is_angry else chance)
    ]


def _interaction(rng: Random, kind: str, occasion: _Occasion, language: str) -> InteractionInput:
    """Return one interaction; it gets its number later."""
    found = InteractionInput(
        source=SOURCE,
        external_id="",
        occurred_at=_moment(rng, kind, occasion),
        kind=kind,
        customer=occasion.sale.customer,
        channel="online" if kind in _BEFORE_SALE else rng.choice(("store", "phone", "wechat")),
    )
    if kind == "visit":
        return replace(found, channel="store")
    if kind in _BEFORE_SALE:
        return replace(found, **_looking(rng, kind, occasion.line))
    return replace(found, **_speaking(rng, kind, occasion, language))


def _moment(rng: Random, kind: str, occasion: _Occasion) -> datetime:
    if kind in _BEFORE_SALE:
        return occasion.at - timedelta(minutes=rng.randint(5, 600))
    day = shop_day(occasion.at) + timedelta(rng.randint(1, 5))
    return instant(day, rng.randint(8 * 60, 22 * 60 - 1))


def _looking(rng: Random, kind: str, line: LineInput) -> dict[str, Any]:
    if kind == "view":
        return {"sku": line.sku, "payload": {"url": f"/products/{line.sku}"}}
    query = rng.choice((line.category, line.brand, line.description))
    return {"payload": {"query": query, "results": rng.randint(1, 24)}}


def _speaking(rng: Random, kind: str, occasion: _Occasion, language: str) -> dict[str, Any]:
    """Return what is said about the product, in the customer's language."""
    said: dict[str, Any] = {}
    if kind == "review":
        said["rating"] = _rating(rng, occasion)
        choice: Sequence[tuple[str, str]] = [REVIEWS[said["rating"]]]
    else:
        choice = _SPOKEN[kind]
    chinese, english = rng.choice(choice)
    sentence = chinese if language == "zh-CN" else english
    if "{product}" in sentence:
        said["sku"] = occasion.line.sku
    if kind in ("review", "complaint"):
        said["transaction"] = occasion.sale.external_id
    if kind == "complaint":
        said["staff"] = occasion.sale.staff
    said["content"] = sentence.format(product=occasion.line.description)
    return said


def _rating(rng: Random, occasion: _Occasion) -> int:
    weights = (30, 35, 25, 7, 3) if occasion.is_angry else (2, 4, 14, 38, 42)
    return rng.choices((1, 2, 3, 4, 5), weights)[0]


def _is_possible(one: InteractionInput, people: Mapping[str, Person], until: datetime) -> bool:
    """Say whether it happens in time, to a customer who still deals with the shop."""
    at = parse_instant(one.occurred_at)
    if one.customer is None or one.customer.external_id is None or at > until:
        return False
    return people[one.customer.external_id].behaviour.is_active_on(shop_day(at))
