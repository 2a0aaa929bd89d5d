"""What stops campaigns or everything, until a time or until a person resumes: seen at the simulated server.

The house's clock stands at a Wednesday's noon until a test moves it.
"""

from collections import Counter

import pytest

from orchestrator.services.campaign_rounds import CampaignRounds
from tests.support.policy_house import (
    HOUR_S,
    acquaintances,
    answered,
    arrived,
    campaign_message,
    health,
    house,
    linked_at_noon,
    reaches,
    send,
    started_campaign,
    strangers,
    too_many_questions,
    waits_for,
)
from tests.support.session_house import Servers, SessionHouse, running_house
from tests.support.simulator import eventually

__all__ = ["house"]  # A fixture.

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("database_kind", ["sqlite"]),
]


async def test_a_second_rate_limit_within_a_day_pauses_campaigns_for_six_hours(house: SessionHouse) -> None:
    session = await linked_at_noon(house)
    await too_many_questions(house, session)
    await health(house, session, slowdowns={"RATE_LIMITED"})
    await house.advance(session, 61)
    await too_many_questions(house, session)
    await health(house, session, pauses={"RATE_LIMITED"})
    offer = await campaign_message(house, session)
    await waits_for(house, offer, "PAUSED")
    await house.advance(session, 6 * HOUR_S - 60)
    await waits_for(house, offer, "PAUSED")
    assert await arrived(house, session) == []
    await house.advance(session, 62)
    await reaches(house, offer, "SENT")
    assert len(await arrived(house, session)) == 1


async def test_three_refused_strangers_stop_campaigns_for_a_day(house: SessionHouse) -> None:
    session = await linked_at_noon(house)
    number = house.numbers[session]
    await house.simulator.fault("ack_error", number=number, code=463, count=3)
    refused = [await send(house, session, to) for to in await strangers(house, 3)]
    for message in refused:
        await reaches(house, message, "FAILED")
    await health(house, session, pauses={"REACH_OUT_REFUSED", "REACH_OUT_REFUSED_BY_MANY"})
    # A lock that is over by the house's clock: what the three refusals led to stays.
    await house.simulator.set_standing(number, reach_out_lock={"active": True, "ends_in_s": 1})
    await health(house, session, pauses={"REACH_OUT_REFUSED_BY_MANY"})
    offer = await campaign_message(house, session)
    await waits_for(house, offer, "PAUSED")
    before = len(await arrived(house, session))
    await house.advance(session, 24 * HOUR_S - 60)
    await waits_for(house, offer, "PAUSED")
    assert len(await arrived(house, session)) == before
    await house.advance(session, 62)
    await reaches(house, offer, "SENT")


async def test_a_temporary_ban_stops_everything_until_a_day_after_its_end_and_a_person(
    house: SessionHouse,
) -> None:
    session = await linked_at_noon(house)
    number = house.numbers[session]
    [customer] = await acquaintances(house, session, 1)
    house.rng.share = 0.0
    ban = {"code": 402, "expire_s": HOUR_S, "ban_code": 101}
    await house.simulator.fault("login_failure", number=number, count=1, **ban)
    await house.simulator.fault("cut", number=number)
    await house.reach(session, "BANNED")
    await health(house, session, pauses={"TEMPORARY_BAN"})
    reply = await send(house, session, customer, "REPLY")
    await house.advance(session, 24 * HOUR_S)
    assert (await house.rest.ask("POST", f"/v1/sessions/{session}:start", {})).status == 409
    await house.advance(session, HOUR_S + 2)
    assert await arrived(house, session) == []
    await house.call("POST", f"/v1/sessions/{session}:start", {})
    await house.reach(session, "CONNECTED")
    await house.advance(session, 2)
    await reaches(house, reply, "SENT")
    assert len(await arrived(house, session)) == 1
    assert (await health(house, session, pauses=set()))["level"] == "HEALTHY"


@pytest.mark.parametrize(
    ("code", "state", "cause"), [(401, "LOGGED_OUT", "LOGGED_OUT"), (403, "BANNED", "LOCKED")]
)
async def test_a_logout_and_a_lock_stop_the_session(
    house: SessionHouse, code: int, state: str, cause: str
) -> None:
    session = await linked_at_noon(house)
    number = house.numbers[session]
    await reaches(house, await campaign_message(house, session), "SENT")
    await waits_for(house, await campaign_message(house, session), "CAMPAIGN_GAP")
    house.rng.share = 0.0
    await house.simulator.fault("login_failure", number=number, code=code, count=1)
    await house.simulator.fault("cut", number=number)
    await house.reach(session, state)
    assert (await health(house, session, pauses={cause}))["level"] == "THROTTLED"
    await house.advance(session, HOUR_S)
    assert len(await arrived(house, session)) == 1


