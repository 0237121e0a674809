"""Requests as bytes, and single answers."""

import http.client
import json
from typing import Any

import orjson
from tests.benchmarks.serving.operations import Case
from tests.benchmarks.serving.starting import Running

Cursors = dict[str, str]
"""By customer, as hex, the cursor that a list gives for it."""


def request(to: Running, name: str, case: Case, cursors: Cursors) -> bytes:
    """Return a request over HTTP/1.1, whole."""
    api = to.server.api
    body = orjson.dumps(api.body(name, case, cursors.get(case.customer.hex, "")))
    path = api.paths.get(name, "/graphql")
    lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{to.port}", *_headers(to)]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def ask(to: Running, name: str, case: Case, cursors: Cursors) -> Any:
    """Return the data of one answer; errors end the run."""
    body = to.server.api.body(name, case, cursors.get(case.customer.hex, ""))
    return _post(to, to.server.api.paths.get(name, "/graphql"), body)


def walk(to: Running, count: int) -> Cursors:
    """Return the cursors of the latest customers, as the server itself gives them."""
    found: Cursors = {}
    after = None
    while to.server.api.walk and len(found) < count:
        body = {"query": to.server.api.walk, "variables": {"after": after}}
        edges = _post(to, "/graphql", body)["customers"]["edges"]
        for edge in edges:
            found[edge["node"]["id"].rpartition("_")[2].replace("-", "")] = edge["cursor"]
        after = edges[-1]["cursor"]
    return found


def _headers(to: Running) -> list[str]:
    headers = ["Content-Type: application/json", "Accept: application/json"]
    return [*headers, f"Authorization: Bearer {to.token}"] if to.token else headers


def _post(to: Running, path: str, body: Any) -> Any:
    headers = dict(line.split(": ", 1) for line in _headers(to))
    connection = http.client.HTTPConnection("127.0.0.1", to.port, timeout=30)
    try:
        connection.request("POST", path, orjson.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    found = json.loads(text) if answer.status == 200 else {}
    if answer.status != 200 or "errors" in found:
        raise SystemExit(f"{to.server.name} answers {answer.status}: {text[:2000]!r}")
    return found["data"]
