"""Greetings and dates of campaign messages are those of the moment they leave."""

from datetime import datetime, timedelta

import pytest

from orchestrator.domain.campaign.variants import GivenVariant
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.retry import Outcome, SendReport
from orchestrator.services.dispatch import DispatchService
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
