"""The first query that somebody sends: about the demo customer who bought most often."""

import json
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlmodel import Session

    from crmkit_schema.composition import Composition

_QUERY = """{{
  customer(externalId: {{source: "{source}", externalId: "{external_id}"}}) {{
    displayName
    age
    metrics {{ saleCount net {{ amount currency }} lastSaleAt }}
    categories(first: 3) {{ nodes {{ category net {{ amount }} }} }}
    transactions(first: 2) {{
      nodes {{ occurredAt store total {{ amount }} lines {{ nodes {{ description quantity }} }} }}
    }}{extra}
  }}
}}"""
# What plugins add is asked for where they are on.
_EXTRAS = {"Customer.loyalty": "loyalty { balance }"}


def query_for(session: "Session", composition: "Composition") -> str:
    """Return a query that has something to show, for a schema and the demo's data."""
    from sqlmodel import col, select

    from crmkit.demo.people import SOURCE
    from crmkit.models import CustomerExternalId, CustomerMetrics

    frequent = (
        select(CustomerExternalId.external_id)
        .join(
            CustomerMetrics,
            col(CustomerMetrics.customer_id) == col(CustomerExternalId.customer_id),
        )
        .where(col(CustomerExternalId.source) == SOURCE)
        .order_by(col(CustomerMetrics.sale_count).desc(), col(CustomerExternalId.external_id))
    )
    external_id = session.exec(frequent).first()
    extra = "".join(
        f"\n    {selection}" for field, selection in _EXTRAS.items() if field in composition.owners
    )
    return _QUERY.format(source=SOURCE, external_id=external_id, extra=extra)


def curl_line(url: str, token: str, query: str) -> str:
    """Return one line for a POSIX shell that sends a query."""
    body = json.dumps({"query": " ".join(query.split())}, ensure_ascii=False)
    headers = (f"Authorization: Bearer {token}", "Content-Type: application/json")
    parts = ["curl", "-s", url, *(part for each in headers for part in ("-H", each)), "-d", body]
    return " ".join(map(shlex.quote, parts))
