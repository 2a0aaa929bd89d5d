"""Sending under the policy: caps, gaps, lanes and opt-ins, decided on in the transaction that lets messages go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.consent import Suppression, SuppressionCause
from orchestrator.domain.errors import PonteError
from orchestrator.domain.jid import ContactId, phone_number_to_jid
from orchestrator.domain.message import Lane
from orchestrator.domain.page import PageRequest
from orchestrator.domain.retry import Outcome, SendReport
from orchestrator.services.context import Context, SendingLimits
from orchestrator.services.maintenance import MaintenanceService
from orchestrator.store import audit, consent
from orchestrator.store.audit import AuditFilter
from orchestrator.store.database import Database, Transaction
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.factories import CUSTOMER
from tests.support.policy_desk import (
    clock,
    events_of,
    left_at,
    number,
    opted_in,
    run_for,
    state_of,
    strict,
    talked,
)

__all__ = ["clock", "strict"]  # Fixtures.

RATE_LIMITED = SendReport(Outcome.REJECTED, wa_code=429)
REFUSED = SendReport(Outcome.REJECTED, wa_code=463)
FAILED = SendReport(Outcome.REJECTED, wa_code=405)
NOT_SENT = SendReport(Outcome.NOT_SENT, reason="not_connected")
LINKED_AGO = timedelta(days=60)


async def test_messages_outside_conversations_keep_the_caps_of_a_minute_and_an_hour(
    strict: Desk, clock: ManualClock
) -> None:
    known = [number(index) for index in range(70)]
    await talked(strict, *known)
    clock.advance(25 * 3600)
    ids = [await strict.submit(f"text {index}", to=one) for index, one in enumerate(known)]
    await run_for(strict, clock, 3600, step=30)
    times = await left_at(strict)
    assert len(times) >= 60
    for at in times:
        assert sum(at <= other < at + timedelta(minutes=1) for other in times) <= 12
        assert sum(at <= other < at + timedelta(hours=1) for other in times) <= 60
    messages = [await strict.messages.get(strict.scope, id_) for id_ in ids]
    reasons = [message.waiting_for for message in messages if message.waiting_for is not None]
    assert len(reasons) == len(ids) - len(times)
    assert all(
        reason.code == "HOUR_CAP" and "hour cap 60 of 60, next at" in reason.detail for reason in reasons
    )


async def test_a_message_counts_until_its_window_has_passed_since_its_answer(
    strict: Desk, clock: ManualClock
) -> None:
    known = [number(index) for index in range(13)]
    await talked(strict, *known)
    clock.advance(25 * 3600)
    strict.gateway.takes_s["0"] = 20.0
    for index, one in enumerate(known):
        await strict.submit(f"{index}", to=one)
    started = clock()
    await run_for(strict, clock, 90)
    assert [outgoing.text for _, outgoing in strict.gateway.attempts][-1] == "12"
    times = await left_at(strict)
    assert len(times) == 13
    assert (times[-1] - started).total_seconds() >= 20 + 60


async def test_an_answer_is_sent_while_the_hours_cap_is_used_up(strict: Desk, clock: ManualClock) -> None:
    known = [number(index) for index in range(12)]
    await talked(strict, *known)
    clock.advance(25 * 3600)
    for one in known:
        await strict.submit("news", to=one)
    await strict.submit("one too many", to=CUSTOMER)
    await run_for(strict, clock, 30)
    await talked(strict, number(99))
    answer = await strict.submit("an answer", to=number(99), lane=Lane.REPLY)
    await run_for(strict, clock, 12)
    assert await strict.status(answer) == "SENT"
    assert len(strict.gateway.attempts) == 13


async def test_a_reply_overtakes_a_campaign_message_that_waits_in_its_chat(
    strict: Desk, clock: ManualClock
) -> None:
    one, other = number(1), number(2)
    await talked(strict, one, other)
    await opted_in(strict, one, other)
    offers = {to: await strict.submit("offer", to=to, lane=Lane.CAMPAIGN) for to in (one, other)}
    await run_for(strict, clock, 10, step=2)
    [(to, waiting)] = [(to, id_) for to, id_ in offers.items() if await strict.status(id_) == "QUEUED"]
    answer = await strict.submit("an answer", to=to, lane=Lane.REPLY)
    await run_for(strict, clock, 10)
    assert await strict.status(answer) == "SENT"
    assert await strict.status(waiting) == "QUEUED"


async def test_campaign_messages_are_spread_over_the_hour(strict: Desk, clock: ManualClock) -> None:
    known = [number(index) for index in range(20)]
    await talked(strict, *known)
    await opted_in(strict, *known)
    for one in known:
        await strict.submit("offer", to=one, lane=Lane.CAMPAIGN)
    await run_for(strict, clock, 600, step=2)
    times = await left_at(strict)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    assert len(times) >= 6
    assert min(gaps) >= 60 * 0.7
    assert max(gaps) <= 60 * 1.3 + 2


async def test_a_campaign_message_waits_for_the_recipients_opt_in(strict: Desk, clock: ManualClock) -> None:
    waiting = await strict.submit("offer", lane=Lane.CAMPAIGN)
    await strict.send_all()
    message = await strict.messages.get(strict.scope, waiting)
    assert message.status.value == "QUEUED"
    assert message.waiting_for is not None
    assert message.waiting_for.code == "NOT_OPTED_IN"
    await opted_in(strict, CUSTOMER)
    await run_for(strict, clock, 15 * 60 + 30, step=60)
    assert await strict.status(waiting) == "SENT"
    assert (await strict.messages.get(strict.scope, waiting)).waiting_for is None
    async with strict.context.database.reading(strict.scope) as tx:
        [entry] = (
            await audit.list_page(tx, strict.scope, AuditFilter("campaign.sent"), PageRequest(10))
        ).items
    assert (entry.detail or {})["message_id"] == waiting
    assert CUSTOMER.strip("+") not in str(entry)


async def test_a_suppressed_contact_gets_nothing_although_the_message_was_queued_before(strict: Desk) -> None:
    queued = await strict.submit("hello")
    now = strict.context.clock()
    async with strict.context.database.transaction(strict.scope) as tx:
        entry = Suppression("s1", ContactId(phone_number_to_jid(CUSTOMER)), SuppressionCause.MANUAL, now)
        await consent.add_suppressions(tx, strict.scope, [entry])
    await strict.send_all()
    assert strict.gateway.attempts == []
    message = await strict.messages.get(strict.scope, queued)
    assert message.waiting_for is not None
    assert message.waiting_for.code == "SUPPRESSED"


async def test_a_new_number_starts_three_chats_on_its_first_day(
    desk: Desk, context: Context, clock: ManualClock
) -> None:
    desk.adopt(replace(context, sending_limits=SendingLimits.ENFORCED))
    ids = [await desk.submit("hello", to=number(index)) for index in range(5)]
    await run_for(desk, clock, 120, step=5)
    statuses = [await desk.status(one) for one in ids]
    assert statuses == ["SENT"] * 3 + ["QUEUED"] * 2


async def test_a_second_dispatcher_without_a_memory_keeps_the_caps(strict: Desk, clock: ManualClock) -> None:
    known = [number(index) for index in range(20)]
    await talked(strict, *known)
    clock.advance(25 * 3600)
    for one in known:
        await strict.submit("text", to=one)
    for _ in range(5):
        await strict.send_all()
        clock.advance(2)
    assert len(strict.gateway.attempts) == 12


async def test_what_certainly_did_not_leave_counts_for_no_cap(strict: Desk, clock: ManualClock) -> None:
    await talked(strict, CUSTOMER)
    strict.gateway.answer_next("text", NOT_SENT)
    await strict.submit("text")
    await run_for(strict, clock, 2)
    assert len(await left_at(strict)) == 1


async def test_two_messages_to_one_contact_are_two_seconds_apart(strict: Desk, clock: ManualClock) -> None:
    await talked(strict, CUSTOMER)
    await strict.submit("a")
    await strict.submit("b")
    times = await run_for(strict, clock, 12, step=0.25)
    assert len(times) == 2
    assert [outgoing.text for _, outgoing in strict.gateway.attempts] == ["a", "b"]
    assert (times[1] - times[0]).total_seconds() >= 1


async def test_a_rate_limit_halves_the_rate_and_says_so(strict: Desk, clock: ManualClock) -> None:
    await talked(strict, CUSTOMER)
    strict.gateway.answer_next("text", RATE_LIMITED)
    await strict.submit("text")
    await run_for(strict, clock, 2)
    state = await state_of(strict)
    assert [(one.cause.value, one.factor) for one in state.reactions.slowdowns] == [("RATE_LIMITED", 0.5)]
    [event] = await events_of(strict, "health.changed")
    assert event["causes"] == ["RATE_LIMITED"]


async def test_a_refused_new_contact_stops_new_chats_and_campaigns(strict: Desk, clock: ManualClock) -> None:
    strict.gateway.answer_next("cold", REFUSED)
    refused = await strict.submit("cold", to=number(1))
    await run_for(strict, clock, 10)
    assert await strict.status(refused) == "FAILED"
    waiting = await strict.submit("cold too", to=number(2))
    await run_for(strict, clock, 10)
    message = await strict.messages.get(strict.scope, waiting)
    assert message.waiting_for is not None
    assert message.waiting_for.code == "NEW_CHATS_PAUSED"
    [event] = await events_of(strict, "health.changed")
    assert event["score"] == 25
    assert event["level"] == "CAUTION"


async def test_a_refused_known_contact_is_held_until_it_writes(strict: Desk, clock: ManualClock) -> None:
    await talked(strict, CUSTOMER)
    clock.advance(25 * 3600)
    strict.gateway.answer_next("news", REFUSED)
    await strict.submit("news")
    await run_for(strict, clock, 10)
    held = await strict.submit("more news")
    fine = await strict.submit("other news", to=number(3))
    await run_for(strict, clock, 10)
    message = await strict.messages.get(strict.scope, held)
    assert message.waiting_for is not None
    assert message.waiting_for.code == "CONTACT_HELD"
    assert await strict.status(fine) == "SENT"


async def test_five_failures_within_an_hour_cost_health(strict: Desk, clock: ManualClock) -> None:
    known = [number(index) for index in range(5)]
    await talked(strict, *known)
    for one in known:
        strict.gateway.answer_next(one, FAILED)
        failed = await strict.submit(one, to=one)
    await run_for(strict, clock, 30)
    assert (await strict.messages.get(strict.scope, failed)).error.code == errors.PAYLOAD_NOT_SUPPORTED.name  # type: ignore[union-attr]
    assert (await state_of(strict)).health.figure == 20


async def test_a_number_without_an_account_is_suppressed_for_thirty_days(
    strict: Desk, clock: ManualClock
) -> None:
    strict.gateway.answer_next("hello", SendReport(Outcome.NOT_SENT, reason="not_on_whatsapp"))
    await strict.submit("hello")
    waiting = await strict.submit("again")
    await run_for(strict, clock, 6, step=3)
    assert await strict.status(waiting) == "CANCELLED"
    with pytest.raises(PonteError) as refusal:
        await strict.submit("once more")
    assert refusal.value.code is errors.RECIPIENT_SUPPRESSED
    clock.advance(30 * 24 * 3600)
    await strict.submit("a month later")


async def test_sends_that_no_window_reaches_are_forgotten(strict: Desk, clock: ManualClock) -> None:
    await strict.submit("hello")
    await strict.send_all()
    maintenance = MaintenanceService(strict.context)
    clock.advance(3 * 24 * 3600)
    await maintenance.run_once()
    assert len(await left_at(strict)) == 1
    clock.advance(24 * 3600 + 60)
    await maintenance.run_once()
    assert await left_at(strict) == []


async def test_nothing_leaves_before_it_is_counted(strict: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await strict.submit("hello")
    begin = Database.transaction

    @asynccontextmanager
    async def fail_at_commit(database: Database, scope: CompanyScope) -> AsyncIterator[Transaction]:
        async with begin(database, scope) as tx:
            yield tx
            await asyncio.sleep(0.01)  # not for luck: what was sent already would have arrived
            raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(Database, "transaction", fail_at_commit)
        with pytest.raises(OSError, match="disk"):
            await strict.dispatch().run(strict.scope, strict.session_id)
    assert strict.gateway.attempts == []
    await strict.send_all()
    assert len(await left_at(strict)) == 1
