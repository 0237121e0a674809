"""The protocol itself: who breaks it is sent away with the code that says why."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit_schema.subscriptions.conversation import (
    Closed,
    Complete,
    Conversation,
    Hello,
    Ping,
    Subscribe,
)

QUERY = {"query": "{ __typename }"}


def acknowledged() -> Conversation:
    return Conversation(is_greeted=True, is_acknowledged=True)


def read(conversation: Conversation, **message: Any) -> Any:
    return conversation.read(json.dumps(message))


def test_the_messages_of_a_usual_conversation() -> None:
    conversation = Conversation()

    assert read(conversation, type="connection_init") == Hello({})
    conversation.is_acknowledged = True
    assert read(conversation, type="ping", payload={"a": 1}) == Ping()
    assert read(conversation, type="pong") is None
    assert read(conversation, type="subscribe", id="1", payload=QUERY) == Subscribe("1", QUERY)
    assert read(conversation, type="complete", id="1") == Complete("1")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, 4400),
        ("", 4400),
        ("nonsense", 4400),
        ("[]", 4400),
        ("null", 4400),
        ("[" * 5_000, 4400),
        ('{"type": null}', 4400),
        ('{"type": ["ping"]}', 4400),
        ('{"type": "connection_terminate"}', 4400),
        ('{"type": "start", "id": "1", "payload": {}}', 4400),
        ('{"type": "ping", "payload": 1}', 4400),
        ('{"type": "pong", "payload": []}', 4400),
        ('{"type": "subscribe", "payload": {}}', 4400),
        ('{"type": "subscribe", "id": "", "payload": {}}', 4400),
        ('{"type": "subscribe", "id": 1, "payload": {}}', 4400),
        ('{"type": "subscribe", "id": "1"}', 4400),
        ('{"type": "subscribe", "id": "1", "payload": []}', 4400),
        ('{"type": "subscribe", "id": "%s", "payload": {}}' % ("x" * 201), 4400),
        ('{"type": "complete"}', 4400),
        ('{"type": "connection_init"}', 4429),
    ],
)
def test_what_has_no_place_ends_the_conversation(text: str | None, code: int) -> None:
    with pytest.raises(Closed) as closed:
        acknowledged().read(text)

    assert closed.value.code == code


def test_nothing_is_subscribed_to_before_the_hello_was_found_good() -> None:
    conversation = Conversation()
    read(conversation, type="connection_init")

    with pytest.raises(Closed) as closed:
        read(conversation, type="subscribe", id="1", payload=QUERY)

    assert (closed.value.code, closed.value.reason) == (4401, "Unauthorized")


@pytest.mark.parametrize("id_", ["1", "é" * 100, "'" * 200, "\n"])
def test_an_id_under_way_cannot_be_used_again(id_: str) -> None:
    conversation = acknowledged()
    conversation.ids.add(id_)

    with pytest.raises(Closed) as closed:
        read(conversation, type="subscribe", id=id_, payload=QUERY)

    assert closed.value.code == 4409
    assert len(closed.value.reason.encode()) <= 123


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
_TYPES = st.sampled_from(["connection_init", "ping", "pong", "subscribe", "complete", "next"])
_NEAR = st.fixed_dictionaries(
    {},
    optional={"type": _TYPES | _JSON, "id": st.sampled_from(["1", "2"]) | _JSON, "payload": _JSON},
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text() | _JSON.map(json.dumps) | _NEAR.map(json.dumps), max_size=8))
def test_whatever_is_said_is_understood_or_ends_with_a_code(texts: list[str]) -> None:
    conversation = Conversation()
    for text in texts:
        try:
            message = conversation.read(text)
        except Closed as closed:
            assert 4400 <= closed.code <= 4429  # noqa: PT017 no exception is a result, too
            return
        conversation.is_acknowledged |= isinstance(message, Hello)
        if isinstance(message, Subscribe):
            conversation.ids.add(message.id)
