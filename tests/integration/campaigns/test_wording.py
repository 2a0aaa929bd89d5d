"""Greetings and dates of campaign messages are those of the moment they leave."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from orchestrator.domain.campaign.variants import GivenVariant
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content import Image, MediaRef
from orchestrator.domain.retry import Outcome, SendReport
from orchestrator.services.campaign_wording import CampaignWording
from orchestrator.services.dispatch import DispatchService
from orchestrator.services.policy_state import LastWording
from orchestrator.store import campaign_recipients
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
        last = {campaign.id: LastWording(before.variant, last_id)}
        wording = CampaignWording(house.context, house.scope)
        [said], after = await wording.at_sending(tx, [stored], last, house.context.clock())

    [now] = await house.messages()
    changed = case == "another message"
    assert (said.message.text != row.text) == changed
    assert (now.text, now.kind) == (said.message.text, said.message.kind)
    assert (now.kind == "image") == (now.text == "Look") == (said.message.content is not None)
    assert after[campaign.id].message_id == row.id
    assert (after[campaign.id].variant != before.variant) == changed
    tallies = (await house.campaigns.get(house.scope, campaign.id)).tallies
    assert [tally.queued for tally in tallies] == [
        int(position == after[campaign.id].variant) for position in range(5)
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
