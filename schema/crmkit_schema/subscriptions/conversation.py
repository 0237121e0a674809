"""One conversation in the protocol graphql-transport-ws, apart from the socket it runs over."""

from dataclasses import dataclass, field
from typing import Any, Final

import orjson

SUBPROTOCOL: Final = "graphql-transport-ws"
ID_LENGTH_MAX: Final = 200


class Closed(Exception):
    """The conversation is over.

    Attributes:
        code: what the socket is closed with.
        reason: one sentence, in ASCII and short enough for a closing frame.
    """

    def __init__(self, code: int, reason: str) -> None:
        self.code, self.reason = code, reason
        super().__init__(code, reason)


@dataclass(frozen=True, slots=True)
class Hello:
    """The client says who it is."""

    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ping:
    """The client wants to hear something."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """The client starts an operation."""

    id: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Complete:
    """The client wants no more answers to an operation."""

    id: str


Message = Hello | Ping | Subscribe | Complete


@dataclass(slots=True)
class Conversation:
    """What was said so far.

    Attributes:
        is_greeted: whether the client said hello.
        is_acknowledged: whether the hello was found good.
        ids: operations under way.
    """

    is_greeted: bool = False
    is_acknowledged: bool = False
    ids: set[str] = field(default_factory=set)

    def read(self, text: str | None) -> Message | None:
        """Return what a message asks for, None if for nothing.

        Args:
            text: None if the message was not text.

        Raises:
            Closed: it has no place here.
        """
        message = _object(text)
        match message.get("type"):
            case "connection_init":
                return self._hello(message)
            case "ping":
                _optional_object(message)
                return Ping()
            case "pong":
                _optional_object(message)
                return None
            case "subscribe":
                return self._subscribe(message)
            case "complete":
                return Complete(_id(message))
        raise Closed(4400, "no such type of message")

    def _hello(self, message: dict[str, Any]) -> Hello:
        if self.is_greeted:
            raise Closed(4429, "Too many initialisation requests")
        self.is_greeted = True
        return Hello(_optional_object(message))

    def _subscribe(self, message: dict[str, Any]) -> Subscribe:
        id_, payload = _id(message), message.get("payload")
        if not self.is_acknowledged:
            raise Closed(4401, "Unauthorized")
        if not isinstance(payload, dict):
            raise Closed(4400, "a subscribe message needs a payload")
        if id_ in self.ids:
            raise Closed(4409, f"Subscriber for {ascii(id_)[:60]} already exists")
        return Subscribe(id_, payload)


def _object(text: str | None) -> dict[str, Any]:
    if text is None:
        raise Closed(4400, "messages must be text")
    try:
        message = orjson.loads(text)
    except ValueError:
        raise Closed(4400, "messages must be JSON") from None
    if not isinstance(message, dict):
        raise Closed(4400, "messages must be objects")
    return message


def _optional_object(message: dict[str, Any]) -> dict[str, Any]:
    payload = message.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise Closed(4400, "a payload must be an object")
    return payload or {}


def _id(message: dict[str, Any]) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not 0 < len(id_) <= ID_LENGTH_MAX:
        raise Closed(4400, f"an id is text of 1 to {ID_LENGTH_MAX} letters")
    return id_
