"""Connections that ask slowly, or never, and more of them than there should be."""

import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx2
import pytest
from tests.hostile.server import Server
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from crmkit_cli.head_deadline import HEAD_SECONDS_MAX, HeadDeadline
from crmkit_cli.limited_protocol import LimitedProtocol
from crmkit_cli.plain_protocol import PlainProtocol
from crmkit_cli.serving import CONNECTIONS_MAX

BEGINNINGS = (
    b"",
    b"POST /graphql HT",
    b"POST /graphql HTTP/1.1\r\nHost: x\r\nA: b\r\n",
    b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /livez HTTP/1.1\r\nHo",
    b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Authorization: Bearer TOKEN\r\nContent-Length: 90\r\n\r\n{",
)


@contextmanager
def connections(server: Server, count: int) -> Iterator[list[socket.socket]]:
    address = urlsplit(server.url)
    with ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection((address.hostname, address.port or 0)))
            for _ in range(count)
        ]


def closed_within(sockets: list[socket.socket], seconds: float) -> int:
    """Return how many connections the server ends in some seconds."""
    ended, deadline = 0, time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for each in sockets:
            selector.register(each, selectors.EVENT_READ)
        while ended < len(sockets) and (left := deadline - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                if not _read(key.fileobj):
                    selector.unregister(key.fileobj)
                    ended += 1
    return ended


def _read(from_socket: object) -> bytes:
    assert isinstance(from_socket, socket.socket)
    try:
        return from_socket.recv(65_536)
    except ConnectionResetError:
        return b""


def test_fifty_slow_connections_are_ended_and_hinder_nobody(server: Server) -> None:
    token = server.token.encode()
    with connections(server, 50) as sockets, server.probed() as took:
        for number, each in enumerate(sockets):
            each.sendall(BEGINNINGS[number % len(BEGINNINGS)].replace(b"TOKEN", token))
        closed = closed_within(sockets, HEAD_SECONDS_MAX + 15)

    assert closed == 50
    assert max(took) < 5


def test_a_connection_that_goes_on_asking_is_not_ended(server: Server) -> None:
    began = time.monotonic()
    with connections(server, 1) as (asking,):
        while time.monotonic() - began < HEAD_SECONDS_MAX + 2:
            asking.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while not answer.endswith(b"}"):
                answer += asking.recv(4_096)
            assert answer.startswith(b"HTTP/1.1 200")
            time.sleep(1)


def test_more_connections_than_allowed_are_told_to_come_back(server: Server) -> None:
    livez = server.url.replace("/graphql", "/livez")
    with connections(server, CONNECTIONS_MAX - 1):
        assert httpx2.get(livez).status_code == 200
        with connections(server, 1):
            time.sleep(0.2)
            assert httpx2.get(livez).status_code == 503
    time.sleep(0.5)
    assert httpx2.get(livez).status_code == 200


@pytest.mark.parametrize(
    ("made", "of"), [(LimitedProtocol, HttpToolsProtocol), (PlainProtocol, H11Protocol)]
)
def test_both_protocols_have_the_deadline(made: type, of: type) -> None:
    assert issubclass(made, of)
    assert made.__mro__.index(HeadDeadline) < made.__mro__.index(of)
