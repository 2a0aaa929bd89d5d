"""The decision: may this message leave now? Every rule is asked, so that the answer has all reasons."""

from collections.abc import Callable
from datetime import datetime
from random import Random

from orchestrator.domain.message import Lane
from orchestrator.domain.policy import contact_gap, limits, new_chats, pacing, pauses, quiet_hours, unanswered
from orchestrator.domain.policy.conversation import is_in_conversation
from orchestrator.domain.policy.decisions import Decision, Delay, Hold, Reason, ReasonCode, Send
from orchestrator.domain.policy.snapshot import Candidate, Snapshot
from orchestrator.domain.policy.suppression import opt_in_objection, suppression_objection
from orchestrator.domain.policy.typing_time import typing_time

Rule = Callable[[Snapshot, Candidate, datetime], Reason | None]
"""None where the rule has nothing against it; a reason with `until` delays, one without holds."""

GUARD_RAILS: tuple[Rule, ...] = (suppression_objection, opt_in_objection, pauses.breaker_objection)
"""They hold also where limits are lifted. The gravest first."""

_FOR_ALL: tuple[Rule, ...] = (
    *GUARD_RAILS,
    pauses.pause_objection,
    pauses.health_objection,
    pauses.contact_objection,
    contact_gap.gap_objection,
)
CONVERSATION_RULES: tuple[Rule, ...] = (*_FOR_ALL, limits.conversation_minute)
OTHER_RULES: tuple[Rule, ...] = (
    *_FOR_ALL,
    limits.other_minute,
    limits.other_hour,
    limits.other_day,
    new_chats.cap_objection,
    new_chats.quota_objection,
)
CAMPAIGN_RULES: tuple[Rule, ...] = (
    *OTHER_RULES,
    unanswered.objection,
    contact_gap.campaign_gap_objection,
    quiet_hours.objection,
    pacing.gap_objection,
)
LIFTED_CAMPAIGN_RULES: tuple[Rule, ...] = (*GUARD_RAILS, pacing.gap_objection)


def decide(snapshot: Snapshot | None, candidate: Candidate, now: datetime, rng: Random) -> Decision:
    """Say whether `candidate` may leave at `now` (aware): Send, Delay until a later moment, or Hold.

    Fails closed: a snapshot of None (the policy could not be read), a clock without a zone, or unreadable
    lists hold it. Changes nothing; call `after_send` once it has left.
    """
    if snapshot is None:
        return Hold((Reason(ReasonCode.POLICY_UNAVAILABLE, "the sending policy could not be read"),))
    if now.tzinfo is None:
        return Hold((Reason(ReasonCode.CLOCK_UNAVAILABLE, "the clock gives no usable time"),))
    objections = [
        reason for rule in _rules_for(snapshot, candidate, now) if (reason := rule(snapshot, candidate, now))
    ]
    if not objections:
        return Send(typing_time(candidate.text_length, snapshot.settings.typing, rng))
    held = tuple(reason for reason in objections if reason.until is None)
    if held:
        return Hold(held)
    objections.sort(key=lambda reason: reason.until or now, reverse=True)
    return Delay(objections[0].until or now, tuple(objections))


def _rules_for(snapshot: Snapshot, candidate: Candidate, now: datetime) -> tuple[Rule, ...]:
    is_campaign = candidate.lane is Lane.CAMPAIGN
    if not snapshot.settings.enforced:
        return LIFTED_CAMPAIGN_RULES if is_campaign else GUARD_RAILS
    if is_campaign:
        return CAMPAIGN_RULES
    in_conversation = is_in_conversation(candidate, now, snapshot.settings.contact)
    return CONVERSATION_RULES if in_conversation else OTHER_RULES
