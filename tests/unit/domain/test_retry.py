"""What follows a send."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain import errors
from orchestrator.domain.message import MessageError
from orchestrator.domain.retry import (
    RETRY_DELAYS_S,
    Failed,
    Outcome,
    RetryAt,
    SendReport,
    Sent,
    Verdict,
    after_send,
    wants_fresh_recipient,
)

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
LAST_ATTEMPT = len(RETRY_DELAYS_S) + 1
REASONS = [
    "",
    "not_connected",
    "connection_closed",
    "session_closed",
    "gateway_unavailable",
    "not_on_whatsapp",
    "not_in_group",
    "bad_request",
    "encryption_failed",
    "query_failed",
    "timeout",
]

reports = st.builds(
    SendReport,
    outcome=st.sampled_from(Outcome),
    wa_code=st.sampled_from([0, 400, 405, 420, 421, 429, 463, 475, 479]) | st.integers(0, 2000),
    reason=st.sampled_from(REASONS) | st.text(max_size=10),
    detail=st.text(max_size=10),
)


def rejected(wa_code: int, attempts: int = 1) -> Verdict:
    return after_send(SendReport(Outcome.REJECTED, wa_code), attempts, NOW)


def not_sent(reason: str, attempts: int = 1) -> Verdict:
    return after_send(SendReport(Outcome.NOT_SENT, reason=reason), attempts, NOW)


def in_seconds(verdict: Verdict) -> float:
    assert isinstance(verdict, RetryAt)
    return (verdict.at - NOW).total_seconds()


@given(reports, st.integers(1, 10_000))
def test_a_retry_is_never_in_the_past_nor_further_than_an_hour(report: SendReport, attempts: int) -> None:
    verdict = after_send(report, attempts, NOW)

    if isinstance(verdict, RetryAt):
        assert NOW <= verdict.at <= NOW + timedelta(hours=1)
        assert verdict.code.name in errors.CODES


@given(reports.filter(lambda report: report.wa_code != 429), st.integers(LAST_ATTEMPT, 10_000))
def test_after_the_last_attempt_nothing_that_counts_is_tried_again(report: SendReport, attempts: int) -> None:
    verdict = after_send(report, attempts, NOW)

    assert not isinstance(verdict, RetryAt) or not verdict.counts


@given(reports, st.integers(1, 10))
def test_only_an_acknowledged_message_is_sent(report: SendReport, attempts: int) -> None:
    verdict = after_send(report, attempts, NOW)

    assert isinstance(verdict, Sent) == (report.outcome is Outcome.ACKNOWLEDGED)


@pytest.mark.parametrize("reason", ["timeout", "", "a reason of the future"])
def test_a_send_that_failed_is_tried_again_after_5_25_and_125_seconds(reason: str) -> None:
    assert [in_seconds(not_sent(reason, attempt)) for attempt in (1, 2, 3)] == [5, 25, 125]
    assert not_sent(reason, 4) == Failed(errors.NETWORK, blames_session=True)


def test_a_send_whose_outcome_is_unknown_is_tried_again_as_often() -> None:
    report = SendReport(Outcome.AMBIGUOUS)

    assert [in_seconds(after_send(report, attempt, NOW)) for attempt in (1, 2, 3)] == [5, 25, 125]
    assert after_send(report, 4, NOW) == Failed(errors.OUTCOME_UNKNOWN)
    assert not after_send(report, 1, NOW).blames_session  # type: ignore[union-attr]  # is a retry


@pytest.mark.parametrize("attempts", [1, 4, 100])
def test_what_was_not_attempted_costs_no_attempt_and_blames_nobody(attempts: int) -> None:
    expected = RetryAt(NOW, errors.NETWORK, counts=False)

    assert after_send(SendReport(Outcome.NOT_ATTEMPTED), attempts, NOW) == expected
    for reason in ("not_connected", "connection_closed", "session_closed", "gateway_unavailable"):
        assert not_sent(reason, attempts) == expected


def test_a_rate_limit_waits_ever_longer_up_to_an_hour_and_never_gives_up() -> None:
    assert [in_seconds(rejected(429, attempt)) for attempt in (1, 2, 3, 7, 50)] == [60, 120, 240, 3600, 3600]


def test_a_query_that_is_limited_waits_like_a_message_that_is() -> None:
    limited = SendReport(Outcome.NOT_SENT, 429, "query_failed")

    assert after_send(limited, 2, NOW) == RetryAt(NOW + timedelta(seconds=120), errors.WHATSAPP_RATE_LIMITED)
    ours = SendReport(Outcome.NOT_SENT, 429, "too_many_in_flight")
    assert in_seconds(after_send(ours, 1, NOW)) == 5


@pytest.mark.parametrize(
    ("wa_code", "code"), [(421, errors.STALE_GROUP_ADDRESSING), (479, errors.STALE_DEVICE_SESSION)]
)
def test_what_was_stale_is_asked_for_anew_and_tried_once_more_at_once(
    wa_code: int, code: errors.ErrorCode
) -> None:
    assert rejected(wa_code) == RetryAt(NOW, code)
    assert rejected(wa_code, 2) == Failed(code)
    assert wants_fresh_recipient(MessageError(code.name))


def test_a_failed_encryption_is_tried_once_more_at_once_with_fresh_keys() -> None:
    code = errors.ENCRYPTION_FAILED

    assert not_sent("encryption_failed") == RetryAt(NOW, code, blames_session=True)
    assert not_sent("encryption_failed", 2) == Failed(code, blames_session=True)
    assert wants_fresh_recipient(MessageError(code.name))


def test_nothing_else_is_asked_for_anew() -> None:
    assert not wants_fresh_recipient(None)
    assert not wants_fresh_recipient(MessageError(errors.NETWORK.name))


def test_an_unknown_rejection_is_tried_once_more_after_ten_minutes() -> None:
    assert in_seconds(rejected(475)) == 600
    assert rejected(475, 2) == Failed(errors.REJECTED_BY_WHATSAPP, blames_session=True)


def test_what_cannot_get_better_fails_at_once() -> None:
    assert rejected(463) == Failed(errors.REACHOUT_LOCKED)
    assert rejected(405) == Failed(errors.PAYLOAD_NOT_SUPPORTED)
    assert not_sent("not_on_whatsapp") == Failed(errors.NOT_ON_WHATSAPP)
    assert not_sent("bad_request") == Failed(errors.PAYLOAD_NOT_SUPPORTED)
    assert not_sent("media_not_stored") == Failed(errors.MEDIA_NOT_STORED)
    assert not_sent("not_in_group") == Failed(errors.GROUP_NOT_MEMBER)
    assert not_sent("group_gone") == Failed(errors.GROUP_GONE)


@pytest.mark.parametrize("reason", ["upload_failed", "media_store_failed"])
def test_an_upload_that_failed_is_tried_again_after_5_20_and_60_seconds_and_blames_nobody(
    reason: str,
) -> None:
    assert [not_sent(reason, attempt) for attempt in (1, 2, 3)] == [
        RetryAt(NOW + timedelta(seconds=delay), errors.MEDIA_UPLOAD_FAILED) for delay in (5, 20, 60)
    ]
    assert not_sent(reason, 4) == Failed(errors.MEDIA_UPLOAD_FAILED)
