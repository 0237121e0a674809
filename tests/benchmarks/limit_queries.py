"""The limit: the same answers by SQL written by hand, without GraphQL."""

from string import Template

CUSTOMER = {
    "sqlite": """json_object('id', 'cus_' || c.id, 'displayName', c.display_name,
        'givenName', c.given_name, 'familyName', c.family_name, 'gender', upper(c.gender),
        'birthOn', c.birth_on, 'language', c.language, 'lifecycle', upper(c.lifecycle),
        'createdAt', substr(c.created_at, 1, 19) || 'Z',
        'updatedAt', substr(c.updated_at, 1, 19) || 'Z'$more)""",
    "postgresql": """SELECT 'cus_' || replace(c.id::text, '-', '') AS "id",
        c.display_name AS "displayName", c.given_name AS "givenName",
        c.family_name AS "familyName", upper(c.gender) AS "gender", c.birth_on AS "birthOn",
        c.language AS "language", upper(c.lifecycle) AS "lifecycle",
        to_char(c.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "createdAt",
        to_char(c.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "updatedAt"
        $more""",
}
MONEY = {
    "sqlite": "printf('%s%d.%02d', CASE WHEN $of < 0 THEN '-' ELSE '' END, abs($of) / 100,"
    " abs($of) % 100)",
    "postgresql": "($of * 0.01)::text",
}
MORE = {
    "sqlite": """, 'metrics', (SELECT json_object('saleCount', m.sale_count,
            'returnCount', m.return_count,
            'net', json_object('amount', $net, 'currency', m.currency),
            'lastSaleAt', substr(m.last_sale_at, 1, 19) || 'Z') FROM customer_metrics m
            WHERE m.customer_id = c.id AND m.currency = 'CNY'),
        'loyalty', (SELECT json_object('balance', a.balance) FROM loyalty_account a
            WHERE a.customer_id = c.id AND a.point_kind = 'points'),
        'tags', (SELECT json_group_array(json_object('tag', t.tag)) FROM (SELECT tag
            FROM customer_tag WHERE customer_id = c.id ORDER BY tag LIMIT 100) t),
        'transactions', json_object('nodes', (SELECT json_group_array(json(t.j)) FROM (SELECT
            json_object('id', 'txn_' || t.id, 'occurredAt', substr(t.occurred_at, 1, 19) || 'Z',
            'kind', upper(t.kind), 'store', t.store,
            'total', json_object('amount', $total, 'currency', t.currency),
            'lines', json_object('nodes', (SELECT json_group_array(json_object('sku', l.sku,
            'description', l.description, 'quantity', rtrim(rtrim(printf('%s%d.%03d',
            CASE WHEN l.quantity_milli < 0 THEN '-' ELSE '' END, abs(l.quantity_milli) / 1000,
            abs(l.quantity_milli) % 1000), '0'), '.'), 'amount', json_object('amount', $amount)))
            FROM (SELECT * FROM transaction_line WHERE transaction_id = t.id ORDER BY position
            LIMIT 20) l))) AS j
            FROM "transaction" t WHERE t.customer_id = c.id
            ORDER BY t.occurred_at DESC, t.id DESC LIMIT 10) t))""",
    "postgresql": """, (SELECT row_to_json(o) FROM (SELECT m.sale_count AS "saleCount",
            m.return_count AS "returnCount", (SELECT row_to_json(n) FROM (SELECT $net AS "amount",
            m.currency AS "currency") n) AS "net", to_char(m.last_sale_at AT TIME ZONE 'UTC',
            'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "lastSaleAt" FROM customer_metrics m
            WHERE m.customer_id = c.id AND m.currency = 'CNY') o) AS "metrics",
        (SELECT row_to_json(o) FROM (SELECT a.balance AS "balance" FROM loyalty_account a
            WHERE a.customer_id = c.id AND a.point_kind = 'points') o) AS "loyalty",
        (SELECT coalesce(json_agg(o), '[]') FROM (SELECT t.tag AS "tag" FROM customer_tag t
            WHERE t.customer_id = c.id ORDER BY t.tag LIMIT 100) o) AS "tags",
        (SELECT row_to_json(p) FROM (SELECT coalesce(json_agg(o), '[]') AS "nodes" FROM (SELECT
            'txn_' || replace(t.id::text, '-', '') AS "id", to_char(t.occurred_at
            AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "occurredAt",
            upper(t.kind) AS "kind", t.store AS "store", (SELECT row_to_json(n) FROM (SELECT
            $total AS "amount", t.currency AS "currency") n) AS "total",
            (SELECT row_to_json(q) FROM (SELECT coalesce(json_agg(r), '[]') AS "nodes" FROM
            (SELECT l.sku AS "sku", l.description AS "description",
            trim_scale(l.quantity_milli * 0.001)::text AS "quantity", (SELECT row_to_json(n)
            FROM (SELECT $amount AS "amount") n) AS "amount" FROM transaction_line l
            WHERE l.transaction_id = t.id ORDER BY l.position LIMIT 20) r) q) AS "lines"
            FROM "transaction" t WHERE t.customer_id = c.id
            ORDER BY t.occurred_at DESC, t.id DESC LIMIT 10) o) p) AS "transactions" """,
}
RECENT = {
    "sqlite": """SELECT json_object('customers', json_object('nodes', (SELECT
        json_group_array(json(c.j)) FROM (SELECT json_object('id', 'cus_' || c.id, 'displayName',
        c.display_name, 'transactions', json_object('nodes', (SELECT json_group_array(json(t.j))
        FROM (SELECT json_object('id', 'txn_' || t.id, 'occurredAt',
        substr(t.occurred_at, 1, 19) || 'Z', 'kind', upper(t.kind), 'store', t.store,
        'total', json_object('amount', $total)) AS j FROM "transaction" t
        WHERE t.customer_id = c.id ORDER BY t.occurred_at DESC, t.id DESC LIMIT 5) t))) AS j
        FROM customer c ORDER BY c.created_at DESC, c.id DESC LIMIT 20) c)))""",
    "postgresql": """SELECT json_build_object('customers', json_build_object('nodes', (SELECT
        json_agg(o) FROM (SELECT 'cus_' || replace(c.id::text, '-', '') AS "id",
        c.display_name AS "displayName", (SELECT row_to_json(p) FROM (SELECT
        coalesce(json_agg(r), '[]') AS "nodes" FROM (SELECT
        'txn_' || replace(t.id::text, '-', '') AS "id", to_char(t.occurred_at
        AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "occurredAt", upper(t.kind) AS "kind",
        t.store AS "store", (SELECT row_to_json(n) FROM (SELECT $total AS "amount") n) AS "total"
        FROM "transaction" t WHERE t.customer_id = c.id
        ORDER BY t.occurred_at DESC, t.id DESC LIMIT 5) r) p) AS "transactions"
        FROM customer c ORDER BY c.created_at DESC, c.id DESC LIMIT 20) o)))::text""",
}


