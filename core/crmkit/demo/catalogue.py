"""What the demo retailer sells."""

from dataclasses import dataclass

from crmkit.demo.shelves import SHELVES
from crmkit.money import parse_minor

CURRENCY = "CNY"


@dataclass(frozen=True, slots=True)
class Product:
    """One article of the catalogue.

    Attributes:
        price_minor: list price in fen, per piece or per kilogram.
        cycle_days: days after which an average household buys it again.
        by_weight: sold in kilograms, so quantities have three decimals.
        can_return: whether the shop takes it back.
    """

    sku: str
    description: str
    category: str
    brand: str
    price_minor: int
    cycle_days: int
    by_weight: bool
    can_return: bool


BABY = "母婴"
CHILD = "儿童"
GIFTS = "礼品"
_BY_WEIGHT = frozenset({"蔬果"})
_FRESH = frozenset({"乳制品", "面包糕点", "蔬果", "冷冻生鲜"})


def build_catalogue() -> tuple[Product, ...]:
    """Return all products, shelf by shelf; the same at every call."""
    products = []
    code, category, number = "", "", 0
    for line in SHELVES.splitlines():
        if line.startswith("# "):
            _, code, category = line.split(" ")
            number = 0
        else:
            number += 1
            products.append(_product(f"{code}-{number:03}", category, line))
    return tuple(products)


def _product(sku: str, category: str, line: str) -> Product:
    description, brand, price, cycle_days = line.split("|")
    return Product(
        sku=sku,
        description=description,
        category=category,
        brand=brand,
        price_minor=parse_minor(price, CURRENCY),
        cycle_days=int(cycle_days),
        by_weight=category in _BY_WEIGHT,
        can_return=category not in _FRESH,
    )
