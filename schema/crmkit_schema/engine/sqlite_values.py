"""Values as SQLite stores them, and as text."""

from sqlalchemy import case, func, literal_column, type_coerce
from sqlalchemy.types import String

from crmkit_schema.engine.concatenation import concatenated
from crmkit_schema.engine.json_sql import Expression, quoted


def untyped(expression: Expression) -> Expression:
    """Return an expression without its Python type, which comparisons would convert to."""
    return type_coerce(expression, String())


def written_instant(expression: Expression, ending: str) -> Expression:
    """Return a stored moment; what is not stored as it should be becomes an anomaly later."""
    plain = untyped(expression)
    is_whole = func.substr(plain, literal_column("21"), literal_column("6")) == quoted("000000")
    end = case((is_whole, literal_column("19")), else_=literal_column("26"))
    return concatenated([func.substr(plain, literal_column("1"), end), quoted(ending)])


def in_units(smallest: Expression, digits: int) -> Expression:
    """Return a count of the smallest unit as text with all its digits; null stays null."""
    scale: Expression = literal_column(str(10**digits))
    form = quoted(f"%s%d.%0{digits}d")
    sign = case((smallest < literal_column("0"), quoted("-")), else_=quoted(""))
    size = func.abs(smallest)
    text = func.printf(form, sign, size.op("/")(scale), size.op("%")(scale))
    return case((smallest.is_not(None), text))
