"""The decision as a whole."""

from dataclasses import replace
from datetime import UTC
from random import Random

import pytest

from orchestrator.domain.breaker import Breaker, BreakerState
from orchestrator.domain.policy.decide import (
    CAMPAIGN_RULES,
    CONVERSATION_RULES,
    GUARD_RAILS,
    LIFTED_CAMPAIGN_RULES,
    OTHER_RULES,
    decide,
)
from orchestrator.domain.policy.decisions import Decision, Delay, Hold, Reason, ReasonCode, Send
from orchestrator.domain.policy.health import Health
from orchestrator.domain.policy.pacing_state import Pacing
from orchestrator.domain.policy.reaction_state import Cause, Pause, Reactions, RefusedContact, Scope
from orchestrator.domain.policy.send_windows import SendWindows, SentTimes
from orchestrator.domain.policy.settings import DEFAULTS, lifted
from orchestrator.domain.policy.snapshot import Candidate, NewChatQuota, Snapshot
from orchestrator.domain.policy.typing_time import typing_time
from tests.support.policy_snapshots import NOON, campaign, later, notification, on_day, reply, sent, session

EVERYTHING_AGAINST = session(
    windows=SendWindows(
        conversations=SentTimes([NOON] * 40), others=SentTimes([NOON] * 400), new_chats=SentTimes([NOON] * 15)
    ),
    pacing=Pacing(NOON, later(3)),
    reactions=Reactions(
        pauses=(Pause(Cause.RATE_LIMITED, Scope.ALL, later(60)),),
        held_contacts=(RefusedContact("contact", NOON),),
    ),
    health=Health(60, NOON),
    breaker=Breaker(BreakerState.OPEN, until=later(60)),
    new_chat_quota=NewChatQuota(0, 0, later(60)),
)
IN_EVERY_WAY = {
    "suppressed": True,
    "opted_in": False,
    "is_new_chat": True,
    "known_chat": False,
    "last_sent_at": NOON,
    "last_campaign_at": NOON,
    "unanswered_campaigns": 1,
    "time_zones": (),
}


def decided(snapshot: Snapshot | None, candidate: Candidate, seconds: float = 0.0) -> Decision:
    return decide(snapshot, candidate, later(seconds), Random(1))


def objections(snapshot: Snapshot, candidate: Candidate) -> set[ReasonCode]:
    """Every rule's, also those that a Hold would hide behind it."""
    rules = {
        "REPLY": CONVERSATION_RULES,
        "TRANSACTIONAL": OTHER_RULES,
        "CAMPAIGN": CAMPAIGN_RULES,
    }[candidate.lane]
    found = (rule(snapshot, candidate, NOON) for rule in rules)
    return {reason.code for reason in found if reason is not None}


@pytest.mark.parametrize("candidate", [campaign(), notification(), reply()])
def test_a_message_with_nothing_against_it_is_sent(candidate: Candidate) -> None:
    assert decided(session(), candidate) == Send(0.0)


def test_typing_is_shown_for_as_long_as_the_text_needs() -> None:
    expected = typing_time(50, DEFAULTS.typing, Random(1))
    assert decided(session(), reply(text_length=50)) == Send(expected)


def test_every_rule_is_asked() -> None:
    shared = {
        *(ReasonCode.SUPPRESSED, ReasonCode.BREAKER_OPEN, ReasonCode.PAUSED, ReasonCode.CONTACT_HELD),
        *(ReasonCode.MINUTE_CAP, ReasonCode.CONTACT_GAP),
    }
    others = {
        *(ReasonCode.HEALTH_THROTTLED, ReasonCode.HOUR_CAP, ReasonCode.DAY_CAP),
        *(ReasonCode.NEW_CHAT_CAP, ReasonCode.NEW_CHAT_QUOTA),
    }
    campaigns = {
        *(ReasonCode.NOT_OPTED_IN, ReasonCode.UNANSWERED, ReasonCode.CONTACT_CAMPAIGN_GAP),
        *(ReasonCode.TIME_ZONE_UNKNOWN, ReasonCode.CAMPAIGN_GAP),
    }
    assert objections(EVERYTHING_AGAINST, reply(**IN_EVERY_WAY)) == shared
    assert objections(EVERYTHING_AGAINST, notification(**IN_EVERY_WAY)) == shared | others
    assert objections(EVERYTHING_AGAINST, campaign(**IN_EVERY_WAY)) == shared | others | campaigns


