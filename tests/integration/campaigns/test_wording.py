"""Greetings and dates of campaign messages are those of the moment they leave."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from orchestrator.domain.campaign.last_words import Said
from orchestrator.domain.campaign.variants import GivenVariant
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content import Image, MediaRef
from orchestrator.domain.retry import Outcome, SendReport
from orchestrator.services.campaign_wording import CampaignWording
from orchestrator.services.contacts import ContactBook
from orchestrator.services.dispatch import DispatchService
from orchestrator.services.dispatch_turn import DispatchTurns, TurnWork
from orchestrator.services.policy_state import load_state
from orchestrator.store import campaign_recipients, policy
from orchestrator.store import messages as message_store
from tests.integration.campaigns.conftest import House
from tests.support.clock import ManualClock
from tests.support.gateway import FakeGateway

VARIANTS = [GivenVariant("", f"{{greeting}}! It is {{date}} ({number})") for number in range(5)]


@pytest.fixture
def clock() -> ManualClock:
    """A moment before six in the evening in Brazil, on a Wednesday."""
    return ManualClock(datetime.fromisoformat("2026-01-07T20:59:50+00:00"))


async def send_due(house: House, gateway: FakeGateway, session_id: str) -> list[str]:
    """Run a dispatcher until nothing is due; gives what it sent, without the variant's mark."""
    before = len(gateway.attempts)
    dispatch = DispatchService(house.context, gateway, "worker-1")
    await dispatch.run(house.scope, session_id)
    await dispatch.stop()
    return [outgoing.text.rpartition(" (")[0] for _, outgoing in gateway.attempts[before:]]


async def test_what_waited_greets_by_the_time_it_leaves(
    house: House, gateway: FakeGateway, clock: ManualClock, scope: CompanyScope
) -> None:
    campaign = await house.running(people=3, variants=VARIANTS)
    [session_id] = campaign.session_ids
    assert await send_due(house, gateway, session_id) == ["Good afternoon! It is 2026-01-07"]
    clock.advance(120)
    assert await send_due(house, gateway, session_id) == ["Good evening! It is 2026-01-07"]
    clock.advance(timedelta(hours=15).total_seconds())
    assert await send_due(house, gateway, session_id) == ["Good morning! It is 2026-01-08"]
    stored = [row.text.rpartition(" (")[0] for row in await house.messages()]
    assert sorted(stored) == [
        "Good afternoon! It is 2026-01-07",
        "Good evening! It is 2026-01-07",
        "Good morning! It is 2026-01-08",
    ]


async def test_what_was_tried_before_keeps_its_words(
    house: House, gateway: FakeGateway, clock: ManualClock
) -> None:
    campaign = await house.running(people=1, variants=VARIANTS)
    [session_id] = campaign.session_ids
    [waiting] = await house.messages()
    gateway.answer_next(waiting.text, SendReport(Outcome.REJECTED, wa_code=429))
    assert await send_due(house, gateway, session_id) == ["Good afternoon! It is 2026-01-07"]
    clock.advance(600)
    assert await send_due(house, gateway, session_id) == ["Good afternoon! It is 2026-01-07"]


@pytest.mark.parametrize("case", ["another message", "the same message", "tried before"])
async def test_what_the_number_said_last_is_said_in_other_words(
    house: House, gateway: FakeGateway, case: str
) -> None:
    picture = GivenVariant("", "Look", Image(media=MediaRef(media_id=await house.uploaded())))
    plain = [GivenVariant("", f"Wording {number}") for number in range(4)]
    campaign = await house.running(people=1, variants=[*plain, picture])
    [row] = await house.messages()
    async with house.context.database.transaction(house.scope) as tx:
        stored = await message_store.get(tx, house.scope, row.id)
        assert stored is not None
        if case == "tried before":
            stored = replace(stored, message=replace(stored.message, attempts=1))
        [before] = (await campaign_recipients.by_messages(tx, house.scope, campaign.id, [row.id])).values()
        assert before.variant is not None
        last_id = row.id if case == "the same message" else "another"
        last = {campaign.id: (Said(before.variant, last_id),)}
        wording = CampaignWording(house.context, house.scope)
        [said], after = await wording.at_sending(tx, [stored], last, house.context.clock())

    [now] = await house.messages()
    changed = case == "another message"
    assert (said.message.text != row.text) == changed
    assert (now.text, now.kind) == (said.message.text, said.message.kind)
    assert (now.kind == "image") == (now.text == "Look") == (said.message.content is not None)
    assert after[campaign.id][-1].message_id == row.id
    assert (after[campaign.id][-1].variant != before.variant) == changed
    tallies = (await house.campaigns.get(house.scope, campaign.id)).tallies
    assert [tally.queued for tally in tallies] == [
        int(position == after[campaign.id][-1].variant) for position in range(5)
    ]


async def test_messages_that_leave_in_another_order_repeat_no_wording(
    house: House, gateway: FakeGateway, clock: ManualClock
) -> None:
    campaign = await house.running(people=30)
    [session_id] = campaign.session_ids
    for turn in range(30):
        waiting = await house.messages(status="QUEUED")
        # Every other time the last in the queue is due first, as after a night in another zone.
        await house.due_first(waiting[-1 if turn % 2 else 0])
        await send_due(house, gateway, session_id)
        clock.advance(6)
    said = [outgoing.text for _, outgoing in gateway.attempts]
    assert len(said) == 30
    assert all(earlier != later for earlier, later in pairwise(said))


async def test_a_message_that_died_before_it_left_does_not_hide_what_was_said_before_it(
    house: House, gateway: FakeGateway, clock: ManualClock
) -> None:
    """Three leave; the next is let go and its process dies; another, which says what the third said, goes first."""
    campaign = await house.running(people=8)
    [session_id] = campaign.session_ids
    for _ in range(3):
        await house.due_first((await house.messages(status="QUEUED"))[0])
        await send_due(house, gateway, session_id)
        clock.advance(6)
    [*_, third] = [outgoing.text for _, outgoing in gateway.attempts]
    dies, *rest = await house.messages(status="QUEUED")
    await house.due_first(dies)
    turns = DispatchTurns(house.context, ContactBook(house.context), house.scope, session_id, "dies")
    let_go = await turns.take_first(TurnWork(True, (), 0, (), 10), lambda _: None)
    assert [stored.message.id for stored in let_go.claimed] == [dies.id]
    clock.advance(120)
    await house.say_instead(rest[0], third)

    await house.due_first(rest[0])
    await send_due(house, gateway, session_id)

    assert gateway.attempts[-1][1].message_id == rest[0].id
    assert gateway.attempts[-1][1].text not in (third, let_go.claimed[0].message.text)


async def test_an_answer_settles_what_was_said_last(
    house: House, gateway: FakeGateway, clock: ManualClock
) -> None:
    campaign = await house.running(people=8)
    [session_id] = campaign.session_ids

    async def words() -> list[str]:
        async with house.context.database.reading(house.scope) as tx:
            record = await policy.read(tx, house.scope, session_id)
        assert record is not None
        said = load_state(record.state, record.session_since).last_words[campaign.id]
        return [word.message_id for word in said]

    first, second, third = (await house.messages(status="QUEUED"))[:3]
    for row in (first, second):
        await house.due_first(row)
        await send_due(house, gateway, session_id)
        assert await words() == [row.id]
        clock.advance(6)
    gateway.answer_next(third.text, SendReport(Outcome.NOT_SENT, reason="not_connected"))
    await house.due_first(third)
    await send_due(house, gateway, session_id)
    assert await words() == [second.id]
