"""Pauses, refused contacts, the breaker and health."""

import pytest

from orchestrator.domain.breaker import Breaker, BreakerState
from orchestrator.domain.policy.decisions import Reason, ReasonCode
from orchestrator.domain.policy.health import Health, HealthLevel, figure_at, level_of
from orchestrator.domain.policy.pauses import (
    breaker_objection,
    contact_objection,
    health_objection,
    pause_objection,
)
from orchestrator.domain.policy.reaction_state import Cause, Pause, Reactions, RefusedContact, Scope
from orchestrator.domain.policy.settings import DAY_S, DEFAULTS
from orchestrator.domain.policy.snapshot import Snapshot
from tests.support.policy_snapshots import NOON, campaign, later, notification, reply, session


def paused(*pauses: Pause) -> Snapshot:
    return session(reactions=Reactions(pauses=pauses))


def opened(until: float | None) -> Snapshot:
    return session(breaker=Breaker(BreakerState.OPEN, until=None if until is None else later(until)))


def test_an_open_breaker_lets_nothing_through_until_it_may_probe() -> None:
    assert breaker_objection(opened(10), reply(), later(9)) == Reason(
        ReasonCode.BREAKER_OPEN, "the breaker is open", later(10)
    )
    assert breaker_objection(opened(10), reply(), later(10)) is None


def test_a_breaker_that_waits_for_a_person_has_no_end() -> None:
    assert breaker_objection(opened(None), reply(), NOON) == Reason(
        ReasonCode.BREAKER_OPEN, "the breaker is open until a person starts the session"
    )


@pytest.mark.parametrize("state", [BreakerState.CLOSED, BreakerState.HALF_OPEN])
def test_a_breaker_that_is_not_open_says_nothing(state: BreakerState) -> None:
    assert breaker_objection(session(breaker=Breaker(state)), reply(), NOON) is None


def test_a_pause_ends_by_itself() -> None:
    snapshot = paused(Pause(Cause.RATE_LIMITED, Scope.CAMPAIGNS, later(10), "limited twice"))
    assert pause_objection(snapshot, campaign(), later(9)) == Reason(
        ReasonCode.PAUSED, "campaigns paused: limited twice", later(10)
    )
    assert pause_objection(snapshot, campaign(), later(10)) is None


def test_a_pause_without_an_end_waits_for_a_person() -> None:
    assert pause_objection(paused(Pause(Cause.LOCKED, Scope.ALL)), reply(), NOON) == Reason(
        ReasonCode.STOPPED, "all messages paused: locked, until a person resumes"
    )


def test_a_pause_is_for_its_scope() -> None:
    campaigns = paused(Pause(Cause.LOCKED, Scope.CAMPAIGNS))
    assert pause_objection(campaigns, notification(), NOON) is None
    assert pause_objection(campaigns, campaign(), NOON) is not None

    new_chats = paused(Pause(Cause.REACH_OUT_LOCK, Scope.NEW_CHATS, later(10)))
    assert pause_objection(new_chats, campaign(), NOON) is None
    assert pause_objection(new_chats, reply(is_new_chat=True), NOON) is None
    assert pause_objection(new_chats, notification(is_new_chat=True), NOON) == Reason(
        ReasonCode.NEW_CHATS_PAUSED, "new chats paused: reach out lock", later(10)
    )

    everything = paused(Pause(Cause.TEMPORARY_BAN, Scope.ALL, later(10)))
    for candidate in (reply(), notification(), campaign()):
        assert pause_objection(everything, candidate, NOON) is not None


def test_of_several_pauses_the_longest_counts() -> None:
    snapshot = paused(
        Pause(Cause.RATE_LIMITED, Scope.CAMPAIGNS, later(10)),
        Pause(Cause.TEMPORARY_BAN, Scope.ALL, later(30)),
        Pause(Cause.REACH_OUT_LOCK, Scope.CAMPAIGNS, later(20)),
    )
    assert getattr(pause_objection(snapshot, campaign(), NOON), "until", None) == later(30)
    endless = paused(Pause(Cause.RATE_LIMITED, Scope.ALL, later(10)), Pause(Cause.HEALTH, Scope.ALL))
    assert getattr(pause_objection(endless, campaign(), NOON), "code", None) is ReasonCode.STOPPED


def test_a_refused_contact_is_held_until_it_writes() -> None:
    refused = (RefusedContact("another", NOON), RefusedContact("contact", NOON))
    snapshot = session(reactions=Reactions(held_contacts=refused))

    assert contact_objection(snapshot, reply(last_inbound_at=NOON), later(1)) == Reason(
        ReasonCode.CONTACT_HELD, "WhatsApp refused this contact (463), until it writes"
    )
    assert contact_objection(snapshot, notification(), later(1)) is not None
    assert contact_objection(snapshot, reply(last_inbound_at=later(1)), later(2)) is None
    assert contact_objection(snapshot, reply(contact_key="third"), later(2)) is None


def ill(figure: float) -> Snapshot:
    return session(health=Health(figure, NOON))


@pytest.mark.parametrize("figure", [0.0, 0.9, 39.9])
def test_a_low_risk_figure_says_nothing(figure: float) -> None:
    assert health_objection(ill(figure), campaign(), NOON) is None


def test_throttled_sends_replies_only_until_the_figure_has_sunk() -> None:
    reason = health_objection(ill(60), notification(), NOON)

    assert reason is not None
    assert (reason.code, reason.what) == (
        ReasonCode.HEALTH_THROTTLED,
        "risk figure 60 of 100, replies only",
    )
    assert reason.until is not None
    waited = (reason.until - NOON).total_seconds()
    assert waited == pytest.approx(DAY_S * 0.5849625 + 1, abs=0.1)
    figures = DEFAULTS.health
    assert level_of(figure_at(Health(60, NOON), reason.until, figures), figures) is HealthLevel.CAUTION
    assert health_objection(ill(60), reply(), NOON) is None


def test_the_wait_counts_from_the_figure_as_it_is_now() -> None:
    early, late = (health_objection(ill(60), notification(), later(seconds)) for seconds in (0, 7_200))
    assert early is not None
    assert late is not None
    assert early.until is not None
    assert late.until is not None
    assert (late.until - early.until).total_seconds() == pytest.approx(0, abs=0.01)


def test_a_clock_before_the_figure_waits_from_the_figure_on() -> None:
    reason = health_objection(ill(40), notification(), later(-100))
    assert getattr(reason, "until", None) == later(1)


def test_stopped_sends_nothing_until_a_person_resumes() -> None:
    for candidate in (campaign(), notification(), reply()):
        assert health_objection(ill(80), candidate, NOON) == Reason(
            ReasonCode.HEALTH_STOPPED, "risk figure 80 of 100, until a person resumes"
        )
