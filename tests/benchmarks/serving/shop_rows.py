"""A made-up shop as rows: the same for the same size, in the order in which it happened."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

import orjson

CURRENCY = "GBP"
SOURCE = "serving"
_FROM, _UNTIL = datetime(2023, 11, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
_CHUNK = 20_000
_SEGMENTS, _SKUS, _STORES, _CATEGORIES = 40, 4000, 25, 30
_NAMES = "Ada Bo Cai Dan Eve Fei Guo Han Ida Jun Kai Lin Mei Nan Ole Pia Qi Rui Sam Tao".split()
_CENTS = "0" * 4  # from millionths of the major unit to hundredths

Row = tuple[Any, ...]
Tables = dict[str, list[Row]]

COLUMNS = {
    "customer": (
        "id", "display_name", "given_name", "family_name", "gender", "birth_on", "occupation",
        "language", "lifecycle", "lifecycle_since", "created_at", "updated_at",
    ),
    "transaction": (
        "id", "kind", "source", "external_id", "customer_id", "occurred_at", "recorded_at",
        "business_on", "channel", "store", "currency", "total_minor", "paid_minor", "due_minor",
        "fingerprint",
    ),
    "transaction_line": (
        "transaction_id", "position", "kind", "sku", "description", "category", "quantity_milli",
        "unit_price_micros", "discount_minor", "tax_minor", "amount_minor",
    ),
    "loyalty_ledger_entry": (
        "id", "customer_id", "kind", "points_delta", "balance_after", "source", "source_id",
        "line", "rule", "explanation", "idempotency_key", "occurred_at", "recorded_at",
    ),
    "loyalty_lot": ("id", "customer_id", "entry_id", "points", "active_from"),
    "loyalty_account": ("customer_id", "balance", "debt", "last_entry_id"),
    "stand_ins_tier": ("customer_id", "code", "since"),
    "stand_ins_segment": ("id", "name"),
    "stand_ins_membership": ("customer_id", "segment_id"),
    "stand_ins_warning": ("id", "customer_id", "rule", "severity", "raised_at", "is_open"),
}  # fmt: skip
"""The columns of each table that is filled, tables that others refer to first."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is: on average three lines a transaction."""

    customers: int
    transactions: int


SIZES = {
    "XS": Size(300, 3_000),
    "S": Size(10_000, 100_000),
    "M": Size(100_000, 1_000_000),
    "L": Size(120, 24_000),
    "G4": Size(10_000, 10_000),
    "G5": Size(100_000, 100_000),
    "G6": Size(1_000_000, 1_000_000),
}
"""XS is for trying out, S for quick runs, M for what is published, L for a large answer, G4 to G6
for growth."""


def customer_id(size: Size, number: int) -> UUID:
    """Return the id of a customer, counted from 0 for the first that was known."""
    return UUID(hex=_id(_moment(number, size.customers).timestamp(), number))


def shop(size: Size) -> Iterator[Tables]:
    """Give the rows of everything in chunks, as both databases take them."""
    random = Random(20261122)
    for start in range(0, size.customers, _CHUNK):
        yield _customers(size, range(start, min(start + _CHUNK, size.customers)), random)
    yield {"stand_ins_segment": [(n, f"segment {n:02}") for n in range(1, _SEGMENTS + 1)]}
    accounts = [(0, "")] * size.customers
    ids = [customer_id(size, number).hex for number in range(size.customers)]
    for start in range(0, size.transactions, _CHUNK):
        numbers = range(start, min(start + _CHUNK, size.transactions))
        yield _sales(size, numbers, ids, accounts, random)
    filled = zip(ids, accounts, strict=True)
    yield {"loyalty_account": [(id_, sum_, 0, last) for id_, (sum_, last) in filled if sum_]}


