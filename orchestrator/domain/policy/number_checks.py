"""Questions to WhatsApp whether a number exists: few, since asking many is what number harvesters do."""

from datetime import datetime, timedelta

from orchestrator.domain.policy.decisions import Reason, ReasonCode
from orchestrator.domain.policy.limits import HOUR, window_objection
from orchestrator.domain.policy.send_windows import SendWindows
from orchestrator.domain.policy.settings import PolicySettings


def check_objection(windows: SendWindows, settings: PolicySettings, now: datetime) -> Reason | None:
    """The reason not to ask now, with when it may be asked; None where it may. Note the question in
    `windows.number_checks`."""
    if not settings.enforced:
        return None
    return window_objection(
        windows.number_checks,
        settings.number_checks.per_hour,
        HOUR,
        now,
        ReasonCode.NUMBER_CHECK_CAP,
        "number checks of an hour",
    )


def is_answer_good(checked_at: datetime, settings: PolicySettings, now: datetime) -> bool:
    """Whether a cached answer still holds."""
    return now - checked_at < timedelta(seconds=settings.number_checks.cached_s)
