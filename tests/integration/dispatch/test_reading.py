"""Who answers has read: what a contact wrote is marked as read before a reply leaves."""

import pytest

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError
from orchestrator.domain.jid import phone_number_to_jid
from orchestrator.domain.message import Lane
from orchestrator.store.models import SessionRow
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.factories import Factories
from tests.support.policy_desk import clock, number, strict, talked

__all__ = ["clock", "strict"]  # Fixtures.


async def wrote(desk: Desk, make: Factories, clock: ManualClock, wa_message_id: str) -> None:
    """A message of the contact came in just now."""
    clock.advance(10)
    await make.message(
        desk.scope,
        SessionRow(
            id=desk.session_id,
            company_id=desk.scope.company_id,
            name="",
            state="CONNECTED",
            desired_state="STARTED",
            created_at=clock(),
        ),
        to=number(1),
        direction="INBOUND",
        status="RECEIVED",
        wa_message_id=wa_message_id,
        created_at=clock(),
        due_at=None,
    )
    await talked(desk, number(1))
    clock.advance(10)


async def say(desk: Desk, body: str, lane: Lane = Lane.REPLY) -> str:
    """Send the contact a message; gives its id."""
    message_id = await desk.submit(body, to=number(1), lane=lane)
    await desk.send_all()
    return message_id


async def test_what_came_since_the_last_message_is_read_before_an_answer(
    strict: Desk, make: Factories, clock: ManualClock
) -> None:
    await wrote(strict, make, clock, "IN-1")
    await wrote(strict, make, clock, "IN-2")
    await say(strict, "an answer")
    read = [(jid, ids) for _, jid, _, ids in strict.gateway.read]
    assert read == [(phone_number_to_jid(number(1)), ("IN-2", "IN-1"))]
    clock.advance(10)
    await say(strict, "one more thing")
    assert len(strict.gateway.read) == 1
    await wrote(strict, make, clock, "IN-3")
    await say(strict, "the next answer")
    assert strict.gateway.read[-1][3] == ("IN-3",)


async def test_a_notice_reads_nothing(strict: Desk, make: Factories, clock: ManualClock) -> None:
    await wrote(strict, make, clock, "IN-1")
    await say(strict, "your order has left", Lane.TRANSACTIONAL)
    assert strict.gateway.read == []


async def test_an_answer_does_not_wait_for_a_read_mark_that_fails(
    strict: Desk, make: Factories, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def mark_read(*_: object) -> None:
        raise PonteError(errors.GATEWAY_UNAVAILABLE)

    monkeypatch.setattr(strict.gateway, "mark_read", mark_read)
    await wrote(strict, make, clock, "IN-1")
    assert await strict.status(await say(strict, "an answer")) == "SENT"
