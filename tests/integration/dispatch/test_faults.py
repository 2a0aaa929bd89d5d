"""Gateways and databases that fail in ways they should not."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import INTERNAL, PonteError
from orchestrator.services import dispatch_run
from orchestrator.services.dispatch_turn import DispatchTurns, TurnResult, TurnWork
from orchestrator.services.ports import OutgoingMessage, SendAnswer
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.gateway import FakeGateway

OTHER = "+5511987654322"


class Faulty(FakeGateway):
    """Answers for the first message, then fails as it is told."""

    def __init__(self, clock: ManualClock, fault: Exception | None) -> None:
        super().__init__(clock)
        self.fault = fault

    async def send_messages(
        self, scope: CompanyScope, session_id: str, messages: Sequence[OutgoingMessage]
    ) -> AsyncIterator[SendAnswer]:
        async for answer in super().send_messages(scope, session_id, messages[:1]):
            yield answer
            yield answer  # Twice, which must not matter.
        if self.fault is not None:
            raise self.fault


@pytest.mark.parametrize("fault", [RuntimeError("a defect"), PonteError(INTERNAL), None])
async def test_a_gateway_that_owes_answers_leaves_only_the_first_of_each_chat_in_doubt(
    desk: Desk, clock: ManualClock, fault: Exception | None
) -> None:
    desk.gateway = Faulty(clock, fault)
    one, two, three = [await desk.submit(body) for body in ("one", "two", "three")]
    elsewhere = await desk.submit("elsewhere", to=OTHER)
    dispatch = desk.dispatch()
    await dispatch.run(desk.scope, desk.session_id)
    await dispatch.stop()
    attempts = {
        message_id: (await desk.messages.get(desk.scope, message_id)).attempts
        for message_id in (one, two, three, elsewhere)
    }
    assert attempts == {one: 1, two: 1, three: 0, elsewhere: 1}
    assert [await desk.status(message_id) for message_id in attempts] == ["SENT"] + ["QUEUED"] * 3
    desk.gateway = FakeGateway(clock)
    clock.advance(5)
    await desk.send_all()
    assert [await desk.status(message_id) for message_id in attempts] == ["SENT"] * 4


def _failing(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    take, left = DispatchTurns.take, [times]

    async def faulty(turns: DispatchTurns, work: TurnWork) -> TurnResult:
        if left[0]:
            left[0] -= 1
            raise OSError("the database does not answer")
        return await take(turns, work)

    monkeypatch.setattr(DispatchTurns, "take", faulty)
    monkeypatch.setattr(dispatch_run, "_DATABASE_PAUSE_S", 0.001)


async def test_results_survive_a_database_that_fails_for_a_moment(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _failing(3, monkeypatch)
    message_id = await desk.submit("Hello")
    await desk.send_all()
    assert await desk.status(message_id) == "SENT"
    assert len(desk.gateway.attempts) == 1


async def test_a_database_that_fails_for_long_ends_the_run_and_another_sends_with_the_same_id(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _failing(1_000_000, monkeypatch)
    monkeypatch.setattr(dispatch_run, "_RESULTS_KEPT_S", 0.01)
    # Of a number with two spellings it would be asked first, and the run be over before the message leaves.
    message_id = await desk.submit("Hello", to="+351912345678")
    dispatch = desk.dispatch()
    await dispatch.start(desk.scope, desk.session_id)
    deadline = asyncio.get_running_loop().time() + 10
    while dispatch.nudge(desk.session_id):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)
    await dispatch.stop()
    monkeypatch.undo()
    await desk.send_all()
    assert await desk.status(message_id) == "SENT"
    assert len({message.wa_message_id for _, message in desk.gateway.attempts}) == 1
    assert len(desk.gateway.attempts) == 2
