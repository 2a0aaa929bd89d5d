"""The body of a delivery."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.api.http import json_writer
from orchestrator.api.rpc import encode
from orchestrator.domain.events import Event, EventType
from orchestrator.webhooks.payload import event_json

DATA: dict[str, Any] = {
    "text": 'olá \u2028 "you"',
    "attempts": 3,
    "offline": False,
    "error": None,
    "to": {"jid": "1@x"},
    "times": [1, "b"],
}


def event(microsecond: int = 0, session_id: str = "s-1") -> Event:
    at = datetime(2026, 1, 5, 12, 0, 1, microsecond, tzinfo=UTC)
    return Event(
        "e-1", 2**53 - 1, "c-1", session_id, EventType.MESSAGE_RECEIVED, at, DATA, "5511@s.whatsapp.net"
    )


@pytest.mark.parametrize("microsecond", [0, 1, 1000, 120_000, 123_456])
@pytest.mark.parametrize("session_id", ["s-1", ""])
def test_the_body_is_the_event_as_rest_gives_it(microsecond: int, session_id: str) -> None:
    recorded = event(microsecond, session_id)

    assert json.loads(event_json(recorded)) == json.loads(json_writer.write(encode.event(recorded)))


def test_the_chat_address_is_not_part_of_the_body() -> None:
    assert "5511@s.whatsapp.net" not in event_json(event())