async def test_many_failures_slow_sending_and_more_pause_campaigns_until_a_person_resumes(
    house: SessionHouse,
) -> None:
    session = await linked_at_noon(house)
    number = house.numbers[session]
    people = await acquaintances(house, session, 24)
    await answered(house, session, people)
    await house.simulator.fault("ack_error", number=number, code=405, count=1)
    await answered(house, session, people)
    await answered(house, session, people[:1])
    await house.simulator.fault("ack_error", number=number, code=405, count=1)
    await answered(house, session, people[1:2])
    await health(house, session, slowdowns={"FAILED_SHARE"}, pauses=set())
    before = len(await arrived(house, session))
    news = [await send(house, session, to) for to in await strangers(house, 7)]
    assert "6 of 6" in await waits_for(house, news[-1], "MINUTE_CAP")
    for message in news[:-1]:
        await reaches(house, message, "SENT")
    assert len(await arrived(house, session)) == before + 6
    await house.simulator.fault("ack_error", number=number, code=405, count=1)
    await answered(house, session, people[2:3])
    await health(house, session, slowdowns={"FAILED_SHARE"}, pauses={"FAILED_SHARE"})
    offer = await campaign_message(house, session)
    await waits_for(house, offer, "STOPPED")
    await answered(house, session, people[:1])
    await waits_for(house, offer, "STOPPED")
    await house.call("POST", f"/v1/sessions/{session}:start", {})
    await house.advance(session, 2)
    await reaches(house, offer, "SENT")


async def test_few_deliveries_slow_sending_and_fewer_pause_campaigns(house: SessionHouse) -> None:
    session = await linked_at_noon(house)
    people = await acquaintances(house, session, 25)
    for silent in people[:10]:
        await house.simulator.set_phone(silent, auto_delivery_receipt=False)
    messages = await answered(house, session, people) + await answered(house, session, people)
    for message, to in zip(messages, people * 2, strict=True):
        if to not in people[:10]:
            await reaches(house, message, "DELIVERED")
    await house.advance(session, 6 * HOUR_S)
    await answered(house, session, people[:1])
    await health(house, session, slowdowns={"DELIVERED_SHARE"}, pauses=set())
    await answered(house, session, people[:10])
    await answered(house, session, people[:10])
    await house.advance(session, 6 * HOUR_S)
    await answered(house, session, people[:1])
    await health(house, session, slowdowns={"DELIVERED_SHARE"}, pauses={"DELIVERED_SHARE"})
    before = len(await arrived(house, session))
    offer = await campaign_message(house, session)
    await waits_for(house, offer, "STOPPED")
    assert len(await arrived(house, session)) == before


async def test_an_opt_out_wave_stops_the_campaign(servers: Servers, database_url: str) -> None:
    """Limits are lifted: a gap of 5 s at most is all that keeps a message from the next one."""
    async with running_house(servers, database_url) as house:
        session = await house.link()
        people = await strangers(house, 80)
        campaign = await started_campaign(house, session, people)
        rounds = CampaignRounds(house.context)

        async def is_at_rest() -> bool:
            return not (await house.call("GET", "/v1/messages?status=SENDING"))["messages"]

        async def offered() -> list[str]:
            # On a busy machine the clock would else run past the claim of the message that is on its way.
            await eventually(is_at_rest)
            await house.advance(session, 5.5)
            await rounds.start(house.scope, campaign)
            return [to for to in await arrived(house, session) if to in people]

        async def reached(least: int) -> list[str]:
            found = await offered()
            return found if len(found) >= least else []

        leaving = (await eventually(lambda: reached(52), timeout_s=40))[:2]
        for person in leaving:
            await house.simulator.send(person, house.numbers[session], "STOP")

        async def both_left() -> bool:
            return len(await house.events(session, "contact.opted_out")) == len(leaving)

        await eventually(both_left)

        async def stopped() -> bool:
            await offered()
            state = await house.call("GET", f"/v1/campaigns/{campaign}")
            is_stopped = (state["state"], state.get("stop_cause")) == ("STOPPED", "OPT_OUTS")
            return is_stopped and await is_at_rest()

        await eventually(stopped)
        before = await offered()
        for _ in range(5):
            after = await offered()
        assert Counter(after) - Counter(before) <= Counter(leaving), "one confirmation of each opt-out"
        assert set(after) < set(people)
