"""SQL as people read it: a line for each clause, subqueries indented."""

import re
from typing import Final

_WORD = re.compile(r"""(?:'(?:[^']|'')*'|"(?:[^"]|"")*"|[^\s'"(),])+|[(),]""")
_CLAUSES: Final = frozenset(
    "SELECT FROM WHERE GROUP HAVING ORDER LIMIT UNION LEFT JOIN WITH".split()
)
_JOINED: Final = frozenset({"OUTER", "INNER", "CROSS"})  # JOIN behind these is no new line
_WIDTH: Final = 100
_INDENT: Final = "  "


def readable(sql: str) -> str:
    """Return the text of a statement in lines; no word of it is changed."""
    return "\n".join(_Lines(_WORD.findall(sql)).lines)


class _Lines:
    def __init__(self, words: list[str]) -> None:
        self.lines: list[str] = []
        self._line = ""
        self._subqueries: list[bool] = []  # of the brackets that are open, whether each holds one
        for previous, word, following in zip(["", *words], words, [*words[1:], ""], strict=False):
            closes_subquery = word == ")" and self._subqueries.pop()
            if closes_subquery or self._begins_line(word, previous):
                self._end_line()
            self._put(word, previous)
            if word == "(":
                self._subqueries.append(following in ("SELECT", "WITH"))
        self._end_line()

    def _begins_line(self, word: str, previous: str) -> bool:
        if len(self._line) > _WIDTH and word in ("||", "AND", "OR"):
            return True
        in_brackets = bool(self._subqueries) and not self._subqueries[-1]
        return word in _CLAUSES and previous not in _JOINED and not in_brackets

    def _put(self, word: str, previous: str) -> None:
        if not self._line:
            self._line = _INDENT * sum(self._subqueries) + word
            return
        is_call = word == "(" and not previous.isupper() and previous not in ("||", "=", ",")
        is_tight = word in (")", ",") or previous == "(" or is_call
        self._line += word if is_tight else f" {word}"

    def _end_line(self) -> None:
        if self._line:
            self.lines.append(self._line)
        self._line = ""
