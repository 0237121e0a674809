"""Servers must give the same answers before it is measured what they cost."""

from collections.abc import Sequence

from tests.benchmarks.serving.asking import Cursors, ask
from tests.benchmarks.serving.cases import recorded
from tests.benchmarks.serving.common_words import common, sale_answer
from tests.benchmarks.serving.operations import WRITES, Case
from tests.benchmarks.serving.servers import address
from tests.benchmarks.serving.starting import Running

_LINES = 3


def require_equal(
    server: Running, limit: Running, name: str, some: Sequence[Case], cursors: Cursors
) -> None:
    """Compare answers field by field with the limit's; what differs ends the run."""
    if name == WRITES:
        for case in some:
            _require_recorded(server, case)
        return
    for case in some:
        given, right = common(ask(server, name, case, cursors)), common(ask(limit, name, case, {}))
        if given != right:
            raise SystemExit(
                f"{server.server.name} {name} answers otherwise at {_difference(given, right)}"
            )


def _require_recorded(server: Running, case: Case) -> None:
    sale = case.numbered()
    answer = sale_answer(ask(server, WRITES, sale, {}))
    points = sale.total // 100
    found = [int(each) for each in recorded(server.shop, address(server.shop), f"b{sale.number}")]
    right = [sale.total, _LINES, sale.total, points, points, answer.get("balance"), 0, 0]
    if answer.get("outcome") != "TAKEN" or answer.get("total") != sale.total or found != right:
        raise SystemExit(
            f"{server.server.name} M1 answers {answer} and writes {found}, not {right}"
        )


def _difference(given: object, right: object, path: str = "data") -> str:
    if isinstance(given, dict) and isinstance(right, dict) and given.keys() == right.keys():
        pairs = [(f"{path}.{key}", given[key], right[key]) for key in given]
    elif isinstance(given, list) and isinstance(right, list) and len(given) == len(right):
        pairs = [(f"{path}[{at}]", *both) for at, both in enumerate(zip(given, right, strict=True))]
    else:
        return f"{path}: {str(given)[:500]} is not {str(right)[:500]}"
    for deeper, one, other in pairs:
        if one != other:
            return _difference(one, other, deeper)
    return "nothing"
