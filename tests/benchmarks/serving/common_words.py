"""Answers of different servers in the same words, to be compared."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any


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


def _account(value: Any) -> Any:
    """Return the account of the kind `points`, also from a list of this one."""
    found = common(value)
    return found[0] if isinstance(found, list) else found


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
    "loyalty": ("loyalty", _account),
    "quantity": ("quantity", lambda pieces: int(Decimal(pieces) * 1000)),
    "quantityMilli": ("quantity", int),
}
