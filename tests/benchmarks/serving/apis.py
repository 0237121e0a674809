"""The operations in the words of each kind of API."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.serving.operations import NAMES, Case

PROFILE = (
    "id displayName givenName familyName gender birthOn language lifecycle createdAt updatedAt"
)


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


def _postgraphile_variables(name: str, case: Case, cursor: str) -> dict[str, Any]:
    if name == "M1":
        return {"sale": case.sale}
    return {"id": str(case.customer)} if name in ("Q1", "Q2") else {"after": cursor}


_OWN_PROFILE = PROFILE.replace("id ", "id: rowId ", 1)
_OWN_CUSTOMER = "customer: customerByRowId(rowId: $id)"
_OWN_SALE = _SALE.replace("id ", "id: rowId ", 1)
_OWN_PARTS = """loyalty: loyaltyAccountsByCustomerId(condition: {pointKind: "points"}) {
    nodes { balance } }
    tier: standInsTierByCustomerId { code since }
    segments: standInsMembershipsByCustomerId(orderBy: PRIMARY_KEY_ASC) {
    nodes { segment: standInsSegmentBySegmentId { name } } }
    warnings: standInsWarningsByCustomerId(condition: {isOpen: true},
    orderBy: [RAISED_AT_DESC, ROW_ID_ASC]) { nodes { rule severity raisedAt } }"""
_LATEST = "transactions: transactionsByCustomerId(orderBy: [OCCURRED_AT_DESC, ROW_ID_DESC], first:"
_OWN_PAGE = "customers: allCustomers(orderBy: [CREATED_AT_DESC, ROW_ID_DESC], after: $after, first:"
POSTGRAPHILE = Api(
    {
        "Q1": f"query Q1($id: UUID!) {{ {_OWN_CUSTOMER} {{ {_OWN_PROFILE} }} }}",
        "Q2": f"""query Q2($id: UUID!) {{ {_OWN_CUSTOMER} {{
            {_OWN_PROFILE} {_OWN_PARTS} {_LATEST} 10) {{ nodes {{ {_OWN_SALE}
            lines: transactionLinesByTransactionId(orderBy: PRIMARY_KEY_ASC) {{
            nodes {{ position sku description quantityMilli amountMinor }} }} }} }} }} }}""",
        "Q3": f"query Q3($after: Cursor) {{ {_OWN_PAGE} 50) {{ nodes {{ {_OWN_PROFILE} }} }} }}",
        "Q4": f"""query Q4($after: Cursor) {{ {_OWN_PAGE} 20) {{ nodes {{ id: rowId displayName
            {_LATEST} 5) {{ nodes {{ {_OWN_SALE} }} }} }} }} }}""",
        "M1": """mutation M1($sale: JSON!) { peerRecordSale(input: {sale: $sale}) {
            result { outcome totalMinor currency balance } } }""",
    },
    _postgraphile_variables,
    walk=f"""query Walk($after: Cursor) {{ {_OWN_PAGE} 100) {{
        edges {{ cursor node {{ id: rowId }} }} }} }}""",
)
"""What PostGraphile makes of the tables, under the names that the others use."""
