"""One dispatcher a session, whoever dies; and the breaker."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from sqlalchemy import select, update

from orchestrator.domain.breaker import BreakerState
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.retry import Outcome, SendReport
from orchestrator.domain.session import SessionState
from orchestrator.services.dispatch_turn import CLAIM, LEASE
from orchestrator.services.maintenance import MaintenanceService
from orchestrator.services.ports import OutgoingMessage, SendAnswer
from orchestrator.store import dispatch_leases, outbox
from orchestrator.store.models import SessionRow
from tests.support.bells import RecordingBells
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.gateway import FakeGateway

FAILED_QUERY = SendReport(Outcome.NOT_SENT, reason="query_failed")
_sessions = SessionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


class SlowGateway(FakeGateway):
    """Answers only when it is let."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.reached = asyncio.Event()
        self.let = asyncio.Event()

    async def send_messages(
        self, scope: CompanyScope, session_id: str, messages: Sequence[OutgoingMessage]
    ) -> AsyncIterator[SendAnswer]:
        self.reached.set()
        await self.let.wait()
        async for answer in super().send_messages(scope, session_id, messages):
            yield answer


async def _die_holding_claims(desk: Desk) -> int:
    """Leave the database as a killed dispatcher does; gives how many messages it had claimed."""
    now = desk.context.clock()
    async with desk.context.database.transaction(desk.scope) as tx:
        assert await dispatch_leases.acquire(tx, desk.scope, desk.session_id, "dead", now, now + LEASE)
        claim = await outbox.claim(tx, desk.scope, desk.session_id, now, now + CLAIM, 64, ())
    return len(claim.messages)


async def _session(desk: Desk) -> SessionRow:
    async with desk.context.database.reading(desk.scope) as tx:
        row = (await tx.connection.execute(select(_sessions).where(_sessions.c.id == desk.session_id))).one()
    return SessionRow(**row._mapping)


async def test_two_dispatchers_never_send_for_one_session_at_once(desk: Desk, clock: ManualClock) -> None:
    gateway = SlowGateway(clock)
    desk.gateway = gateway
    for number in range(5):
        await desk.submit(str(number))
    first, second = desk.dispatch("worker-1"), desk.dispatch("worker-2")
    running = asyncio.create_task(first.run(desk.scope, desk.session_id))
    await gateway.reached.wait()
    await second.run(desk.scope, desk.session_id)
    assert gateway.attempts == []
    gateway.let.set()
    await running
    assert [message.text for _, message in gateway.attempts] == ["0", "1", "2", "3", "4"]


async def test_a_ring_that_finds_the_session_taken_is_not_lost(desk: Desk, clock: ManualClock) -> None:
    gateway = SlowGateway(clock)
    desk.gateway = gateway
    await desk.submit("first")
    first, second = desk.dispatch("worker-1"), desk.dispatch("worker-2")
    running = asyncio.create_task(first.run(desk.scope, desk.session_id))
    await gateway.reached.wait()
    late = await desk.submit("late")
    await second.run(desk.scope, desk.session_id)  # It has the ring, and gives up.
    gateway.let.set()
    await running
    assert await desk.status(late) == "SENT"


async def test_a_ring_in_the_process_that_sends_begins_at_once(desk: Desk) -> None:
    message_id = await desk.submit("now")
    dispatch = desk.dispatch()
    assert dispatch.take(desk.scope, desk.session_id) is True
    deadline = asyncio.get_running_loop().time() + 5
    while await desk.status(message_id) != "SENT":
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)
    await dispatch.stop()
    assert dispatch.take(desk.scope, desk.session_id) is False


async def test_a_nudge_in_the_same_process_is_not_lost(desk: Desk, clock: ManualClock) -> None:
    gateway = SlowGateway(clock)
    desk.gateway = gateway
    await desk.submit("first")
    dispatch = desk.dispatch()
    assert dispatch.nudge(desk.session_id) is False
    await dispatch.start(desk.scope, desk.session_id)
    await gateway.reached.wait()
    late = await desk.submit("late")
    assert dispatch.nudge(desk.session_id) is True
    gateway.let.set()
    deadline = asyncio.get_running_loop().time() + 5
    while await desk.status(late) != "SENT":
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)
    await dispatch.stop()


async def test_what_a_dead_dispatcher_had_claimed_is_sent_after_its_lease_with_the_same_ids(
    desk: Desk, clock: ManualClock, bells: RecordingBells
) -> None:
    ids = [await desk.submit(str(number)) for number in range(3)]
    wa_ids = [(await desk.messages.get(desk.scope, message_id)).wa_message_id for message_id in ids]
    assert await _die_holding_claims(desk) == 3
    await desk.send_all()
    assert desk.gateway.attempts == []
    bells.forget()
    maintenance = MaintenanceService(desk.context)
    await maintenance.run_once()
    assert bells.messages == [], "rung while the lease may still be good"
    clock.advance(LEASE.total_seconds())
    await maintenance.run_once()
    assert bells.messages == [(desk.scope.company_id, desk.session_id)]
    await desk.send_all()
    assert [message.wa_message_id for _, message in desk.gateway.attempts] == wa_ids
    assert [await desk.status(message_id) for message_id in ids] == ["SENT"] * 3


