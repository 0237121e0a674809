from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from crmkit import Crm, table_of
from crmkit.errors import ImportFailed
from crmkit.importing import ImportReport, import_transactions, load_mapping, mapping_names
from crmkit.models import CustomerExternalId, Transaction, TransactionLine

Importer = Callable[..., ImportReport]
Line = Callable[..., str]

_CHINESE = """单号,会员号,日期,商品编码,商品名称,数量,单价,门店,支付金额
A1,13800000001,2026/6/15 12:30,T01,龙井茶,2,"1,050.00",徐汇店,"2,000.00"
A1,13800000001,2026/6/15 12:30,Y01,运费,1,10,徐汇店,10
A2,散客,2026年6月15日 13:00,T02,茶杯,1,25.50,徐汇店,25.5
A3,13800000001,2026/6/16 09:00,T02,茶杯,-1,25.50,徐汇店,-25.5
A4,13800000001,2026/6/16 10:00,T02,茶杯,-1,25.50,徐汇店,-25.5
A4,13800000001,2026/6/16 10:00,T01,龙井茶,1,1050,徐汇店,1050
"""
_SHOP = """
source = "corner-shop"
currency = "EUR"
timezone = "Europe/Berlin"
time_formats = "%d.%m.%Y %H:%M"
encodings = ["utf-8", "cp1252"]
delimiters = [";"]
decimal = ","
thousands = "."
{more}
[transaction]
external_id = "Bon"
occurred_at = "Zeit"
customer = ["Kunde", "Kundennummer"]
[line]
sku = "Artikel"
quantity = "Menge"
unit_price = "Preis"
[[transaction_kinds]]
kind = "return"
when = [{{ column = "Menge", below = 0 }}]
"""


