"""What a sent message changes in a snapshot."""

from dataclasses import replace
from datetime import datetime
from random import Random

from orchestrator.domain.message import Lane
from orchestrator.domain.policy.conversation import is_in_conversation
from orchestrator.domain.policy.pacing import paced_after
from orchestrator.domain.policy.snapshot import Candidate, Snapshot
from orchestrator.domain.policy.warm_up import note_activity


def after_send(snapshot: Snapshot, candidate: Candidate, now: datetime, rng: Random) -> Snapshot:
    """The snapshot after `candidate` left at `now`, with the next gap drawn. Changes `snapshot.windows` in
    place and hands the same windows on: the given snapshot is not to be used again."""
    settings = snapshot.settings
    warm_up = note_activity(snapshot.warm_up, now, settings.warm_up)
    if is_in_conversation(candidate, now, settings.contact):
        snapshot.windows.conversations.note(now)
        return replace(snapshot, warm_up=warm_up)
    snapshot.windows.others.note(now)
    quota = snapshot.new_chat_quota
    if candidate.is_new_chat:
        snapshot.windows.new_chats.note(now)
        quota = quota and replace(quota, used_since=quota.used_since + 1)
    if candidate.lane is not Lane.CAMPAIGN:
        return replace(snapshot, warm_up=warm_up, new_chat_quota=quota)
    pacing = paced_after(snapshot, candidate, now, rng)
    return replace(snapshot, warm_up=warm_up, new_chat_quota=quota, pacing=pacing)
