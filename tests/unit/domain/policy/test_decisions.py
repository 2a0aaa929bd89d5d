"""Reasons in words and numbers."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from orchestrator.domain.policy.decisions import Delay, Hold, Reason, ReasonCode

AT = datetime(2026, 1, 5, 14, 5, tzinfo=UTC)


def test_a_cap_says_how_much_is_used_and_when_it_frees() -> None:
    reason = Reason(ReasonCode.HOUR_CAP, "hour cap", AT, 40, 40)

    assert reason.words == "hour cap 40 of 40, next at 14:05:00 UTC on 2026-01-05"
    assert reason.in_words(ZoneInfo("America/Sao_Paulo")) == (
        "hour cap 40 of 40, next at 11:05:00 -03 on 2026-01-05"
    )


def test_a_wait_without_count_says_when_it_ends() -> None:
    reason = Reason(ReasonCode.QUIET_HOURS, "quiet hours of the recipient", AT)
    assert reason.words == "quiet hours of the recipient, next at 14:05:00 UTC on 2026-01-05"


def test_what_has_no_end_names_none() -> None:
    assert (
        Reason(ReasonCode.UNANSWERED, "without an answer", used=3, most=3).words == "without an answer 3 of 3"
    )
    assert Reason(ReasonCode.SUPPRESSED, "the contact opted out").words == "the contact opted out"


def test_a_decision_names_its_first_reason() -> None:
    first, second = Reason(ReasonCode.DAY_CAP, "day cap", AT), Reason(ReasonCode.HOUR_CAP, "hour cap", AT)
    assert Delay(AT, (first, second)).reason is first
    assert Hold((second, first)).reason is second
