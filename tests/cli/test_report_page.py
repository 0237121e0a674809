import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit import Chart, Crm, CustomerInput, Findings, Matrix, Report, Settings
from crmkit.testing import sale
from crmkit_cli.report_page import page_of
from crmkit_cli.report_page.bars import HEIGHT, drawing_of

Run = Callable[..., Any]
NASTY = "<script>alert('x')</script>\"&"
VOID = {"meta", "line"}


class Page(HTMLParser):
    """Reads a page: which tags stand in it, and whether each is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def names(self) -> list[str]:
        return [tag for tag, _ in self.tags]

    def of(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.tags if name == tag)


REPORT = Report(
    True,
    [
        Findings("who", ("customer_id", "points"), [("ann", 12_000), (None, -1)]),
        Findings("no", ("a",), []),
    ],
    notes=["From here to there."],
    charts=[Chart("Points", ["01", "02"], {"old": [10, 0], "new": [20, 7]})],
    matrices=[Matrix("Moves", "old", "new", ["a", "b"], ["a", "b"], [[3, 1], [0, 0]])],
)


def test_a_page_needs_no_network_and_no_script() -> None:
    text = page_of(REPORT, "crmkit test")

    page = Page(text)
    assert "script" not in page.names()
    assert {"link", "img", "iframe", "object", "image", "use"}.isdisjoint(page.names())
    assert not re.search(r"https?:|url\(|@import|src=|href=", text)
    assert "default-src 'none'" in text


def test_a_page_can_be_read_aloud() -> None:
    page = Page(page_of(REPORT, "crmkit test"))

    assert [attributes["lang"] for attributes in page.of("html")] == ["en"]
    assert page.names().count("h1") == page.names().count("main") == 1
    assert page.names().count("caption") == page.names().count("table") == 2
    assert {attributes["scope"] for attributes in page.of("th")} == {"col", "row"}
    (drawing,) = page.of("svg")
    ids = {attributes.get("id") for _, attributes in page.tags}
    assert drawing["role"] == "img"
    assert page.names().count("rect") == 4
    assert set(str(drawing["aria-labelledby"]).split()) <= ids
    assert "01, old: 10; 02, old: 0; 01, new: 20; 02, new: 7; " in page.texts


def test_every_figure_stands_in_the_page() -> None:
    texts = Page(page_of(REPORT, "crmkit test")).texts

    for told in ("From here to there.", "Customer id", "12,000", "-1", "Moves", "Points"):
        assert told in [text.strip() for text in texts]


def test_whatever_a_report_says_is_text() -> None:
    report = Report(
        True,
        [Findings(NASTY, (NASTY,), [(NASTY,)])],
        notes=[NASTY],
        charts=[Chart(NASTY, [NASTY], {NASTY: [1]})],
        matrices=[Matrix(NASTY, NASTY, NASTY, [NASTY], [NASTY], [[1]])],
    )

    text = page_of(report, NASTY)

    assert "script" not in Page(text).names()
    assert "<script" not in text
    assert NASTY in Page(text).texts


@given(st.text(), st.lists(st.integers(0, 10**12), max_size=4))
def test_any_text_and_any_figures_make_a_page_that_is_whole(text: str, figures: list[int]) -> None:
    labels = [f"{text}{number}" for number in range(len(figures))]
    report = Report(
        True,
        [Findings("found", (text or "x",), [(text,)])],
        notes=[text],
        charts=[Chart(text, labels, {text: figures})],
    )

    found = page_of(report, text)

    assert Page(found)
    assert page_of(report, text) == found


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=30))
def test_bars_are_as_high_as_their_figures_and_stay_in_the_field(figures: list[int]) -> None:
    drawing = drawing_of(Chart("c", [str(n) for n in range(len(figures))], {"a": figures}))

    assert all(0 <= bar.height <= HEIGHT and bar.y + bar.height == HEIGHT for bar in drawing.bars)
    assert all(bar.x + bar.width <= drawing.width for bar in drawing.bars)
    heights = {figure: bar.height for figure, bar in zip(figures, drawing.bars, strict=True)}
    assert [heights[figure] for figure in sorted(heights)] == sorted(heights.values())
    top = float(drawing.lines[-1][1].replace(",", ""))
    assert max(figures) <= top <= max(5 * max(figures), 1)


@pytest.fixture
def sold(shop: Path, tmp_path: Path) -> Path:
    with Crm(Settings.load(shop)) as crm:
        crm.upsert_customers([CustomerInput("till", "ann")])
        crm.record_transactions([sale("1", customer="ann")])
    rules = tmp_path / "new.toml"
    rules.write_text("[plugin.loyalty]\npoints_per_major_unit = 3\n")
    return rules


def test_every_command_of_a_plugin_writes_its_answer_as_a_page(
    crmkit: Run, sold: Path, tmp_path: Path
) -> None:
    words = ("loyalty", "simulate", "--rules", sold, "--from", "2026-06-01", "--to", "2026-06-30")
    pages = [tmp_path / name for name in ("one.html", "two.html")]

    for path in pages:
        assert crmkit(*words, "--report", path).exit_code == 0
    verified = crmkit("loyalty", "verify", "--report", tmp_path / "verify.html")

    first, second = (path.read_bytes() for path in pages)
    assert first == second
    assert {"svg", "table"} <= set(Page(first.decode()).names())
    assert verified.exit_code == 0
    assert "What holds" in (tmp_path / "verify.html").read_text()


def test_a_page_that_cannot_be_written_is_refused_before_the_work(
    crmkit: Run, tmp_path: Path
) -> None:
    refused = crmkit("loyalty", "verify", "--report", tmp_path / "gone" / "out.html")

    assert refused.exit_code == 2
    assert "there is no folder" in refused.err
