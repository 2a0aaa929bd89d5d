"""The sending policy as callers see it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError
from orchestrator.domain.page import PageRequest
from orchestrator.services.audit_log import AuditFilter, AuditLog
from orchestrator.services.context import Context, SendingLimits
from orchestrator.services.policy import PolicyService, SessionPolicy
from orchestrator.services.suppressions import NewOptIn, SuppressionService
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.factories import CUSTOMER, Factories

PAGE = PageRequest(50)


@pytest.fixture
def strict(desk: Desk, context: Context) -> Desk:
    desk.adopt(replace(context, sending_limits=SendingLimits.ENFORCED))
    return desk


@pytest.fixture
def policies(strict: Desk) -> PolicyService:
    return PolicyService(strict.context)


@pytest.fixture
def lists(strict: Desk) -> SuppressionService:
    return SuppressionService(strict.context)


def figure(policy: SessionPolicy, path: str) -> object:
    [held] = [held for held in policy.figures if held.figure.path == path]
    return held.value


async def test_a_company_makes_figures_stricter_and_puts_them_back(
    strict: Desk, policies: PolicyService
) -> None:
    stricter = {
        "limits.other_per_minute": "5",
        "quiet_hours.opens": "10:00",
        "limits.per_day": "20,20,20,20,20,20,20,20,20,40",
    }
    changed = await policies.update(strict.scope, strict.session_id, stricter, "key-1")
    assert figure(changed, "limits.other_per_minute") == 5
    assert figure(changed, "quiet_hours.opens") == "10:00"
    back = await policies.update(strict.scope, strict.session_id, {"limits.other_per_minute": ""}, "key-1")
    assert figure(back, "limits.other_per_minute") == 12
    assert figure(back, "quiet_hours.opens") == "10:00"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("limits.other_per_minute", "13"),
        ("limits.per_hour", "300"),
        ("no.such", "1"),
        ("contact.gap_s", "soon"),
    ],
)
async def test_a_company_cannot_loosen_what_protects_its_number(
    strict: Desk, policies: PolicyService, path: str, value: str
) -> None:
    with pytest.raises(PonteError) as refusal:
        await policies.update(strict.scope, strict.session_id, {path: value}, "key-1")
    assert refusal.value.code is errors.INVALID_ARGUMENT
    assert path in str(refusal.value.violations)


async def test_the_administrator_raises_a_cap_for_a_time_with_a_reason(
    strict: Desk, policies: PolicyService, clock: ManualClock
) -> None:
    until = clock() + timedelta(days=2)
    raised = await policies.raise_(
        strict.scope, strict.session_id, {"limits.other_per_minute": "30"}, "admin", "an old number", until
    )
    assert figure(raised, "limits.other_per_minute") == 30
    [entry] = (await AuditLog(strict.context).page(strict.scope, AuditFilter("policy.raised"), PAGE)).items
    assert (entry.actor, (entry.detail or {})["reason"]) == ("admin", "an old number")
    clock.advance(2 * 24 * 3600)
    assert figure(await policies.get(strict.scope, strict.session_id), "limits.other_per_minute") == 12


@pytest.mark.parametrize(
    ("figures", "reason", "days"),
    [
        ({"limits.other_per_minute": "31"}, "beyond the ceiling", 2),
        ({"limits.other_per_minute": "30"}, " ", 2),
        ({"limits.other_per_minute": "30"}, "for ever", 400),
        ({"limits.other_per_minute": "30"}, "no expiry", None),
    ],
)
async def test_nobody_raises_beyond_the_ceiling_or_without_reason_and_expiry(
    strict: Desk, policies: PolicyService, figures: dict[str, str], reason: str, days: int | None
) -> None:
    until = None if days is None else strict.context.clock() + timedelta(days=days)
    with pytest.raises(PonteError) as refusal:
        await policies.raise_(strict.scope, strict.session_id, figures, "admin", reason, until)
    assert refusal.value.code is errors.INVALID_ARGUMENT


async def test_a_number_that_is_declared_mature_starts_more_chats_at_once(
    strict: Desk, policies: PolicyService
) -> None:
    ids = [await strict.submit("hello", to=f"+55119876000{index:02d}") for index in range(5)]
    await strict.send_all()
    await policies.declare_mature(strict.scope, strict.session_id, "admin", "in use since 2019")
    await strict.send_all()
    assert [await strict.status(id_) for id_ in ids] == ["SENT"] * 5


async def test_a_session_of_another_company_is_not_found(
    policies: PolicyService, strict: Desk, make: Factories
) -> None:
    other = await make.company("Other")
    with pytest.raises(PonteError) as refusal:
        await policies.get(other, strict.session_id)
    assert refusal.value.code is errors.NOT_FOUND
    with pytest.raises(PonteError):
        await policies.update(other, strict.session_id, {"limits.per_hour": "1"}, "key")


async def test_a_session_begins_in_good_health(strict: Desk, policies: PolicyService) -> None:
    health = await policies.health(strict.scope, strict.session_id)
    assert (health.score, health.level, health.pauses) == (0, "HEALTHY", ())
    assert await policies.scores(strict.scope, [strict.session_id]) == {strict.session_id: (0.0, "HEALTHY")}


async def test_the_suppression_list_cancels_what_waits_and_is_audited(
    strict: Desk, lists: SuppressionService, policies: PolicyService
) -> None:
    waiting = await strict.submit("hello")
    [entry], cancelled = await lists.add(strict.scope, [CUSTOMER, CUSTOMER], "asked by phone", "key-1")
    assert cancelled == 1
    assert await strict.status(waiting) == "CANCELLED"
    assert await lists.add(strict.scope, [CUSTOMER], "", "key-1") == ([], 0)
    assert (await lists.list(strict.scope, CUSTOMER, PAGE)).items == [entry]
    assert await lists.remove(strict.scope, CUSTOMER, "key-1") == 1
    assert (await lists.list(strict.scope, "", PAGE)).items == []
    await strict.submit("hello again")
    actions = [
        one.action for one in (await AuditLog(strict.context).page(strict.scope, AuditFilter(), PAGE)).items
    ]
    assert sorted(actions) == ["suppression.added", "suppression.removed"]


async def test_opt_ins_are_kept_with_their_evidence(strict: Desk, lists: SuppressionService) -> None:
    given = NewOptIn(CUSTOMER, "form", "newsletter", "https://example.com/form/1")
    await lists.record_opt_ins(strict.scope, [given], "key-1")
    [entry] = (await lists.list_opt_ins(strict.scope, CUSTOMER, PAGE)).items
    assert (entry.source, entry.evidence, entry.given_at) == ("form", given.evidence, strict.context.clock())


@pytest.mark.parametrize(
    "bad", [NewOptIn("123", "form"), NewOptIn(CUSTOMER, " "), NewOptIn(CUSTOMER, "x" * 101)]
)
async def test_an_opt_in_without_a_number_or_a_source_is_refused(
    strict: Desk, lists: SuppressionService, bad: NewOptIn
) -> None:
    with pytest.raises(PonteError) as refusal:
        await lists.record_opt_ins(strict.scope, [bad], "key-1")
    assert "opt_ins[0]" in str(refusal.value.violations)