async def test_a_dispatcher_that_is_stopped_hands_over_at_once(desk: Desk, clock: ManualClock) -> None:
    gateway = SlowGateway(clock)
    desk.gateway = gateway
    message_id = await desk.submit("Hello")
    dispatch = desk.dispatch()
    await dispatch.start(desk.scope, desk.session_id)
    await gateway.reached.wait()
    await dispatch.stop(grace_s=0.05)
    assert await desk.status(message_id) == "SENDING"
    desk.gateway = FakeGateway(clock)
    await desk.send_all()
    assert await desk.status(message_id) == "SENT"
    await dispatch.run(desk.scope, desk.session_id)  # A stopped one does nothing.


async def test_stopping_waits_for_what_is_under_way(desk: Desk, clock: ManualClock) -> None:
    gateway = SlowGateway(clock)
    desk.gateway = gateway
    message_id = await desk.submit("Hello")
    dispatch = desk.dispatch()
    await dispatch.start(desk.scope, desk.session_id)
    await gateway.reached.wait()
    stopping = asyncio.create_task(dispatch.stop(grace_s=5))
    await asyncio.sleep(0)
    gateway.let.set()
    await stopping
    assert await desk.status(message_id) == "SENT"
    assert (await _session(desk)).dispatch_owner == ""


async def test_a_dispatcher_that_lost_its_lease_records_what_was_sent_and_claims_no_more(
    desk: Desk, clock: ManualClock
) -> None:
    gateway = SlowGateway(clock)
    desk.gateway = gateway
    sent = await desk.submit("Hello")
    dispatch = desk.dispatch()
    running = asyncio.create_task(dispatch.run(desk.scope, desk.session_id))
    await gateway.reached.wait()
    async with desk.context.database.transaction(desk.scope) as tx:
        await tx.connection.execute(
            update(_sessions).values(dispatch_owner="other", dispatch_until=clock() + timedelta(hours=1))
        )
    waiting = await desk.submit("two")
    dispatch.nudge(desk.session_id)
    gateway.let.set()
    await running
    assert await desk.status(sent) == "SENT"
    assert await desk.status(waiting) == "QUEUED"
    assert (await _session(desk)).dispatch_owner == "other"


async def test_a_message_under_way_cannot_be_cancelled(desk: Desk) -> None:
    message_id = await desk.submit("Hello")
    await _die_holding_claims(desk)
    outcome = await asyncio.gather(desk.messages.cancel(desk.scope, message_id), return_exceptions=True)
    assert str(outcome[0]).startswith("MESSAGE_NOT_CANCELLABLE")


async def test_five_failures_that_blame_the_session_open_its_breaker_and_a_probe_closes_it(
    desk: Desk, clock: ManualClock
) -> None:
    for number in range(5):
        desk.gateway.answer_next(str(number), FAILED_QUERY)
        await desk.submit(str(number), to=f"+551198765432{number}")
        await desk.send_all()
    assert (await _session(desk)).breaker_state == BreakerState.OPEN
    probe = await desk.submit("probe")
    after = await desk.submit("after", to="+5511987654329")
    await desk.send_all()
    assert [await desk.status(probe), await desk.status(after)] == ["QUEUED", "QUEUED"]
    clock.advance(30)
    await desk.send_all()
    assert [await desk.status(probe), await desk.status(after)] == ["SENT", "SENT"]
    assert (await _session(desk)).breaker_state == BreakerState.CLOSED


async def test_failures_of_one_cut_count_once(desk: Desk) -> None:
    for number in range(20):
        body = str(number)
        desk.gateway.answer_next(body, FAILED_QUERY)
        await desk.submit(body, to=f"+55119876543{number:02d}")
    await desk.send_all()
    session = await _session(desk)
    assert (session.breaker_state, session.breaker_failures) == (BreakerState.CLOSED, 1)


async def test_a_session_that_loses_its_connection_is_left_alone(desk: Desk) -> None:
    message_id = await desk.submit("Hello")
    async with desk.context.database.transaction(desk.scope) as tx:
        await tx.connection.execute(update(_sessions).values(state=SessionState.RECONNECTING.value))
    await desk.send_all()
    assert await desk.status(message_id) == "QUEUED"


async def test_a_message_that_falls_due_is_sent_without_a_ring(desk: Desk, clock: ManualClock) -> None:
    message_id = await desk.submit("soon", send_at=clock() + timedelta(seconds=0.05))
    dispatch = desk.dispatch()
    await dispatch.run(desk.scope, desk.session_id)
    assert await desk.status(message_id) == "QUEUED"
    clock.advance(0.05)
    deadline = asyncio.get_running_loop().time() + 5
    while await desk.status(message_id) != "SENT":
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)
    await dispatch.stop()
