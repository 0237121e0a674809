"""Sends requests over a few kept connections for some seconds; a process of its own.

Each line on standard input is a JSON object, and each is answered by one on standard output.
"""

import base64
import json
import random
import select
import socket
import sys
import time
from typing import Any

NUMBER = b"@" * 16
"""Where a request has a number that no other has, in as many digits."""


class _Connection:
    """One connection with at most one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._held = b""
        self._end = 0

    def send(self, request: bytes) -> None:
        self._held, self._end = b"", 0
        self.started = time.perf_counter_ns()
        self.socket.sendall(request)

    def answer(self) -> bytes | None:
        """Take what has come; returns the whole answer once it is there."""
        came = self.socket.recv(262_144)
        if not came:
            raise SystemExit("the server closed the connection")
        self._held = self._held + came if self._held else came
        if not self._end:
            head, found, _ = self._held.partition(b"\r\n\r\n")
            if not found:
                return None
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
            if not length:
                raise SystemExit(f"an answer has no length: {head!r}")
            self._end = len(head) + 4 + int(length)
        return self._held if len(self._held) >= self._end else None


def load(port: int, requests: list[bytes], seconds: float, connections: int, number: int) -> Any:
    """Send requests in random order; returns counts, times in microseconds, and a failure."""
    order = random.Random(number)
    clients: dict[int, _Connection] = {}
    poll = select.epoll()
    for _ in range(connections):
        client = _Connection(port)
        clients[client.socket.fileno()] = client
        poll.register(client.socket, select.EPOLLIN)

    def ask(client: _Connection) -> None:
        nonlocal number
        request = order.choice(requests)
        if NUMBER in request:
            number += 1
            request = request.replace(NUMBER, b"%016d" % number)
        client.send(request)

    took: list[int] = []
    size, failure, until = 0, "", time.perf_counter() + seconds
    waiting = set(clients)
    for client in clients.values():
        ask(client)
    while waiting:
        for descriptor, _ in poll.poll():
            client = clients[descriptor]
            whole = client.answer()
            if whole is None:
                continue
            took.append(time.perf_counter_ns() - client.started)
            size += len(whole)
            if not whole.startswith(b"HTTP/1.1 200") or b'"errors":' in whole:
                failure = failure or whole.decode(errors="replace")[:2000]
            if time.perf_counter() < until and not failure:
                ask(client)
            else:
                waiting.discard(descriptor)
    for client in clients.values():
        client.socket.close()
    took.sort()
    return {
        "count": len(took),
        "bytes": size // max(1, len(took)),
        "p50": took[len(took) // 2] // 1000,
        "p99": took[int(len(took) * 0.99)] // 1000,
        "number": number,
        "failure": failure,
    }


def main() -> None:
    """Answer until standard input ends."""
    for line in sys.stdin:
        given = json.loads(line)
        given["requests"] = [base64.b64decode(each) for each in given["requests"]]
        print(json.dumps(load(**given)), flush=True)


if __name__ == "__main__":
    main()
