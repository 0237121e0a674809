"""Histories of a small shop, for tests that record them more than once."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from crmkit import CustomerRef, LineInput, TransactionInput

START = datetime(2026, 1, 10, 9, tzinfo=UTC)
NAMES = ("ann", "bob", "cat", "dan")


@dataclass(frozen=True)
class Happened:
    """A document of the till, or what a person did, such as giving points."""

    at: datetime
    document: TransactionInput | None = None
    by_hand: Any = None


def random_history(rng: random.Random, days: int, size: int) -> list[Happened]:
    """Return documents in an order in which they can be recorded; no two at the same instant.

    Goods come back whole, in part, and without a named sale; sales and returns are voided; some
    documents precede what they refer to, as the till's clock was wrong.
    """
    minutes = rng.sample(range(days * 24 * 60), size)
    made: list[Happened] = []
    sales: list[TransactionInput] = []
    voidable: list[str] = []
    left: dict[str, int] = {}
    for number, minute in enumerate(minutes):
        values: dict[str, Any] = {"kind": "sale"}
        who, pieces, price = rng.choice((*NAMES, None)), rng.randint(1, 4), rng.randint(1, 400)
        kind = rng.choices(("sale", "return", "unlinked", "void"), (12, 5, 1, 2))[0]
        sold = rng.choice(sales) if sales else None
        if kind == "return" and sold is not None and left[sold.external_id]:
            values = {"kind": "return", "original": sold.external_id}
            pieces = -rng.randint(1, left[sold.external_id])
            left[sold.external_id] += pieces
            price = int(str(sold.lines[0].unit_price))
            if sold.external_id in voidable:
                voidable.remove(sold.external_id)
            voidable.append(f"r{number}")
        elif kind == "unlinked":
            values, pieces = {"kind": "return"}, -1
        elif kind == "void" and voidable:
            named = voidable.pop(rng.randrange(len(voidable)))
            values, who, pieces = {"kind": "void", "original": named}, None, 0
            left[named] = 0
        document = TransactionInput(
            "till", f"r{number}", occurred_at=START + timedelta(minutes=minute), currency="CNY",
            lines=[LineInput("tea", pieces, str(price))] if pieces else [],
            customer=CustomerRef(external_id=who) if who else None, **values,
        )  # fmt: skip
        if document.kind == "sale":
            sales.append(document)
            voidable.append(document.external_id)
            left[document.external_id] = pieces
        made.append(Happened(START + timedelta(minutes=minute), document))
    return made


def by_time(history: Sequence[Happened]) -> Iterator[tuple[datetime, Happened]]:
    """Give a history in the order of its time, each with the time of its turn.

    What precedes its original follows it at once.
    """
    times = {each.document.external_id: each.at for each in history if each.document}
    early: defaultdict[str, list[Happened]] = defaultdict(list)
    waiting: set[str] = set()
    for happened in sorted(history, key=lambda each: each.at):
        original = happened.document.original if happened.document else None
        if original is not None and (times[original] > happened.at or original in waiting):
            early[original].append(happened)
            waiting.add(happened.document.external_id)  # type: ignore[union-attr]
            continue
        ready = [happened]
        while ready:
            each = ready.pop(0)
            yield happened.at, each
            if each.document:
                waiting.discard(each.document.external_id)
                ready = early.pop(each.document.external_id, []) + ready
