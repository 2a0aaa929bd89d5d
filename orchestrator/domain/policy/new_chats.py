"""Chats that the session starts: a cap per day of its own, and a share of WhatsApp's own quota."""

from datetime import datetime

from orchestrator.domain.policy.decisions import Reason, ReasonCode
from orchestrator.domain.policy.limits import DAY, window_objection
from orchestrator.domain.policy.rate import scaled, slowdown_share
from orchestrator.domain.policy.reaction_state import Scope
from orchestrator.domain.policy.snapshot import Candidate, Snapshot
from orchestrator.domain.policy.warm_up import day_at


def cap_objection(snapshot: Snapshot, candidate: Candidate, now: datetime) -> Reason | None:
    """The day's cap of new chats is used up."""
    if not candidate.is_new_chat:
        return None
    settings = snapshot.settings
    cap = settings.new_chats.per_day.on_day(day_at(snapshot.warm_up, now, settings.warm_up))
    cap = scaled(cap, slowdown_share(snapshot, Scope.NEW_CHATS, now))
    return window_objection(
        snapshot.windows.new_chats, cap, DAY, now, ReasonCode.NEW_CHAT_CAP, "new chats of a day"
    )


def quota_objection(snapshot: Snapshot, candidate: Candidate, now: datetime) -> Reason | None:
    """Our share of what WhatsApp left of its quota is used up. A quota whose cycle has ended says nothing."""
    quota = snapshot.new_chat_quota
    if quota is None or not candidate.is_new_chat:
        return None
    if quota.ends_at is not None and quota.ends_at <= now:
        return None
    most = int(quota.left * snapshot.settings.new_chats.quota_share)
    if quota.used_since < most:
        return None
    what = "share of WhatsApp's new-chat quota"
    return Reason(ReasonCode.NEW_CHAT_QUOTA, what, quota.ends_at, quota.used_since, most)
