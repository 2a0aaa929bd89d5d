"""Sessions and messages for tests of the sending policy: everything in order, until a test changes one thing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.domain.message import Lane
from orchestrator.domain.policy.send_windows import SendWindows, SentTimes
from orchestrator.domain.policy.snapshot import Candidate, Snapshot
from orchestrator.domain.policy.warm_up import WarmUp

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
"""A Monday, outside quiet hours in UTC."""


def later(seconds: float, since: datetime = NOON) -> datetime:
    """So many seconds after noon, or before it where negative."""
    return since + timedelta(seconds=seconds)


def on_day(day: int) -> WarmUp:
    """A number on this day of its warm-up, active just now."""
    return WarmUp(day, NOON, NOON)


def session(**changes: Any) -> Snapshot:
    """A healthy number declared mature that has sent nothing yet."""
    return replace(
        Snapshot(replace(on_day(1), declared_mature=True), SendWindows()),
        **changes,
    )


def sent(*seconds_after_noon: float, new_chats: bool = False) -> SendWindows:
    """Windows in which messages outside conversations left at these times."""
    times = [later(seconds) for seconds in seconds_after_noon]
    return SendWindows(others=SentTimes(times), new_chats=SentTimes(times if new_chats else ()))


def campaign(**changes: Any) -> Candidate:
    """A campaign message to a known, opted-in contact in UTC."""
    return replace(
        Candidate(Lane.CAMPAIGN, "contact", suppressed=False, opted_in=True, time_zones=(UTC,)), **changes
    )


def notification(**changes: Any) -> Candidate:
    """A transactional message outside a conversation."""
    return replace(Candidate(Lane.TRANSACTIONAL, "contact", suppressed=False), **changes)


def reply(**changes: Any) -> Candidate:
    """An answer to a contact that wrote a minute before noon."""
    return replace(Candidate(Lane.REPLY, "contact", suppressed=False, last_inbound_at=later(-60)), **changes)