def _shop(folder: Path, more: str = "") -> Path:
    path = folder / "corner-shop.toml"
    path.write_text(_SHOP.format(more=more))
    return path


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_chinese_sheets_are_read_in_both_usual_encodings(
    crm: Crm, tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / "销售.csv"
    path.write_bytes(_CHINESE.encode(encoding))

    report = import_transactions(crm, path, "excel-zh")

    t, line, name = table_of(Transaction), table_of(TransactionLine), table_of(CustomerExternalId)
    with crm.read() as session:
        stored = session.execute(
            select(t.c.external_id, t.c.kind, t.c.total_minor, t.c.store).order_by(t.c.external_id)
        ).all()
        kinds = session.execute(select(line.c.kind).where(line.c.sku == "Y01")).scalars().all()
        customers = session.execute(select(name.c.external_id)).scalars().all()
    assert (report.lines, report.taken) == (6, 6)
    assert list(map(tuple, stored)) == [
        ("A1", "sale", 201_000, "徐汇店"),
        ("A2", "sale", 2_550, "徐汇店"),
        ("A3", "return", -2_550, "徐汇店"),
        ("A4", "exchange", 102_450, "徐汇店"),
    ]
    assert (kinds, customers) == (["shipping"], ["13800000001"])


def test_a_mapping_of_ones_own_reads_local_notation(crm: Crm, tmp_path: Path) -> None:
    path = tmp_path / "bons.csv"
    path.write_bytes(
        "Bon;Zeit;Kundennummer;Artikel;Menge;Preis\n"
        "1;24.12.2025 18:00;K7;Käse;0,5;1.012,40\n"
        "2;24.12.2025 18:05;K7;Käse;-0,5;8\n".encode("cp1252")
    )

    report = import_transactions(crm, path, _shop(tmp_path))

    t = table_of(Transaction)
    with crm.read() as session:
        found = session.execute(select(t.c.kind, t.c.total_minor, t.c.occurred_at)).all()
    assert report.taken == 2
    assert [(kind, total) for kind, total, _ in found] == [("sale", 50_620), ("return", -400)]
    assert found[0].occurred_at.isoformat() == "2025-12-24T17:00:00+00:00"


def test_a_generic_file_may_say_everything(crm: Crm, tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    path.write_text(
        "transaction_id;occurred_at;kind;customer_id;currency;channel;store;staff;paid;original_id;"
        "sku;quantity;unit_price;line_kind;category;discount;tax;weather\n"
        "S1;2026-06-15T12:00:00+08:00;sale;c1;CNY;shop;S;ann;90.00;;tea;2;50;;drinks;10;5.5;rain\n"
        "R1;2026-06-16T12:00:00+08:00;return;;CNY;shop;S;ann;;S1;tea;-1;50;;drinks;;;sun\n"
    )

    report = import_transactions(crm, path, "generic")

    t, line = table_of(Transaction), table_of(TransactionLine)
    with crm.read() as session:
        sale, back = session.execute(select(t).order_by(t.c.occurred_at)).all()
        lines = session.execute(select(line).order_by(line.c.amount_minor)).all()
    assert (report.taken, report.unused_columns) == (2, ("weather",))
    assert (sale.paid_minor, sale.channel, sale.staff) == (9_000, "shop", "ann")
    assert (back.original_id, back.customer_id) == (sale.id, sale.customer_id)
    assert [(each.category, each.discount_minor, each.tax_minor) for each in lines] == [
        ("drinks", 0, 0),
        ("drinks", 1_000, 550),
    ]


def test_rejects_speak_of_the_columns_of_the_file(import_lines: Importer, line: Line) -> None:
    report = import_lines(line("1", quantity="six"), line("2", when="noon"), line("3", sku=""))

    assert [(each.damage.field, each.damage.value) for each in report.examples] == [
        ("Quantity", "six"),
        ("InvoiceDate", "noon"),
        ("StockCode", None),
    ]
    assert report.examples[2].damage.message == "StockCode must not be empty"


def test_mappings_that_share_a_name_do_not_share_a_reject_file(crm: Crm, tmp_path: Path) -> None:
    file = tmp_path / "bons.csv"
    file.write_text("Bon;Zeit;Kunde;Artikel;Menge;Preis\n1;24.12.2025 18:00;K7;Tee;x;8\n")
    (tmp_path / "other").mkdir()

    first = import_transactions(crm, file, _shop(tmp_path))
    second = import_transactions(crm, file, _shop(tmp_path / "other", 'sheet = "1"'))

    assert first.reject_file
    assert second.reject_file
    assert first.reject_file != second.reject_file
    assert first.reject_file.exists()


@pytest.mark.parametrize("number", ["1,5", "1,50.00", "1234,567", ",5", "1,000,0", "1，000"])
def test_a_separator_out_of_place_is_rejected_and_not_dropped(
    crm: Crm, tmp_path: Path, number: str
) -> None:
    heading, good, *_ = _CHINESE.splitlines()
    path = tmp_path / "sales.csv"
    path.write_text(
        "\n".join([heading, good, good.replace("A1", "A9").replace("1,050.00", number)])
    )

    report = import_transactions(crm, path, "excel-zh")

    assert (report.taken, report.reasons) == (1, {"INVALID_AMOUNT": 1})
    damage = report.examples[0].damage
    assert (damage.field, damage.value) == ("单价", number)
    assert damage.message == "write numbers like 1,234.50"


def test_a_decimal_point_where_the_mapping_has_a_comma_is_rejected(
    crm: Crm, tmp_path: Path
) -> None:
    path = tmp_path / "bons.csv"
    path.write_text("Bon;Zeit;Kunde;Artikel;Menge;Preis\n1;24.12.2025 18:00;K7;Tee;1;1.5\n")

    report = import_transactions(crm, path, _shop(tmp_path))

    assert [each.damage.message for each in report.examples] == ["write numbers like 1.234,50"]


def test_a_file_without_a_needed_column_is_refused_whole(crm: Crm, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice\n1,2,3,4,5,6\n")

    with pytest.raises(ImportFailed, match=r"lacks the column 'CustomerID'; its heading reads"):
        import_transactions(crm, path, "online-retail")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\xff", b"\x1f\x8b broken"])
def test_a_file_without_a_heading_is_refused(crm: Crm, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(content)

    with pytest.raises(ImportFailed):
        import_transactions(crm, path, "online-retail")


def test_a_gzip_that_ends_too_early_leaves_nothing_behind(
    crm: Crm, import_lines: Importer, line: Line, tmp_path: Path
) -> None:
    import_lines(*(line(str(n)) for n in range(9_000)), name="whole.csv.gz", dry_run=True)
    torn = tmp_path / "torn.csv.gz"
    torn.write_bytes((tmp_path / "whole.csv.gz").read_bytes()[:-200])

    with pytest.raises(ImportFailed, match="cannot be read to its end"):
        import_transactions(crm, torn, "online-retail")

    with crm.read() as session:
        assert session.execute(select(table_of(Transaction).c.id)).first() is None


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ('colour = "red"', "colour"),
        ('required = "color"', "there is no field"),
        ('encodings = "klingon"', "not a text encoding"),
        ("[constants", "not TOML"),
        ('delimiters = ["ab"]', "delimiters"),
        ('delimiters = [""]', "delimiters"),
        ("delimiters = ['\"']", "delimiters"),
        ("delimiters = []", "delimiters"),
        ("encodings = []", "encodings"),
        ("heading_line = 0", "heading_line"),
        ("heading_line = -3", "heading_line"),
        ('decimal = ""', "decimal"),
        ('decimal = "."', "decimal and thousands are two marks"),
        ('decimal = "-"', "belongs to a number itself"),
        ('thousands = "1"', "belongs to a number itself"),
        ('constants = {external_id = "1"}', "needs a column"),
    ],
)
def test_a_wrong_mapping_is_refused_with_the_place(
    tmp_path: Path, more: str, sentence: str
) -> None:
    key = more.partition(" = ")[0]
    kept = [each for each in _SHOP.splitlines() if not each.startswith(f"{key} =")]
    path = tmp_path / "wrong.toml"
    path.write_text("\n".join(kept).format(more=more))

    with pytest.raises(ImportFailed, match=sentence):
        load_mapping(path)


def test_an_unknown_mapping_names_those_that_exist() -> None:
    with pytest.raises(ImportFailed, match="excel-zh, generic, online-retail"):
        load_mapping("online-retial")


@pytest.mark.parametrize("name", mapping_names())
def test_each_mapping_that_comes_with_crmkit_is_well_formed(name: str) -> None:
    assert load_mapping(name).identity.startswith(f"{name}@")
