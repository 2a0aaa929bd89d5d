"""What maintenance rings for, and what it clears away."""

import asyncio
from datetime import timedelta
from typing import ClassVar

from sqlalchemy import insert, select, update

from orchestrator.domain.breaker import BreakerState
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.session import SessionState
from orchestrator.services.maintenance import MaintenanceService
from orchestrator.store import idempotency
from orchestrator.store.models import MessageRow, SessionRow, WebhookRow
from tests.support.bells import RecordingBells
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.factories import Factories

_sessions = SessionRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_messages = MessageRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


async def _set(desk: Desk, **columns: object) -> None:
    async with desk.context.database.transaction(desk.scope) as tx:
        await tx.connection.execute(
            update(_sessions).where(_sessions.c.id == desk.session_id).values(**columns)
        )


async def _rung(desk: Desk, bells: RecordingBells) -> list[tuple[str, str]]:
    bells.forget()
    await MaintenanceService(desk.context).run_once()
    return bells.messages


async def test_it_rings_for_what_is_due_and_not_moving(
    desk: Desk, bells: RecordingBells, clock: ManualClock
) -> None:
    assert await _rung(desk, bells) == []
    await desk.submit("now")
    await desk.submit("later", to="+5511987654329", send_at=clock() + timedelta(hours=1))
    assert await _rung(desk, bells) == [(desk.scope.company_id, desk.session_id)]
    await desk.send_all()
    assert await _rung(desk, bells) == []
    clock.advance(3600)
    assert await _rung(desk, bells) == [(desk.scope.company_id, desk.session_id)]


async def test_it_leaves_sessions_alone_that_cannot_send(
    desk: Desk, bells: RecordingBells, clock: ManualClock
) -> None:
    await desk.submit("Hello")
    until = clock() + timedelta(seconds=8)
    for hindrance in (
        {"state": SessionState.RECONNECTING.value},
        {"dispatch_owner": "busy", "dispatch_until": until},
        {"breaker_state": BreakerState.OPEN.value, "breaker_until": until},
        {"deleted_at": clock()},
    ):
        free = {"state": "CONNECTED", "dispatch_owner": "", "dispatch_until": None, "breaker_until": None}
        await _set(desk, **{**free, "deleted_at": None, **hindrance})
        assert await _rung(desk, bells) == [], hindrance


async def test_claims_that_nobody_answers_for_are_taken_back(desk: Desk, clock: ManualClock) -> None:
    message_id = await desk.submit("Hello")
    async with desk.context.database.transaction(desk.scope) as tx:
        await tx.connection.execute(
            update(_messages).values(status="SENDING", claimed_until=clock() + timedelta(seconds=90))
        )
    maintenance = MaintenanceService(desk.context)
    await maintenance.run_once()
    assert await desk.status(message_id) == "SENDING"
    clock.advance(90)
    await maintenance.run_once()
    assert await desk.status(message_id) == "QUEUED"


async def test_idempotency_keys_are_forgotten_after_a_day(desk: Desk, clock: ManualClock) -> None:
    first = await desk.submit("Hello", idempotency_key="order-1")
    maintenance = MaintenanceService(desk.context)
    clock.advance(24 * 3600)
    await maintenance.run_once()
    assert await desk.submit("Hello", idempotency_key="order-1") == first
    clock.advance(60)
    await maintenance.run_once()
    assert await desk.submit("Hello", idempotency_key="order-1") != first
    assert idempotency.LONGEST_KEY == 255


async def test_a_qr_that_has_expired_is_taken_down(desk: Desk, clock: ManualClock) -> None:
    await _set(desk, qr_data="qr", qr_expires_at=clock() + timedelta(seconds=20))
    maintenance = MaintenanceService(desk.context)

    async def shown() -> str:
        async with desk.context.database.reading(desk.scope) as tx:
            query = select(_sessions.c.qr_data).where(_sessions.c.id == desk.session_id)
            return str((await tx.connection.execute(query)).scalar_one())

    await maintenance.run_once()
    assert await shown() == "qr"
    clock.advance(31)
    await maintenance.run_once()
    assert await shown() == ""


async def test_it_goes_on_after_a_round_that_failed(
    desk: Desk, bells: RecordingBells, make: Factories
) -> None:
    await desk.submit("Hello")

    class Failing(RecordingBells):
        rounds = 0

        async def messages_due(self, scope: CompanyScope, session_id: str) -> None:
            self.rounds += 1
            raise RuntimeError("no bell")

    failing = Failing()
    old = desk.context
    desk.adopt(type(old)(old.database, old.vault, failing, old.clock, old.rng))
    maintenance = MaintenanceService(desk.context, every_s=0.01)
    running = asyncio.create_task(maintenance.run_for_ever())
    deadline = asyncio.get_running_loop().time() + 5
    while failing.rounds < 2:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running])


async def test_it_rings_for_webhooks_that_are_due(
    desk: Desk, bells: RecordingBells, clock: ManualClock
) -> None:
    await desk.submit("Hello")
    row = WebhookRow(
        id="hook",
        company_id=desk.scope.company_id,
        url="https://example.com",
        events=["*"],
        secret_key_id="test",
        secret_ciphertext=b"",
        created_at=clock(),
    )
    async with desk.context.database.transaction(desk.scope) as tx:
        table = WebhookRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
        await tx.connection.execute(insert(table), row.model_dump())
    bells.forget()
    await MaintenanceService(desk.context).run_once()
    assert bells.events == [desk.scope.company_id]

    class WebhookBells:
        rung: ClassVar[list[str]] = []

        async def webhooks_due(self, scope: CompanyScope) -> None:
            self.rung.append(scope.company_id)

    bells.forget()
    await MaintenanceService(desk.context, WebhookBells()).run_once()
    assert (WebhookBells.rung, bells.events) == ([desk.scope.company_id], [])
