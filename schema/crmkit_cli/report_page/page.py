"""Filling the template."""

from functools import cache
from typing import TYPE_CHECKING, Any

from crmkit_cli.report_page.bars import HEIGHT, drawing_of

if TYPE_CHECKING:
    from crmkit import Findings, Matrix, Report

_ROWS_MAX = 1_000


def page_of(report: "Report", title: str) -> str:
    """Return a report as an HTML page; the same report gives the same page."""
    charts = [(chart, drawing_of(chart)) for chart in report.charts]
    matrices = [(matrix, _shaded(matrix)) for matrix in report.matrices]
    tables = [_Table(found) for found in report.findings if found.rows]
    page: str = _template().render(
        title=title,
        notes=report.notes,
        charts=charts,
        matrices=matrices,
        tables=tables,
        field_height=HEIGHT,
    )
    return page


def _shaded(matrix: "Matrix") -> list[tuple[str, list[tuple[int, str]]]]:
    """Return each row's name and its counts, each with how dark it is."""
    most = max((count for row in matrix.counts for count in row), default=0) or 1
    return [
        (name, [(count, f"{0.6 * count / most:.2f}") for count in row])
        for name, row in zip(matrix.rows, matrix.counts, strict=True)
    ]


class _Table:
    """Findings as the template shows them."""

    def __init__(self, found: "Findings") -> None:
        self.name = found.name.replace("_", " ").capitalize()
        self.headings = [name.replace("_", " ").capitalize() for name in found.columns]
        self.rows = [[_cell(each) for each in row] for row in found.rows[:_ROWS_MAX]]
        self.more = len(found.rows) - len(self.rows)


def _cell(value: Any) -> tuple[str, bool]:
    """Return a cell's text, and whether it is a number."""
    if value is None:
        return "-", False
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return (f"{value:,}", True) if is_number else (str(value), False)


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("crmkit_cli.report_page", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.jinja")
