"""The five operations, in the words of each kind of API, and their answers in common words."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.benchmarks.serving.client import NUMBER

NAMES = ("Q1", "Q2", "Q3", "Q4", "M1")
WRITES = "M1"
PROFILE = (
    "id displayName givenName familyName gender birthOn language lifecycle createdAt updatedAt"
)
SALE_SOURCE = "benchmark"


@dataclass(frozen=True, slots=True)
class Case:
    """What one request is about.

    Attributes:
        customer: Q1, Q2: whom to show; Q3, Q4: who stands before the page; M1: who buys.
        created_at: of the customer, as text with six decimals.
        number: M1: the number of the sale, in ten digits.
    """

    customer: UUID
    created_at: str
    number: str = NUMBER.decode()

    @property
    def sale(self) -> dict[str, Any]:
        """The sale as crmkit's TransactionInput; its lines follow from the customer."""
        first = self.customer.int % 3999
        return {
            "source": SALE_SOURCE,
            "externalId": f"b{self.number}",
            "occurredAt": "2026-11-20T10:30:00Z",
            "currency": "GBP",
            "store": f"store {first % 25:02}",
            "customer": {"id": f"cus_{self.customer.hex}"},
            "lines": [_line(first + turn) for turn in range(3)],
        }

    @property
    def total(self) -> int:
        """What the sale costs, in pence."""
        return sum(
            int(Decimal(line["unitPrice"]) * 100) * int(line["quantity"])
            for line in self.sale["lines"]
        )


def _line(sku: int) -> dict[str, str]:
    cents = 195 + sku * 7 % 2900
    return {
        "sku": f"sku{sku:05}",
        "description": f"article number {sku}",
        "category": f"category {sku % 30:02}",
        "quantity": str(1 + sku % 2),
        "unitPrice": f"{cents // 100}.{cents % 100:02}",
    }


@dataclass(frozen=True)
class Api:
    """How requests to one kind of server are written.

    Attributes:
        documents: GraphQL text by operation; empty for servers without GraphQL.
        variables: what goes with it, for a case and the cursor of its customer.
        walk: a document that gives the cursors of the customers behind `$after`.
        paths: by operation, where it is sent to other than /graphql.
    """

    documents: dict[str, str]
    variables: Callable[[str, Case, str], dict[str, Any]]
    walk: str = ""
    paths: dict[str, str] = field(default_factory=dict)

    def body(self, name: str, case: Case, cursor: str) -> dict[str, Any]:
        """Return the JSON of a request."""
        variables = self.variables(name, case, cursor)
        if not self.documents:
            return variables
        return {"query": self.documents[name], "variables": variables, "operationName": name}


def _limit_variables(name: str, case: Case, _cursor: str) -> dict[str, Any]:
    if name == "M1":
        return case.sale
    if name in ("Q1", "Q2"):
        return {"id": case.customer.hex}
    return {"createdAt": case.created_at, "id": case.customer.hex}


LIMIT = Api({}, _limit_variables, paths={name: f"/{name}" for name in NAMES})


def _crmkit_variables(name: str, case: Case, cursor: str) -> dict[str, Any]:
    if name == "M1":
        return {"input": {"transactions": [case.sale]}}
    if name in ("Q1", "Q2"):
        return {"id": f"cus_{case.customer.hex}"}
    return {"after": cursor}


_PARTS = "loyalty { balance } tier { code since } segments { name } " + (
    "warnings { rule severity raisedAt }"
)
_TOTAL = "total { amount currency }"

