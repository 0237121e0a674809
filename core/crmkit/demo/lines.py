"""Transaction lines as a till writes them: prices, reductions, goods that come back."""

from collections.abc import Mapping, Sequence
from random import Random

from crmkit.demo.baskets import Item
from crmkit.demo.catalogue import CURRENCY, Product
from crmkit.inputs import LineInput
from crmkit.money import format_minor, parse_milli, parse_minor, round_half_away

FREE_DELIVERY_MINOR = 5900
_DELIVERY_PRICE = "6.00"


def sale_lines(
    items: Sequence[Item], percent_off: Mapping[str, int], *, is_delivered: bool
) -> tuple[LineInput, ...]:
    """Return the lines of a sale; small deliveries pay for the way.

    Args:
        percent_off: reduction per sku, in percent of the list price.
    """
    sold = [_sale_line(item, percent_off.get(item.product.sku, 0)) for item in items]
    value_minor = sum(item.product.price_minor * item.quantity_milli for item in items) // 1000
    if is_delivered and value_minor < FREE_DELIVERY_MINOR:
        fee = LineInput("DELIVERY", "1", _DELIVERY_PRICE, kind="shipping", description="配送费")
        sold.append(fee)
    return tuple(sold)


def returnable_positions(sold: Sequence[LineInput], products: Sequence[Product]) -> list[int]:
    """Return the positions, from 1, of lines that the shop takes back."""
    can_return = {one.sku for one in products if one.can_return}
    return [position for position, line in enumerate(sold, 1) if line.sku in can_return]


def returned_line(rng: Random, sold: Sequence[LineInput], position: int) -> LineInput:
    """Return a line that brings back some or all pieces of one sold line.

    Its price is what the customer paid for a piece, so that a reduction is not paid out.
    """
    line = sold[position - 1]
    pieces = parse_milli(line.quantity) // 1000
    off_minor = parse_minor(line.discount, CURRENCY) // pieces
    paid_minor = parse_minor(line.unit_price, CURRENCY) - off_minor
    return LineInput(
        sku=line.sku,
        quantity=str(-rng.randint(1, pieces)),
        unit_price=format_minor(paid_minor, CURRENCY),
        description=line.description,
        category=line.category,
        brand=line.brand,
        original_position=position,
    )


def replacement_line(rng: Random, back: LineInput, products: Sequence[Product]) -> LineInput:
    """Return a line for another product of the same category, as many pieces as came back."""
    others = [one for one in products if one.category == back.category and one.sku != back.sku]
    return _sale_line(Item(rng.choice(others), -parse_milli(back.quantity)), 0)


def _sale_line(item: Item, percent_off: int) -> LineInput:
    product = item.product
    off_minor = round_half_away(product.price_minor * percent_off, 100)
    discount_minor = round_half_away(off_minor * item.quantity_milli, 1000)
    return LineInput(
        sku=product.sku,
        quantity=_quantity_text(item.quantity_milli),
        unit_price=format_minor(product.price_minor, CURRENCY),
        description=product.description,
        category=product.category,
        brand=product.brand,
        discount=format_minor(discount_minor, CURRENCY),
    )


def _quantity_text(quantity_milli: int) -> str:
    whole, rest = divmod(quantity_milli, 1000)
    return f"{whole}.{rest:03}" if rest else str(whole)
