"""A small shop full of what is easily written wrongly."""

from datetime import timedelta
from typing import Any

from crmkit import (
    AddressInput,
    ContactInput,
    Crm,
    CustomerInput,
    CustomerRef,
    InteractionInput,
    LineInput,
)
from crmkit.testing import NOON, sale

NAMES = [
    "Ann",
    "Ann",
    "名 🎈",
    'quo"te \\ back',
    "line\nbreak\ttab \x01 \x1f \x7f",
    "",
    "Zoë %s %(a)s :x ?",
    "</script>\u2028\u2029\ufeff",
    "e\u0301 \U0010ffff '' $1",
]
PAYLOADS: list[dict[str, Any]] = [
    {"query": "名 🎈\n\x01", "results": 3},
    {"results": {"b": 1, "a": [1.0, 0.1, -0.0, 1e-7, 1e300, 2**53, -(2**63)]}, "query": None},
    {"query": '\\u0000 "', "results": [True, False, None, [], {}]},
]


def fill(crm: Crm) -> None:
    """Fill an empty database."""
    crm.upsert_customers([_customer(at, name) for at, name in enumerate(NAMES, 1)])
    for position, kind in enumerate(("sale", "sale", "sale", "return", "sale")):
        crm.record_transactions(
            [
                _receipt(at, position, kind)
                for at in range(1, len(NAMES))
                if at % 3 < position or at < 3
            ]
        )
    large = [("big", "999.999", "1000000.000001"), ("dear", "9", "900000000000.99")]
    crm.record_transactions([sale("anonymous", customer=None), sale("large", *large, customer="1")])
    void = sale("void", kind="void", original="2-0", lines=[], customer="2", currency="KWD")
    crm.record_transactions([void])
    crm.record_interactions([_talk(at) for at in range(1, len(NAMES))])


def _customer(at: int, name: str) -> CustomerInput:
    return CustomerInput(
        "till",
        str(at),
        display_name=name or None,
        given_name=name[:1] if at % 2 else None,
        family_name=None if at % 3 == 0 else f"Family{at % 3}",
        birth_on=None if at % 4 == 0 else ("2000-02-29" if at % 4 == 1 else f"19{at + 70}-02-28"),
        gender=("female", None, "other")[at % 3],
        lifecycle=("dormant", "target", "customer")[at % 3],
        contact_points=[
            ContactInput("email", f"c{at}@example.com", verified_at=NOON - timedelta(seconds=at)),
            ContactInput("phone", "+8613800138000", is_primary=True),
        ][: at % 3],
        addresses=[AddressInput(city=name, street="a\nb"), AddressInput("work", "CN")][: at % 3],
        tags=["regular", f"group{at % 2}", "名"][: at % 4],
    )


def _receipt(at: int, position: int, kind: str) -> Any:
    currency = ("CNY", "JPY", "KWD", "CNY")[(at + position) % 4]
    price = ("12.34", "7", "0.125", "0.05")[(at + position) % 4]
    sign = "-" if kind == "return" else ""
    lines = [
        LineInput(f"sku{line}", f"{sign}{line}.5" if currency == "CNY" else f"{sign}{line}", price,
                  category=None if line == 2 else "tea", brand="牌" if line == 3 else None)
        for line in range(1, 4)
    ]  # fmt: skip
    return sale(
        f"{at}-{position}",
        *lines,
        kind=kind,
        customer=str(at),
        currency=currency,
        occurred_at=NOON - timedelta(hours=position // 2, microseconds=120_000 * (at % 3)),
        store=f"store{at % 3}" if at % 2 else None,
    )


def _talk(at: int) -> InteractionInput:
    is_search = at % 2 == 1
    return InteractionInput(
        "till",
        f"i{at}",
        NOON - timedelta(days=at),
        "search" if is_search else "review",
        CustomerRef(external_id=str(at)) if at % 4 else None,
        rating=None if is_search else at % 5 + 1,
        payload=PAYLOADS[at % len(PAYLOADS)] if is_search else None,
        content=NAMES[at] or None,
        transaction=f"{at}-4" if at in (1, 2, 4) else None,
    )
