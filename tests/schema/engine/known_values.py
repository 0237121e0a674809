"""Values that arguments may have: what is stored, what nearly is, and what cannot be."""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

import orjson
from sqlalchemy import text
from tests.schema.engine.shop_data import NAMES, PAYLOADS
from tests.schema.engine.twins import Twins

from crmkit.testing import NOON

_NODES = {
    "cus": "customer",
    "txn": "transaction",
    "int": "interaction",
    "pts": "loyalty_ledger_entry",
}
_NEW = [f"new{number}" for number in range(40)]
_AMOUNTS = ["12.50", "0", "1", "3", "0.05", "-1", 2, "900000000000", "1e3", "", "x", "1.2345678"]
_MOMENTS = [
    NOON.isoformat(), "2026-06-15T03:59:59.760Z", "1999-01-01T00:00:00+08:00",
    "2026-06-15T04:00:00.000001Z", "1900-01-01T00:00:00Z", "2199-12-31T23:59:59.999999Z",
]  # fmt: skip
_DAYS = ["1971-02-28", "2000-02-29", "2026-06-15", "1880-01-01", "9999-12-31", "1900-01-01"]
WRONG = [
    "x", "", "a\x00b", 3, 3.0, 1.5, True, None, [], {}, [1], {"x": 1}, 2**31, -(2**31) - 1,
    2**53 + 1, -1, 0, 101, "2026-02-30", "CNY", [None], [[]],
]  # fmt: skip