CRMKIT = Api(
    {
        "Q1": f"query Q1($id: ID!) {{ customer(id: $id) {{ {PROFILE} }} }}",
        "Q2": f"""query Q2($id: ID!) {{ customer(id: $id) {{ {PROFILE} {_PARTS}
            transactions(first: 10) {{ nodes {{ id occurredAt kind store {_TOTAL}
            lines(first: 20) {{ nodes {{ position sku description quantity amount {{ amount }} }} }}
            }} }} }} }}""",
        "Q3": f"""query Q3($after: String) {{ customers(first: 50, after: $after) {{
            nodes {{ {PROFILE} }} }} }}""",
        "Q4": f"""query Q4($after: String) {{ customers(first: 20, after: $after) {{
            nodes {{ id displayName transactions(first: 5) {{
            nodes {{ id occurredAt kind store {_TOTAL} }} }} }} }} }}""",
        "M1": f"""mutation M1($input: RecordTransactionsInput!) {{
            recordTransactions(input: $input) {{ __typename ... on RecordTransactionsSuccess {{
            rows {{ outcome transaction {{ id {_TOTAL} customer {{ loyalty {{ balance }} }} }} }}
            }} }} }}""",
    },
    _crmkit_variables,
    walk="""query Walk($after: String) { customers(first: 100, after: $after) {
        edges { cursor node { id } } } }""",
)


def _list_variables(name: str, case: Case, _cursor: str) -> dict[str, Any]:
    if name == "M1":
        return {"sale": {**case.sale, "customer": str(case.customer)}}
    if name in ("Q1", "Q2"):
        return {"id": str(case.customer)}
    return {"createdAt": case.created_at, "id": str(case.customer)}


_AFTER = "afterCreatedAt: $createdAt, afterId: $id"
_SALE = "id occurredAt kind store totalMinor currency"
LISTS = Api(
    {
        "Q1": f"query Q1($id: ID!) {{ customer(id: $id) {{ {PROFILE} }} }}",
        "Q2": f"""query Q2($id: ID!) {{ customer(id: $id) {{ {PROFILE} {_PARTS}
            transactions(first: 10) {{ {_SALE}
            lines {{ position sku description quantityMilli amountMinor }} }} }} }}""",
        "Q3": f"""query Q3($createdAt: DateTime!, $id: ID!) {{
            customers(first: 50, {_AFTER}) {{ {PROFILE} }} }}""",
        "Q4": f"""query Q4($createdAt: DateTime!, $id: ID!) {{ customers(first: 20, {_AFTER}) {{
            id displayName transactions(first: 5) {{ {_SALE} }} }} }}""",
        "M1": """mutation M1($sale: SaleInput!) { recordSale(sale: $sale) {
            outcome id totalMinor currency balance } }""",
    },
    _list_variables,
)
"""Servers whose lists are plain lists; their own names for what crmkit calls otherwise."""


def common(value: Any) -> Any:
    """Return an answer in words that are the same for all servers."""
    if isinstance(value, list):
        return [common(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"nodes"} or value.keys() == {"segment"}:
        return common(next(iter(value.values())))
    found = {}
    for key, each in value.items():
        name, read = _COMMON.get(key, (key, common))
        found[name] = each if each is None else read(each)
    return {key: each for key, each in found.items() if key not in ("currency", "__typename")}


def sale_answer(value: Any) -> dict[str, Any]:
    """Return outcome, total and balance of the answer to M1, wherever they stand."""
    found: dict[str, Any] = {}
    waiting = [common(value)]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        elif isinstance(each, dict):
            waiting += each.values()
            found.update((k, each[k]) for k in ("outcome", "total", "balance") if k in each)
    return found


def _id(value: str) -> str:
    return value.rpartition("_")[2].replace("-", "").lower()


def _instant(value: str) -> str:
    return datetime.fromisoformat(value).astimezone(UTC).isoformat()


def _minor(value: Any) -> int:
    """Return pence, from money as crmkit gives it or from pence."""
    if isinstance(value, dict):
        return _minor(Decimal(value["amount"]) * 100)
    return int(value)


_COMMON: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "id": ("id", _id),
    **{key: (key, _instant) for key in ("occurredAt", "createdAt", "updatedAt")},
    **{key: (key, _instant) for key in ("since", "raisedAt")},
    **{key: (key, str.lower) for key in ("gender", "lifecycle", "kind", "severity")},
    "total": ("total", _minor),
    "totalMinor": ("total", _minor),
    "amount": ("amount", _minor),
    "amountMinor": ("amount", _minor),
    "balance": ("balance", int),
    "quantity": ("quantity", lambda pieces: int(Decimal(pieces) * 1000)),
    "quantityMilli": ("quantity", int),
}