def test_the_reasons_of_a_delay_stand_with_the_longest_first() -> None:
    snapshot = session(windows=sent(*range(-59, 1)), pacing=Pacing(NOON, later(3)))
    decision = decided(snapshot, campaign(last_sent_at=NOON))

    assert isinstance(decision, Delay)
    assert [reason.code for reason in decision.reasons] == [
        *(ReasonCode.HOUR_CAP, ReasonCode.MINUTE_CAP, ReasonCode.CAMPAIGN_GAP, ReasonCode.CONTACT_GAP)
    ]
    assert decision.until == decision.reasons[0].until == later(-59 + 3600)
    assert decision.reason.words == "hour cap 60 of 60, next at 12:59:01 UTC on 2026-01-05"


def test_what_time_does_not_heal_holds_and_names_only_that() -> None:
    snapshot = session(windows=sent(*range(-59, 1)), pacing=Pacing(NOON, later(3)))
    decision = decided(snapshot, campaign(opted_in=False, unanswered_campaigns=3))

    assert isinstance(decision, Hold)
    assert [reason.code for reason in decision.reasons] == [ReasonCode.NOT_OPTED_IN, ReasonCode.UNANSWERED]


def test_an_answer_is_in_a_conversation_and_does_not_wait_for_the_caps_of_others() -> None:
    full = session(windows=sent(*range(-60, 0)))
    assert isinstance(decided(full, reply()), Send)
    assert isinstance(decided(full, notification()), Delay)
    assert isinstance(decided(full, notification(last_inbound_at=later(-60))), Send)


def test_without_a_policy_it_holds() -> None:
    assert decided(None, reply()) == Hold(
        (Reason(ReasonCode.POLICY_UNAVAILABLE, "the sending policy could not be read"),)
    )


def test_without_a_clock_it_holds() -> None:
    assert decide(session(), reply(), NOON.replace(tzinfo=None), Random(1)) == Hold(
        (Reason(ReasonCode.CLOCK_UNAVAILABLE, "the clock gives no usable time"),)
    )


def test_lifted_limits_keep_guard_rails_and_the_gaps_of_campaigns() -> None:
    against = replace(EVERYTHING_AGAINST, settings=lifted(DEFAULTS))
    for candidate in (reply(**IN_EVERY_WAY), notification(**IN_EVERY_WAY)):
        assert decided(against, replace(candidate, suppressed=False)) == Delay(
            later(60), (Reason(ReasonCode.BREAKER_OPEN, "the breaker is open", later(60)),)
        )
        assert isinstance(decided(against, candidate), Hold)
    assert isinstance(decided(against, campaign(**{**IN_EVERY_WAY, "suppressed": False})), Hold)

    closed = replace(against, breaker=Breaker())
    many = {**IN_EVERY_WAY, "suppressed": False, "opted_in": True}
    assert decided(closed, notification(**many)) == Send()
    assert decided(closed, campaign(**many)) == Delay(
        later(3), (Reason(ReasonCode.CAMPAIGN_GAP, "gap between campaign messages", later(3)),)
    )


def test_guard_rails_stand_in_every_list() -> None:
    for rules in (CONVERSATION_RULES, OTHER_RULES, CAMPAIGN_RULES, LIFTED_CAMPAIGN_RULES):
        assert rules[: len(GUARD_RAILS)] == GUARD_RAILS


def test_a_young_number_is_told_its_own_caps() -> None:
    decision = decided(session(warm_up=on_day(1), windows=sent(*range(-600, 0, 60))), notification())
    assert isinstance(decision, Delay)
    assert decision.reason.words == "hour cap 10 of 10, next at 12:50:00 UTC on 2026-01-05"
    assert decision.until.tzinfo is UTC
