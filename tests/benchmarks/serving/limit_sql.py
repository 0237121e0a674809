"""The limit: the answers of crmkit by SQL written by hand, as one JSON text each.

Q1 and Q2 take a customer's id, Q3 and Q4 the place of the customer before the page.
"""

from string import Template

_PROFILE = (
    ("displayName", "c.display_name"),
    ("givenName", "c.given_name"),
    ("familyName", "c.family_name"),
    ("gender", "upper(c.gender)"),
    ("birthOn", "c.birth_on"),
    ("language", "c.language"),
    ("lifecycle", "upper(c.lifecycle)"),
)


class _Sqlite:
    one = "SELECT json_object('customer', $object) FROM customer c WHERE c.id = ?"
    many = (
        "SELECT json_object('customers', json_object('nodes', (SELECT json_group_array(json(o))"
        " FROM (SELECT $object AS o FROM customer c WHERE (c.created_at, c.id) < (?, ?)"
        " ORDER BY c.created_at DESC, c.id DESC LIMIT $count))))"
    )

    def id(self, prefix: str, column: str) -> str:
        return f"'{prefix}_' || {column}"

    def at(self, column: str) -> str:
        return f"substr({column}, 1, 19) || 'Z'"

    def decimal(self, column: str) -> str:
        return f"printf('%d.%02d', {column} / 100, {column} % 100)"

    def pieces(self, column: str) -> str:
        return f"CAST({column} / 1000 AS TEXT)"

    def object(self, **fields: str) -> str:
        pairs = ", ".join(f"'{key}', {sql}" for key, sql in fields.items())
        return f"json_object({pairs})"

    def list(self, object_: str, rows: str) -> str:
        return f"(SELECT json_group_array(json(o)) FROM (SELECT {object_} AS o {rows}))"


class _Postgres:
    one = (
        "SELECT json_build_object('customer', $object)::text FROM customer c WHERE c.id = $$1::uuid"
    )
    many = (
        "SELECT json_build_object('customers', json_build_object('nodes', (SELECT json_agg(o)"
        " FROM (SELECT $object AS o FROM customer c"
        " WHERE (c.created_at, c.id) < ($$1::timestamptz, $$2::uuid)"
        " ORDER BY c.created_at DESC, c.id DESC LIMIT $count) p)))::text"
    )

    def id(self, prefix: str, column: str) -> str:
        return f"'{prefix}_' || replace({column}::text, '-', '')"

    def at(self, column: str) -> str:
        return f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

    def decimal(self, column: str) -> str:
        return f"({column} * 0.01)::text"

    def pieces(self, column: str) -> str:
        return f"({column} / 1000)::text"

    def object(self, **fields: str) -> str:
        named = ", ".join(f'{sql} AS "{key}"' for key, sql in fields.items())
        return f"(SELECT row_to_json(x) FROM (SELECT {named}) x)"

    def list(self, object_: str, rows: str) -> str:
        return f"(SELECT coalesce(json_agg(o), '[]') FROM (SELECT {object_} AS o {rows}) p)"


def limit_queries(dialect: str) -> dict[str, str]:
    """Return the SQL of each query by name."""
    sql = _Sqlite() if dialect == "sqlite" else _Postgres()
    id_ = sql.id("cus", "c.id")
    times = {"createdAt": sql.at("c.created_at"), "updatedAt": sql.at("c.updated_at")}
    profile = {"id": id_, **dict(_PROFILE), **times}
    recent = {"id": id_, "displayName": "c.display_name", "transactions": _sales(sql, 5)}
    one, many = Template(sql.one).substitute, Template(sql.many).substitute
    return {
        "Q1": one(object=sql.object(**profile)),
        "Q2": one(object=sql.object(**profile, **_parts(sql))),
        "Q3": many(object=sql.object(**profile), count=50),
        "Q4": many(object=sql.object(**recent), count=20),
    }


def _parts(sql: _Sqlite | _Postgres) -> dict[str, str]:
    """Return what a customer has beside the profile."""
    points = sql.object(balance="a.balance")
    tier = sql.object(code="t.code", since=sql.at("t.since"))
    warning = sql.object(
        rule="w.rule", severity="upper(w.severity)", raisedAt=sql.at("w.raised_at")
    )
    return {
        "loyalty": f"(SELECT {points} FROM loyalty_account a"
        " WHERE a.customer_id = c.id AND a.point_kind = 'points')",
        "tier": f"(SELECT {tier} FROM stand_ins_tier t WHERE t.customer_id = c.id)",
        "segments": sql.list(
            sql.object(name="s.name"),
            "FROM stand_ins_membership m JOIN stand_ins_segment s ON s.id = m.segment_id"
            " WHERE m.customer_id = c.id ORDER BY m.segment_id LIMIT 100",
        ),
        "warnings": sql.list(
            warning,
            "FROM stand_ins_warning w WHERE w.customer_id = c.id AND w.is_open"
            " ORDER BY w.raised_at DESC, w.id LIMIT 20",
        ),
        "transactions": _sales(sql, 10, lines=_lines(sql)),
    }


def _sales(sql: _Sqlite | _Postgres, count: int, **more: str) -> str:
    sale = sql.object(
        id=sql.id("txn", "t.id"),
        occurredAt=sql.at("t.occurred_at"),
        kind="upper(t.kind)",
        store="t.store",
        total=sql.object(amount=sql.decimal("t.total_minor"), currency="t.currency"),
        **more,
    )
    rows = (
        'FROM "transaction" t WHERE t.customer_id = c.id'
        f" ORDER BY t.occurred_at DESC, t.id DESC LIMIT {count}"
    )
    return sql.object(nodes=sql.list(sale, rows))


def _lines(sql: _Sqlite | _Postgres) -> str:
    line = sql.object(
        position="l.position",
        sku="l.sku",
        description="l.description",
        quantity=sql.pieces("l.quantity_milli"),
        amount=sql.object(amount=sql.decimal("l.amount_minor")),
    )
    rows = "FROM transaction_line l WHERE l.transaction_id = t.id ORDER BY l.position LIMIT 20"
    return sql.object(nodes=sql.list(line, rows))