class KnownValues:
    """Values by where they are wanted, renewed from what shops hold and answer."""

    def __init__(self, twins: Twins) -> None:
        self._twins = twins
        self._cursors: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=40))
        self._fixed = _fixed()
        self._stored: dict[str, Sequence[Any]] = {}
        self.renew()

    def renew(self) -> None:
        """Read what is stored now."""
        with self._twins.reference.crm.read() as session:
            connection = session.connection()

            def column(table: str, name: str) -> list[str]:
                rows = connection.execute(text(f'SELECT {name} FROM "{table}"'))
                return [str(value).replace("-", "") if name == "id" else value for (value,) in rows]

            ids = {
                prefix: [f"{prefix}_{each}" for each in column(table, "id")]
                for prefix, table in _NODES.items()
            }
            receipts = column("transaction", "external_id")
            people = column("customer_external_id", "external_id")
        every = [each for some in ids.values() for each in some[-20:]]
        odd = [f"cus_{'0' * 32}", "nonsense", "", every[0].upper(), f"xyz_{every[0][4:]}", "cus_"]
        customers = [*ids["cus"], *ids["cus"], *odd[:2], ids["txn"][0]]
        self._stored = {
            "customer.id": customers,
            "transaction.id": [*ids["txn"], *ids["txn"], *odd[:2], ids["cus"][0]],
            "node.id": [*every, *odd],
            "nodes.ids": [*every, *every, *every, *every, odd[0]],
            "AdjustPointsInput.customerId": customers,
            "CustomerRefInput.id": ids["cus"],
            "ExtrasRenameInput.customerId": customers,
            "extrasTouch.id": customers,
            "customer.externalId": people,
            "CustomerRefInput.externalId": [*people, "nobody"],
            "CustomerInput.externalId": [*people, *_NEW],
            "TransactionInput.externalId": [*_NEW, *_NEW, *receipts],
            "TransactionInput.original": receipts,
            "AttachTransactionInput.externalId": [*receipts, "anonymous"],
            "InteractionInput.externalId": [*_NEW, "i1"],
            "InteractionInput.transaction": [*receipts, "none"],
            "ExternalIdInput.externalId": [*receipts, *people, "none"],
        }

    def pool(self, owner: str, name: str, type_: str) -> Sequence[Any]:
        """Return what an argument or an input field may be; empty if nothing is known."""
        for key in (f"{owner}.{name}", name, type_):
            found = self._stored.get(key) or self._fixed.get(key)
            if found:
                return found
        return ()

    def cursor(self, rng: Random, type_name: str, order: str) -> str | None:
        """Return a cursor of a list of a type in an order, seldom a bad one; None if unknown."""
        exact = self._cursors.get(f"{type_name}{order}")
        if not exact:
            return None
        one, chance = rng.choice(list(exact)), rng.random()
        if chance < 0.9:
            return one
        if chance < 0.94:
            return rng.choice(list(self._cursors[rng.choice(sorted(self._cursors))]))
        bad = (one[:-2], one.upper(), one + "20", one[:-4] + "315d", "", "00", "zz", "5b5d", "名")
        return rng.choice(bad)

    def learn(self, answer: Any) -> None:
        """Remember the cursors that stand in an answer."""
        for each in _texts(answer):
            if each.startswith("5b22") and len(each) > 8:
                name = orjson.loads(bytes.fromhex(each))[0]
                if each not in self._cursors[name]:
                    self._cursors[name].append(each)


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _fixed() -> dict[str, Sequence[Any]]:
    return {
        "source": [*["till"] * 9, "elsewhere"],
        "email": ["c1@example.com", "C3@example.com", "nobody@example.com", "x", ""],
        "phone": ["+8613800138000", "138 0013 8000", "x"],
        "page.size": [1, 2, 3, 4, 5, 6, 2, 3, 0, 101],
        "times": [0, 1, 2],
        "count": [0, 1, 3, 5, 6],
        "least": [0, 2, 4],
        "extrasStrict.text": ["", "x", "y", "long enough"],
        "extrasBadge.text": ["", "abc", "odd n", "even", *NAMES],
        "extrasCustomer.name": NAMES,
        "extrasTouch.times": [1, 1, 0, 5],
        "ExtrasRenameInput.failing": ["", "", "taken", "crash", "told"],
        "ExtrasRenameInput.name": [*NAMES, "n", "abcd"],
        "CustomerInput.birthOn": ["1971-02-28", "2000-02-29", "2000-02-29", "2001-02-29", "x"],
        "CustomerInput.language": ["zh-CN", "en", "x y"],
        "CustomerInput.tags": ["regular", "名", "vip", ""],
        "ContactPointInput.value": ["c1@example.com", "+8613900139000", "d@example.com", "x"],
        "ContactPointInput.kind": ["EMAIL", "PHONE", "SOCIAL"],
        "occurredAt": [*_MOMENTS[:2], NOON.isoformat(), "yesterday"],
        "verifiedAt": [*_MOMENTS[:2], "never"],
        "TransactionInput.currency": [*["CNY"] * 9, "JPY", "KWD", "XXX"],
        "TransactionInput.kind": [*["SALE"] * 9, "RETURN", "VOID", "EXCHANGE", "ADJUSTMENT"],
        "TransactionLineInput.kind": [*["PRODUCT"] * 9, "DISCOUNT", "SHIPPING", "SAMPLE", "OTHER"],
        "TransactionLineInput.sku": ["sku1", "sku2", "茶", "new"],
        "TransactionLineInput.quantity": ["1", "2", 3, "0.5", "1.125", "-1", "x"],
        "TransactionLineInput.unitPrice": ["12.50", "7", 3, "0.05", "99", "-2"],
        "TransactionLineInput.discount": ["0", "0", "0.05", "1"],
        "TransactionLineInput.tax": ["0", "0", "0.01"],
        "InteractionInput.kind": ["note", "call", "search", "review", "nothing"],
        "InteractionInput.rating": [1, 5, 6],
        "InteractionInput.payload": [*PAYLOADS, {"query": "x"}, {"other": 1}, []],
        "AdjustPointsInput.points": [1, 5, 100, -1, -3, 0, 10**6, 10**12],
        "AdjustPointsInput.reasonCode": ["goodwill", "correction", "fraud", "mood", ""],
        "AdjustPointsInput.reason": ["thanks", "名 🎈", ""],
        "AdjustPointsInput.idempotencyKey": [f"k{number}" for number in range(30)],
        "errorPolicy": ["REJECT_ROWS", "REJECT_ROWS", "REJECT_BATCH"],
        "String": [*NAMES, "till", "store1", "sku1", "CNY", "A", "Family1", "%", "_", "\\", "'"],
        "Int": [0, 1, 2, 3, -1, 100, 2**31 - 1, -(2**31)],
        "Long": [0, 1, 100, 2**40, -5, 2**53, -(2**53)],
        "Float": [0, 1, 0.5, -1.25, 1e300, 5e-324],
        "Boolean": [True, False],
        "DateTime": _MOMENTS,
        "DateTimeInput": _MOMENTS[:3],
        "Date": _DAYS,
        "DateInput": _DAYS[:3],
        "Amount": _AMOUNTS,
        "JSON": [*PAYLOADS, None, 1, 0.5, "x", [1, {"a": []}], True],
        "ID": ["nonsense"],
    }
