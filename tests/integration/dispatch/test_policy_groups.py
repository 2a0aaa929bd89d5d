"""The sending policy and groups: a message to one is a message, and no new chat."""

from orchestrator.domain.retry import Outcome, SendReport
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.groups import GROUP
from tests.support.policy_desk import clock, left_at, number, run_for, strict

__all__ = ["clock", "strict"]  # Fixtures.


async def test_a_message_to_a_group_leaves_and_needs_no_consent(strict: Desk, clock: ManualClock) -> None:
    message_id = await strict.submit("Lunch", to=GROUP)

    await run_for(strict, clock, 10)

    assert await strict.status(message_id) == "SENT"


async def test_messages_to_groups_count_for_the_caps(strict: Desk, clock: ManualClock) -> None:
    for index in range(14):
        await strict.submit(f"Lunch {index}", to=f"1203630000000000{index:02d}@g.us")

    await run_for(strict, clock, 59)

    assert len(await left_at(strict)) == 12


async def test_a_stop_of_new_chats_holds_no_message_to_a_group(strict: Desk, clock: ManualClock) -> None:
    strict.gateway.answer_next("cold", SendReport(Outcome.REJECTED, wa_code=463))
    await strict.submit("cold", to=number(1))
    await run_for(strict, clock, 10)
    waiting = await strict.submit("cold too", to=number(2))
    to_group = await strict.submit("Lunch", to=GROUP)

    await run_for(strict, clock, 10)

    assert await strict.status(waiting) == "QUEUED"
    assert await strict.status(to_group) == "SENT"
