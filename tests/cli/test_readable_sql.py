from crmkit_cli.readable_sql import readable

SQL = """WITH n1 AS
(SELECT json_quote(q.a) AS r FROM (SELECT "x (y".a, 'it''s  (SELECT' AS b FROM "x (y"
 LEFT OUTER JOIN z ON z.id = a WHERE a IN (1, 2) ORDER BY a LIMIT ?) AS q) SELECT n1.r FROM n1"""


def test_clauses_have_lines_and_subqueries_are_indented() -> None:
    assert readable(SQL).splitlines() == [
        "WITH n1 AS (",
        "  SELECT json_quote(q.a) AS r",
        "  FROM (",
        """    SELECT "x (y".a, 'it''s  (SELECT' AS b""",
        '    FROM "x (y"',
        "    LEFT OUTER JOIN z ON z.id = a",
        "    WHERE a IN (1, 2)",
        "    ORDER BY a",
        "    LIMIT ?",
        "  ) AS q",
        ")",
        "SELECT n1.r",
        "FROM n1",
    ]


def test_long_lines_are_broken() -> None:
    sql = "SELECT " + " || ".join(f"'{number}'" for number in range(100))

    assert max(map(len, readable(sql).splitlines())) <= 110


def test_no_token_is_changed() -> None:
    assert "".join(readable(SQL).split()) == "".join(SQL.split())
