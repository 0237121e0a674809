"""Whatever rows are sent, the answer is a typed problem or a code, and nothing is written."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from crmkit import SchemaContribution, hookimpl, models, table_of
from crmkit.testing import CrmFactory

ANSWER = "{ __typename ... on Problem { code } ... on ValidationProblem { problems { code } } }"
RECORD = (
    "mutation($rows: [TransactionInput!]!) { recordTransactions(input: {transactions: $rows}) "
    f"{ANSWER} }}"
)
UPSERT = (
    "mutation($rows: [CustomerInput!]!) { upsertCustomers(input: {customers: $rows}) "
    f"{ANSWER} }}"
)
INTERACT = (
    "mutation($rows: [InteractionInput!]!) { recordInteractions(input: {interactions: $rows}) "
    f"{ANSWER} }}"
)
ATTACH = (
    "mutation($rows: [AttachTransactionInput!]!) { attachTransactions(input: {transactions: $rows})"
    f" {ANSWER} }}"
)
Table = dict[str, list[Any]]

LINE: dict[str, Any] = {"sku": "tea", "quantity": "1", "unitPrice": "2"}
SALE: dict[str, Any] = {
    "source": "till", "externalId": "new", "occurredAt": "2026-01-01T00:00Z", "currency": "CNY",
    "lines": [LINE],
}  # fmt: skip
PERSON: dict[str, Any] = {"source": "till", "externalId": "new"}
TALK: dict[str, Any] = {
    "source": "till",
    "externalId": "new",
    "occurredAt": "2026-01-01T00:00Z",
    "kind": "note",
}
TIE: dict[str, Any] = {"source": "till", "externalId": "1-1", "customer": {"externalId": "1"}}
HUGE = "x" * 10_000_000


@pytest.fixture
def counts(shop: Any) -> Any:
    """Give a function that counts the rows of every table."""

    def count() -> dict[str, int]:
        with shop.crm.read() as session:
            return {
                table_of(model).name: session.connection()
                .execute(select(func.count()).select_from(table_of(model)))
                .scalar_one()
                for model in models.CORE_MODELS
            }

    return count


def every(table: Table) -> Iterator[dict[str, Any]]:
    """Yield every wrong value of a table, as a row that has nothing else."""
    return ({name: value} for name, values in table.items() for value in values)


def judge(shop: Any, query: str, **variables: Any) -> str:
    """Return the code of the answer; none may be a success, or a defect of ours."""
    answer = shop.answer(query, **variables)
    if answer.errors:
        codes = {each["extensions"]["code"] for each in answer.errors}
        assert "INTERNAL" not in codes, variables
        return str(min(codes))
    assert answer.data is not None
    (result,) = answer.data.values()
    assert result["__typename"] in ("ValidationProblem", "RefusedProblem"), result
    return str(result["code"])


BAD_SALES: Table = {
    "currency": ["XXY", "cny", "\ud800"],
    "occurredAt": [
        "2026-01-01",
        "2026-01-01T00:00",
        "２０２６-01-01T00:00Z",
        HUGE,
        "9999-12-31T23:59:59-23:59",
        5,
        None,
    ],
    "source": ["", None, "a\x00b", HUGE],
    "externalId": ["\udfff"],
    "kind": ["SELL", "sale", None, 1],
    "lines": [None, [None], "x"],
    "paid": ["NaN", "1e400", 1.5, "１", HUGE, 2**70, "9" * 400],
    "customer": [
        {"id": "cus_1"},
        {"id": ""},
        {"id": "txn_" + "0" * 32},
        {"id": "\ud800"},
        {},
        {"id": "cus_" + "0" * 32},
        {"externalId": "\x00"},
        3,
    ],
    "store": ["\x00", HUGE],
    "original": ["nobody"],
    "unknown": [1],
}


def test_no_wrong_value_of_a_transaction_is_written(shop: Any, counts: Any) -> None:
    before = counts()
    for wrong in every(BAD_SALES):
        assert judge(shop, RECORD, rows=[SALE, {**SALE, "externalId": "other", **wrong}])

    assert counts() == before


BAD_LINES: Table = {
    "quantity": ["NaN", "Infinity", "１", "1.2345", "1e5", 1.5, None, "", HUGE, 2**63],
    "unitPrice": ["0x10", "1,5", "-" + "9" * 30],
    "discount": ["-1", None],
    "sku": ["", "\ud800"],
    "kind": ["NOTHING"],
    "originalPosition": [2**31, -1],
    "amount": ["two"],
    "tax": [True],
}


def test_no_wrong_value_of_a_line_is_written(shop: Any, counts: Any) -> None:
    before = counts()
    for wrong in every(BAD_LINES):
        assert judge(shop, RECORD, rows=[{**SALE, "lines": [{**LINE, **wrong}]}])

    assert counts() == before


BAD_PEOPLE: Table = {
    "source": [""],
    "externalId": ["\x00"],
    "displayName": ["\ud800", HUGE],
    "gender": ["UNKNOWN", "male"],
    "birthOn": ["2026-02-30", "１９９０-01-01", 1990],
    "lifecycle": ["ALIVE"],
    "language": ["\x00"],
    "tags": [[HUGE], None, [None]],
    "contactPoints": [
        [{"kind": "EMAIL", "value": "no address"}],
        [{"kind": "PHONE", "value": "\ud800"}],
        [{"kind": "FAX"}],
        [{"kind": "PHONE", "value": HUGE}],
        [{"kind": "PHONE", "value": "1", "verifiedAt": "2026-01-01"}],
    ],
    "addresses": [[{"city": "\x00"}]],
}


def test_no_wrong_value_of_a_customer_is_written(shop: Any, counts: Any) -> None:
    before = counts()
    for wrong in every(BAD_PEOPLE):
        assert judge(shop, UPSERT, rows=[PERSON, {**PERSON, "externalId": "other", **wrong}])

    assert counts() == before


BAD_TALKS: Table = {
    "kind": ["no such", "\ud800"],
    "rating": [6, 2**31, 1.5],
    "content": [HUGE, "\x00"],
    "direction": ["UP"],
    "payload": [{"a": "\ud800"}, {"no": "key"}, 7],
    "transaction": ["nobody"],
    "subject": ["\udc00"],
    "customer": [{"externalId": "nobody"}],
    "occurredAt": ["yesterday"],
}


def test_no_wrong_value_of_an_interaction_is_written(shop: Any, counts: Any) -> None:
    before = counts()
    for wrong in every(BAD_TALKS):
        assert judge(shop, INTERACT, rows=[{**TALK, **wrong}])

    assert counts() == before


BAD_TIES: Table = {
    "externalId": ["nobody", "\ud800"],
    "source": [""],
    "customer": [{}, None, {"externalId": "nobody"}, {"id": "int_7"}, {"externalId": "2"}],
}


def test_no_wrong_attachment_is_made(shop: Any, counts: Any) -> None:
    before = counts()
    for wrong in every(BAD_TIES):
        assert judge(shop, ATTACH, rows=[{**TIE, **wrong}])

    assert counts() == before


@pytest.mark.parametrize("query", [RECORD, UPSERT, INTERACT, ATTACH])
def test_a_thousand_and_one_rows_are_too_many(shop: Any, counts: Any, query: str) -> None:
    row = {RECORD: SALE, UPSERT: PERSON, INTERACT: TALK, ATTACH: TIE}[query]
    before = counts()

    judge(shop, query, rows=[{**row, "externalId": str(number)} for number in range(1001)])

    assert counts() == before


@pytest.mark.parametrize("query", [RECORD, UPSERT, INTERACT, ATTACH])
def test_no_rows_are_no_problem(shop: Any, query: str) -> None:
    (result,) = shop(query, rows=[]).values()

    assert result["__typename"].endswith(("Success", "Result", "Problem"))


class Meddling:
    """A plugin whose hook has a defect."""

    def __init__(self, inline: Any) -> None:
        self.plugin = inline("meddling", SchemaContribution(), ()).plugin

    @hookimpl
    def customers_upserted(self, session: Any, batch: Any) -> None:
        raise ZeroDivisionError("secret-of-the-shop")


def test_a_plugins_defect_is_ours_to_hide(
    crm_factory: CrmFactory, inline: Any, api_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    api = api_of(crm_factory(Meddling(inline)))

    (error,) = api.answer(UPSERT, rows=[PERSON]).errors

    assert error["extensions"]["code"] == "INTERNAL"
    assert "meddling" not in str(error)
    assert "secret" not in str(error)
    assert "meddling" in caplog.text
    assert error["extensions"]["reference"] in caplog.text
    assert api("{ customers { totalCount } }")["customers"]["totalCount"] == 0
