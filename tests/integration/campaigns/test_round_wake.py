"""A quiet campaign's next round is brought forward by news of its own contacts, and by nothing else."""

from datetime import timedelta

from orchestrator.domain.campaign.campaign import Campaign
from orchestrator.domain.campaign.feeding import PORTION
from orchestrator.domain.campaign.state import CampaignState
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.store import campaigns as campaign_store
from orchestrator.store import events as event_store
from tests.integration.campaigns.conftest import House, numbers


async def looked_at(house: House, campaign: Campaign, seconds: float) -> Campaign:
    """Let time pass, look for what is due, and give the campaign."""
    house.context.clock.advance(seconds)  # type: ignore[attr-defined]  # a ManualClock
    await house.rounds.run_once()
    return await house.campaigns.get(house.scope, campaign.id)


async def planned_in(house: House, campaign: Campaign) -> timedelta:
    """How long until the next round at the latest."""
    async with house.context.database.reading(house.scope) as tx:
        stored = await campaign_store.get(tx, house.scope, campaign.id)
    assert stored is not None
    assert stored.rounds.next_round_at is not None
    return stored.rounds.next_round_at - house.context.clock()


async def quiet(house: House, people: int) -> Campaign:
    """A running campaign of which nothing is heard."""
    campaign = await house.running(people)
    for _ in range(3):
        await looked_at(house, campaign, 1)
    assert await planned_in(house, campaign) > timedelta(seconds=27)
    return campaign


async def test_news_of_a_recipient_is_counted_within_seconds(house: House) -> None:
    campaign = await quiet(house, people=3)
    first, *_ = await house.messages()
    await house.become("SENT", [first])

    campaign = await looked_at(house, campaign, 3)

    assert campaign.tally.sent == 1


async def test_news_of_other_chats_bring_no_round_forward(house: House) -> None:
    campaign = await quiet(house, people=3)
    planned = await planned_in(house, campaign)
    first, *_ = await house.messages()
    async with house.context.database.transaction(house.scope) as tx:
        other = NewEvent(EventType.MESSAGE_RECEIVED, first.session_id, {}, "5521988887777@s.whatsapp.net")
        await event_store.append(tx, house.scope, [other], house.context.clock(), house.context.rng)

    await looked_at(house, campaign, 10)

    assert await planned_in(house, campaign) == planned - timedelta(seconds=10)


async def test_a_campaign_ends_in_time_although_it_is_quiet(house: House) -> None:
    campaign = await house.running(3, end_at=house.context.clock() + timedelta(seconds=10))
    for _ in range(3):
        await looked_at(house, campaign, 1)
    assert await planned_in(house, campaign) == timedelta(seconds=7)

    campaign = await looked_at(house, campaign, 7)

    assert campaign.state is CampaignState.STOPPED


async def test_progress_that_was_not_told_yet_is_told_within_seconds(house: House) -> None:
    campaign = await quiet(house, people=3)
    first, second, _ = await house.messages()
    await house.become("SENT", [first])
    await looked_at(house, campaign, 3)
    await house.become("SENT", [second])
    await looked_at(house, campaign, 1)
    told = (await house.events()).count("progress")

    for _ in range(2):
        await looked_at(house, campaign, 1)

    assert (await house.events()).count("progress") == told + 1


async def test_after_portions_that_were_all_passed_over_the_next_follows_at_once(house: House) -> None:
    draft = await house.draft(people=2 * PORTION + 5)
    for number in numbers(2 * PORTION):
        await house.consents.suppress(house.scope, number)
    campaign = await house.campaigns.create(house.scope, draft)
    await house.campaigns.start(house.scope, campaign.id)
    await house.rounds.start(house.scope, campaign.id)
    await looked_at(house, campaign, 1)
    assert await house.messages() == []

    await looked_at(house, campaign, 1)

    assert len(await house.messages()) == 5
