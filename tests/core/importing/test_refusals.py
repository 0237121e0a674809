from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select

from crmkit import Plugin, Refusal, Refused, hookimpl, table_of
from crmkit.errors import HookFailed
from crmkit.importing import import_transactions
from crmkit.models import Transaction
from crmkit.testing import CrmFactory

Line = Callable[..., str]
_HEADING = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def _plugin(error: Exception) -> Any:
    """Return a plugin that stumbles over every document whose number ends with 7."""

    @hookimpl
    def check_transactions(batch: Any) -> None:
        if any(each.external_id.endswith("7") for each in batch.transactions):
            raise error

    manifest = Plugin(name="picky", version="1.0", summary="Dislikes sevens.")
    return SimpleNamespace(plugin=manifest, check_transactions=check_transactions)


def _pointing_plugin(field: str) -> Any:
    """Return a plugin that refuses the document 2 because of one field."""

    @hookimpl
    def check_transactions(batch: Any) -> list[Refusal]:
        named = [each for each in batch.transactions if each.external_id == "2"]
        return [Refusal(each.id, "UNWANTED", "not this one", field) for each in named]

    manifest = Plugin(name="pointing", version="1.0", summary="Dislikes a field.")
    return SimpleNamespace(plugin=manifest, check_transactions=check_transactions)


def _file(folder: Path, line: Line) -> Path:
    path = folder / "sales.csv"
    path.write_text("\n".join([_HEADING, *(line(f"{number}") for number in range(60))]))
    return path


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_a_plugin_refuses_is_rejected_and_the_rest_is_taken(
    crm_factory: CrmFactory, tmp_path: Path, line: Line, dry_run: bool
) -> None:
    crm = crm_factory(_plugin(Refused("no sevens here")))

    report = import_transactions(crm, _file(tmp_path, line), "online-retail", dry_run=dry_run)

    assert (report.taken, report.rejected, report.reasons) == (54, 6, {"REFUSED": 6})
    assert report.examples[0].line == 9
    assert report.examples[0].damage.message == "no sevens here"


def test_a_plugin_that_breaks_stops_the_import_and_nothing_of_its_chunk_stays(
    crm_factory: CrmFactory, tmp_path: Path, line: Line
) -> None:
    crm = crm_factory(_plugin(ZeroDivisionError("oops")))

    with pytest.raises(HookFailed, match="picky"):
        import_transactions(crm, _file(tmp_path, line), "online-retail", chunk_documents=5)

    with crm.read() as session:
        stored = session.execute(select(func.count()).select_from(table_of(Transaction))).scalar()
    assert stored == 5


@pytest.mark.parametrize(
    ("field", "line_number", "named"),
    [
        ("lines[1]", 4, ""),
        ("lines[1].unitPrice", 4, "UnitPrice"),
        ("customer.externalId", 3, "CustomerID"),
        ("lines", 3, ""),
        ("", 3, ""),
        ("lines[99].sku", 3, "lines[99]"),
        (f"lines[{'9' * 5_000}]", 3, f"lines[{'9' * 5_000}]"),
        ("items[x].y", 3, "items[x]"),
    ],
)
def test_a_refusal_stands_on_the_line_that_the_plugin_names(
    crm_factory: CrmFactory, tmp_path: Path, line: Line, field: str, line_number: int, named: str
) -> None:
    crm = crm_factory(_pointing_plugin(field))
    path = tmp_path / "sales.csv"
    path.write_text("\n".join([_HEADING, line("1"), line("2"), line("2")]))

    report = import_transactions(crm, path, "online-retail")

    rejected = {each.line: each.damage for each in report.examples}
    codes = {number: damage.code for number, damage in rejected.items()}
    assert codes.pop(line_number) == "UNWANTED"
    assert [*codes.values()] == ["DOCUMENT_REJECTED"]
    assert rejected[line_number].field == named