def limit_queries(dialect: str) -> dict[str, str]:
    """Return the SQL of each query by name; Q1 and Q2 take the customer's id."""
    money = {
        name: Template(MONEY[dialect]).substitute(of=column)
        for name, column in (
            ("net", "m.net_minor"),
            ("total", "t.total_minor"),
            ("amount", "l.amount_minor"),
        )
    }
    plain = Template(CUSTOMER[dialect]).substitute(more="")
    whole = Template(CUSTOMER[dialect]).substitute(more=Template(MORE[dialect]).substitute(money))
    recent = Template(RECENT[dialect]).substitute(money)
    order = "ORDER BY c.created_at DESC, c.id DESC LIMIT 50"
    if dialect == "sqlite":
        one = "SELECT json_object('customer', {}) FROM customer c WHERE c.id = ?"
        many = (
            "SELECT json_object('customers', json_object('nodes', (SELECT json_group_array("
            f"json(c.j)) FROM (SELECT {plain} AS j FROM customer c {order}) c)))"
        )
    else:
        one = (
            "SELECT row_to_json(d)::text FROM (SELECT (SELECT row_to_json(o) FROM ({} FROM"
            ' customer c WHERE c.id = %s) o) AS "customer") d'
        )
        many = (
            "SELECT json_build_object('customers', json_build_object('nodes', (SELECT json_agg(o)"
            f" FROM ({plain} FROM customer c {order}) o)))::text"
        )
    return {"Q1": one.format(plain), "Q2": one.format(whole), "Q3": many, "Q4": recent}
