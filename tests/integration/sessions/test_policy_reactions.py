"""What WhatsApp says of a number, and what follows: seen at its simulated server, limits enforced, on real Baileys.

The house's clock stands still until a test moves it: hours and days pass at once. What is sent are locations, since
nobody types those.
"""

import pytest

from tests.support.policy_house import (
    HOUR_S,
    arrived,
    health,
    house,
    linked,
    quota,
    reaches,
    seconds_until,
    send,
    strangers,
    too_many_questions,
    waits_for,
)
from tests.support.session_house import SessionHouse
from tests.support.simulator import eventually

__all__ = ["house"]  # A fixture.

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("database_kind", ["sqlite"]),
]


async def test_a_refusal_asks_for_the_lock_and_its_end_counts(house: SessionHouse) -> None:
    session = await linked(house)
    number = house.numbers[session]
    refused, waiting = await strangers(house, 2)
    lock = {"active": True, "ends_in_s": HOUR_S}
    await house.simulator.set_standing(number, reach_out_lock=lock, tell=False)
    end_s = seconds_until(house, HOUR_S)
    await house.simulator.fault("ack_error", number=number, code=463, count=1)
    await reaches(house, await send(house, session, refused), "FAILED")
    await health(house, session, pauses={"REACH_OUT_LOCK"})
    message = await send(house, session, waiting)
    await waits_for(house, message, "NEW_CHATS_PAUSED")
    before = await arrived(house, session)
    await house.advance(session, HOUR_S)
    await waits_for(house, message, "NEW_CHATS_PAUSED")
    assert await arrived(house, session) == before
    await house.advance(session, end_s - HOUR_S + 10 + 2)
    await reaches(house, message, "SENT")
    assert len(await arrived(house, session)) == len(before) + 1


async def test_a_lock_that_is_told_holds_until_it_is_lifted(house: SessionHouse) -> None:
    session = await linked(house)
    number = house.numbers[session]
    [to] = await strangers(house, 1)
    await house.simulator.set_standing(number, reach_out_lock={"active": True})
    await health(house, session, pauses={"REACH_OUT_LOCK"})
    message = await send(house, session, to)
    await waits_for(house, message, "NEW_CHATS_PAUSED")
    assert await arrived(house, session) == []
    await house.simulator.set_standing(number, reach_out_lock={"active": False})
    await reaches(house, message, "SENT")


async def test_half_of_whatsapps_quota_is_used_and_cappings_are_heeded(house: SessionHouse) -> None:
    session = await linked(house)
    number = house.numbers[session]
    people = await strangers(house, 9)
    await house.simulator.set_standing(number, new_chats={"total_quota": 9, "used_quota": 2})
    await eventually(lambda: quota(house, session))
    first = [await send(house, session, to) for to in people[:3]]
    for message in first:
        await reaches(house, message, "SENT")
    fourth = await send(house, session, people[3])
    assert "3 of 3" in await waits_for(house, fourth, "NEW_CHAT_QUOTA")
    capped = {"status": "CAPPED", "cycle_ends_in_s": 2 * HOUR_S}
    await house.simulator.set_standing(number, new_chats=capped)
    end_s = seconds_until(house, 2 * HOUR_S)
    await waits_for(house, fourth, "NEW_CHATS_PAUSED")
    assert len(await arrived(house, session)) == 3
    await house.advance(session, end_s + 2)
    await reaches(house, fourth, "SENT")
    await house.simulator.set_standing(number, new_chats={"status": "FIRST_WARNING"})
    await health(house, session, slowdowns={"CAPPING"}, pauses=set())
    last = [await send(house, session, to) for to in people[4:]]
    assert "7 of 7" in await waits_for(house, last[-1], "NEW_CHAT_CAP")
    for message in last[:3]:
        await reaches(house, message, "SENT")
    assert len(await arrived(house, session)) == 7


async def test_a_question_that_was_one_too_many_slows_sending_and_a_second_pauses_campaigns(
    house: SessionHouse,
) -> None:
    session = await linked(house)
    await too_many_questions(house, session)
    found = await health(house, session, slowdowns={"RATE_LIMITED"}, pauses=set())
    assert found["slowdowns"][0]["factor"] == 0.5
    people = await strangers(house, 7)
    messages = [await send(house, session, to) for to in people]
    assert "6 of 6" in await waits_for(house, messages[-1], "MINUTE_CAP")
    for message in messages[:-1]:
        await reaches(house, message, "SENT")
    assert len(await arrived(house, session)) == 6
    await house.advance(session, 62)
    await reaches(house, messages[-1], "SENT")
    await too_many_questions(house, session)
    await health(house, session, slowdowns={"RATE_LIMITED"}, pauses={"RATE_LIMITED"})
