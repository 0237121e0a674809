"""How a file writes numbers. Pure.

A mark that stands where the mapping does not expect it makes the number unreadable. Dropping it
instead would turn a till's "1,5" into fifteen.
"""

import re


class Notation:
    """Numbers with the marks of one mapping.

    Args:
        decimal: stands before the decimals.
        thousands: may stand between groups of three digits; empty for none.

    Attributes:
        is_plain: numbers are written as `crmkit.money` reads them.
        example: a number in this notation, for messages.
    """

    def __init__(self, decimal: str, thousands: str) -> None:
        self.is_plain = decimal == "." and not thousands
        self.example = f"1{thousands}234{decimal}50"
        self._decimal = decimal
        self._thousands = thousands
        grouped = rf"[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+|" if thousands else ""
        self._grammar = re.compile(rf"(?:-?(?:{grouped}[0-9]+)(?:{re.escape(decimal)}[0-9]+)?)?")

    def fits(self, text: str) -> bool:
        """Tell whether a text is empty or a number in this notation."""
        return self._grammar.fullmatch(text.strip()) is not None

    def plain(self, text: str) -> str:
        """Return a number that fits in the notation of `crmkit.money`, other text as it is."""
        text = text.strip()
        if not self.fits(text):
            return text
        if self._thousands:
            text = text.replace(self._thousands, "")
        return text.replace(self._decimal, ".")
