"""How often WhatsApp is asked whether numbers exist: few, and none twice in a month."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError
from orchestrator.services.contacts import ContactService
from orchestrator.services.context import Context, SendingLimits
from orchestrator.services.maintenance import MaintenanceService
from orchestrator.store import number_checks
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.factories import Factories


def number(index: int) -> str:
    return f"+55119876{index:05d}"


@pytest.fixture
def service(desk: Desk, context: Context) -> ContactService:
    """Asks within the limits."""
    desk.adopt(replace(context, sending_limits=SendingLimits.ENFORCED))
    return ContactService(desk.context, desk.gateway)


async def test_an_answer_is_good_for_30_days(desk: Desk, service: ContactService, clock: ManualClock) -> None:
    desk.gateway.not_on_whatsapp.add(number(1))
    numbers = [number(1), number(2)]
    first = await service.check(desk.scope, desk.session_id, numbers)
    clock.advance(timedelta(days=29).total_seconds())
    assert await service.check(desk.scope, desk.session_id, numbers) == first
    assert desk.gateway.checked == numbers
    clock.advance(timedelta(days=2).total_seconds())
    desk.gateway.not_on_whatsapp.clear()
    now_there, _ = await service.check(desk.scope, desk.session_id, numbers)
    assert now_there.on_whatsapp
    assert desk.gateway.checked == numbers * 2


async def test_20_numbers_an_hour_are_asked_about(
    desk: Desk, service: ContactService, clock: ManualClock
) -> None:
    await service.check(desk.scope, desk.session_id, [number(index) for index in range(18)])
    clock.advance(600)
    more = [number(index) for index in range(17, 22)]
    with pytest.raises(PonteError) as refused:
        await service.check(desk.scope, desk.session_id, more)
    assert refused.value.code is errors.NUMBER_CHECK_LIMIT_REACHED
    assert refused.value.retry_after_s == 3000
    assert refused.value.sentence.startswith("Of 4 numbers that were not asked about lately, 2 may be")
    assert len(await service.check(desk.scope, desk.session_id, more[:3])) == 3
    clock.advance(3000)
    assert len(await service.check(desk.scope, desk.session_id, more)) == 5
    assert len(desk.gateway.checked) == 22


async def test_a_question_without_an_answer_counts(desk: Desk, service: ContactService) -> None:
    desk.gateway.available = False
    for _ in range(2):
        with pytest.raises(PonteError) as failed:
            await service.check(desk.scope, desk.session_id, [number(index) for index in range(20)])
    assert failed.value.code is errors.NUMBER_CHECK_LIMIT_REACHED


async def test_the_cap_is_each_sessions_own_and_answers_are_the_companys(
    desk: Desk, service: ContactService, make: Factories
) -> None:
    numbers = [number(index) for index in range(20)]
    await service.check(desk.scope, desk.session_id, numbers)
    other = await make.linked_session(desk.scope)
    assert len(await service.check(desk.scope, other.id, [*numbers, number(20)])) == 21
    assert desk.gateway.checked == [*numbers, number(20)]


async def test_lifted_limits_ask_freely(desk: Desk) -> None:
    service = ContactService(desk.context, desk.gateway)
    assert len(await service.check(desk.scope, desk.session_id, [number(index) for index in range(50)])) == 50


async def test_answers_are_cleared_away_when_no_session_may_count_them_any_more(
    desk: Desk, service: ContactService, clock: ManualClock
) -> None:
    await service.check(desk.scope, desk.session_id, [number(1)])
    maintenance = MaintenanceService(desk.context)
    clock.advance(timedelta(days=89).total_seconds())
    await maintenance.run_once()
    async with desk.context.database.reading(desk.scope) as tx:
        assert set(await number_checks.find(tx, desk.scope, [number(1)])) == {number(1)}
    clock.advance(timedelta(days=2).total_seconds())
    await maintenance.run_once()
    async with desk.context.database.reading(desk.scope) as tx:
        assert await number_checks.find(tx, desk.scope, [number(1)]) == {}
