"""What a plan knows of its numbers besides their caps."""

from datetime import timedelta

from orchestrator.domain.breaker import Breaker, BreakerState
from orchestrator.services.campaign_plan import CampaignPlanner, Plan
from orchestrator.store import dispatch_leases
from tests.integration.campaigns.conftest import House


async def plan_of(house: House, campaign_id: str) -> Plan:
    return await CampaignPlanner(house.context, house.campaigns).plan(house.scope, campaign_id)


async def break_off(house: House, session_id: str, breaker: Breaker) -> None:
    """Store a breaker as the holder of the session's dispatch lease does."""
    now = house.context.clock()
    async with house.context.database.transaction(house.scope) as tx:
        await dispatch_leases.acquire(tx, house.scope, session_id, "test", now, now + timedelta(seconds=1))
        await dispatch_leases.store_breaker(tx, house.scope, session_id, "test", breaker)
        await dispatch_leases.release(tx, house.scope, session_id, "test")


async def test_a_number_that_waits_for_a_person_is_said_to_send_nothing(house: House) -> None:
    campaign = await house.campaigns.create(house.scope, await house.draft(people=4))
    assert (await plan_of(house, campaign.id)).forecast.unreachable == 0
    [session_id] = campaign.session_ids

    await break_off(house, session_id, Breaker(BreakerState.OPEN))

    plan = await plan_of(house, campaign.id)
    assert plan.forecast.unreachable == 4
    assert plan.risks[0] == (
        f"Session {session_id} sends nothing until a person starts it: its connection was closed for good."
    )


async def test_a_breaker_that_closes_by_itself_only_puts_the_start_off(house: House) -> None:
    campaign = await house.campaigns.create(house.scope, await house.draft(people=2))
    until = house.context.clock() + timedelta(minutes=5)
    await break_off(house, campaign.session_ids[0], Breaker(BreakerState.OPEN, until=until))

    told = (await plan_of(house, campaign.id)).forecast
    assert told.unreachable == 0
    assert told.starts_at is not None
    assert told.starts_at >= until


async def test_a_campaign_on_the_same_number_is_named_with_what_it_has_to_go(house: House) -> None:
    running = await house.running(people=7)
    draft = await house.draft(people=3)
    other = await house.campaigns.create(
        house.scope,
        type(draft)("Summer", draft.list_id, list(running.session_ids), draft.variants),
    )

    risks = (await plan_of(house, other.id)).risks
    assert [risk for risk in risks if "Spring" in risk] == [
        "Campaign “Spring” has 7 recipients to go over 1 of the same numbers: the two share what those may send, so "
        "this one ends later than foretold."
    ]
    assert not any("Summer" in risk for risk in (await plan_of(house, running.id)).risks)
