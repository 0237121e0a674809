"""Excel workbooks, written here by hand: a zip of three small XML files."""

import zipfile
from importlib import resources
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from sqlalchemy import select

from crmkit import Crm, table_of
from crmkit.errors import ImportFailed
from crmkit.importing import import_transactions
from crmkit.importing.workbooks import cell_text
from crmkit.models import CustomerExternalId, Transaction

_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_DATE = "date"  # marks a serial number that Excel shows as a date
Cell = str | float | tuple[str, float] | None


def _workbook(path: Path, rows: dict[int, list[Cell]]) -> Path:
    body = "".join(
        f'<row r="{number}">{"".join(_cell(number, at, cell) for at, cell in enumerate(row))}</row>'
        for number, row in rows.items()
    )
    package = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="xml" '
        'ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="a" '
        f'Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="b" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="c" Type="{_RELATIONS}/styles" Target="styles.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_NAMESPACE}" xmlns:r="{_RELATIONS}"><sheets>'
        '<sheet name="销售" sheetId="1" r:id="b"/></sheets></workbook>',
        "xl/styles.xml": f'<styleSheet xmlns="{_NAMESPACE}"><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_NAMESPACE}"><sheetData>{body}'
        "</sheetData></worksheet>",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def _cell(row: int, at: int, cell: Cell) -> str:
    place = f'r="{"ABCDEFGHIJ"[at]}{row}"'
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f'<c {place} t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
    if isinstance(cell, tuple):
        return f'<c {place} s="1"><v>{cell[1]}</v></c>'
    return f"<c {place}><v>{cell}</v></c>"


_HEADING: list[Cell] = ["单号", "会员号", "日期", "商品编码", "数量", "单价"]


def test_a_workbook_is_read_as_its_sheet_shows_it(crm: Crm, tmp_path: Path) -> None:
    noon = (_DATE, 46188.5)  # 2026-06-15 12:00
    path = _workbook(
        tmp_path / "销售.xlsx",
        {1: _HEADING, 2: [1001, 13800000001, noon, 6901234567890, 2, 0.1 + 0.2]},
    )

    report = import_transactions(crm, path, "excel-zh")

    t, name = table_of(Transaction), table_of(CustomerExternalId)
    with crm.read() as session:
        sale = session.execute(select(t)).one()
        customer = session.execute(select(name.c.external_id)).scalar_one()
    assert (report.lines, report.taken) == (1, 1)
    assert (sale.external_id, customer, sale.total_minor) == ("1001", "13800000001", 60)
    assert sale.occurred_at.isoformat() == "2026-06-15T04:00:00+00:00"


def test_numbers_of_a_workbook_mean_the_same_whatever_the_marks_of_the_mapping(
    crm: Crm, tmp_path: Path
) -> None:
    shipped = (resources.files("crmkit.importing") / "mappings" / "excel-zh.toml").read_text(
        "utf-8"
    )
    mapping = tmp_path / "comma.toml"
    mapping.write_text(
        shipped.replace('thousands = ","', 'thousands = "."\ndecimal = ","'), "utf-8"
    )
    row: list[Cell] = ["A1", None, "2026/6/15", "tea", 1.125, "1.000,50"]

    report = import_transactions(
        crm, _workbook(tmp_path / "sales.xlsx", {1: _HEADING, 2: row}), mapping
    )

    with crm.read() as session:
        total = session.execute(select(table_of(Transaction).c.total_minor)).scalar_one()
    assert (report.taken, total) == (1, 112_556)


def test_rejects_of_a_workbook_have_the_numbers_excel_shows(crm: Crm, tmp_path: Path) -> None:
    good: list[Cell] = ["A1", None, "2026/6/15", "tea", 1, 5]
    path = _workbook(
        tmp_path / "sales.xlsx", {1: _HEADING, 2: good, 5: ["A2", None, "2026/6/15", "tea", "x", 5]}
    )

    report = import_transactions(crm, path, "excel-zh")

    assert (report.lines, report.taken) == (4, 1)
    assert [(each.line, each.damage.code) for each in report.examples] == [
        (3, "EMPTY_LINE"),
        (4, "EMPTY_LINE"),
        (5, "INVALID_AMOUNT"),
    ]


def test_a_zip_that_is_no_workbook_is_refused(crm: Crm, tmp_path: Path) -> None:
    path = tmp_path / "sales.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("sales.csv", "单号")

    with pytest.raises(ImportFailed, match="not a readable workbook"):
        import_transactions(crm, path, "excel-zh")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (13800000001.0, "13800000001"),
        (2.55, "2.55"),
        (0.1 + 0.2, "0.3"),
        (1e20, "1" + "0" * 20),
        (True, "true"),
    ],
)
def test_numbers_lose_what_excel_added(cell: float, text: str) -> None:
    assert cell_text(cell) == text