def _customers(size: Size, numbers: range, random: Random) -> Tables:
    made: Tables = {name: [] for name in COLUMNS}
    for number in numbers:
        at = _text(_moment(number, size.customers))
        id_ = customer_id(size, number).hex
        given, family = random.choice(_NAMES), random.choice(_NAMES) + random.choice(_NAMES).lower()
        born = f"{random.randrange(1940, 2008)}-{random.randrange(1, 13):02}-15"
        made["customer"].append(
            (id_, f"{given} {family}", given, family, random.choice(("female", "male", None)), born,
             None, random.choice(("en-GB", "zh-CN")), "customer", at, at, at)
        )  # fmt: skip
        tier = random.choice(("silver", "gold", "platinum"))
        made["stand_ins_tier"].append((id_, tier, at))
        some = random.sample(range(1, _SEGMENTS + 1), random.randrange(2, 5))
        made["stand_ins_membership"] += [(id_, segment) for segment in sorted(some)]
        made["stand_ins_warning"] += [_warning(number, id_, turn, random) for turn in range(3)]
    return made


def _warning(number: int, id_: str, turn: int, random: Random) -> Row:
    at = datetime.fromtimestamp(_UNTIL.timestamp() - random.randrange(10**7), UTC)
    severity = random.choice(("low", "high"))
    return (
        _id(at.timestamp(), number * 3 + turn), id_, f"rule {random.randrange(12)}", severity,
        _text(at), turn < 2,
    )  # fmt: skip


def _sales(
    size: Size, numbers: range, ids: list[str], accounts: list[tuple[int, str]], random: Random
) -> Tables:
    """Some customers buy more than others: the first ones twice as much as the last."""
    made: Tables = {name: [] for name in COLUMNS}
    for number in numbers:
        moment = _moment(number, size.transactions)
        at, buyer = _text(moment), int(random.random() ** 1.2 * size.customers)
        id_ = _id(moment.timestamp(), number)
        lines = [_line(id_, place, random) for place in range(1, random.randrange(1, 6) + 1)]
        total = sum(line[-1] for line in lines)
        made["transaction"].append(
            (id_, "sale", SOURCE, f"s{number}", ids[buyer], at, at, at[:10], "store",
             f"store {random.randrange(_STORES):02}", CURRENCY, total, total, 0, f"{number:032x}")
        )  # fmt: skip
        made["transaction_line"] += lines
        points = total // 100
        if points:
            balance = accounts[buyer][0] + points
            entry, lot = _points(number, id_, ids[buyer], (points, balance, total), at)
            accounts[buyer] = balance, entry[0]
            made["loyalty_ledger_entry"].append(entry)
            made["loyalty_lot"].append(lot)
    return made


def _line(transaction: str, position: int, random: Random) -> Row:
    sku, pieces = random.randrange(_SKUS), random.choice((1, 1, 1, 2, 3))
    cents = 95 + sku * 7 % 2900
    return (
        transaction, position, "product", f"sku{sku:05}", f"article number {sku}",
        f"category {sku % _CATEGORIES:02}", pieces * 1000, int(f"{cents}{_CENTS}"), 0, 0,
        pieces * cents,
    )  # fmt: skip


def _points(
    number: int, sale: str, customer: str, figures: tuple[int, int, int], at: str
) -> tuple[Row, Row]:
    points, balance, total = figures
    entry = _id(datetime.fromisoformat(at).timestamp(), number + (1 << 40))
    explanation = {
        "version": 1,
        "amount_minor": total,
        "currency": CURRENCY,
        "points_per_major_unit": "1",
    }
    row = (
        entry, customer, "accrual", points, balance, "transaction", sale, 0, "per_amount",
        orjson.dumps(explanation).decode(), f"accrual:per_amount:{sale}", at, at,
    )  # fmt: skip
    return row, (entry[:-1] + "f", customer, entry, points, at)


def _moment(number: int, of: int) -> datetime:
    span = (_UNTIL - _FROM).total_seconds()
    return datetime.fromtimestamp(_FROM.timestamp() + int(span * number / of), UTC)


def _text(at: datetime) -> str:
    return f"{at.isoformat()[:19]}.000000Z"


def _id(seconds: float, number: int) -> str:
    """Return a UUID version 7 in hex that no other row of its table has, always the same."""
    spread = number * 0x9E3779B97F4A7C15 & (1 << 60) - 1
    return f"{int(seconds * 1000):012x}7{number & 0xFFF:03x}8{spread:015x}"
