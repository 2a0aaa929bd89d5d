"""What follows a send: done, again at a time, or failed for good. The table is in docs/sending.md."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.domain import errors
from orchestrator.domain.errors import ErrorCode
from orchestrator.domain.message import MessageError

RETRY_DELAYS_S = (5.0, 25.0, 125.0)
"""Waits after the first, second and third failed attempt; after the fourth the message is a dead letter."""

UPLOAD_RETRY_DELAYS_S = (5.0, 20.0, 60.0)
"""The same for a file that could not be uploaded: all of WhatsApp's hosts were tried each time."""

_UNKNOWN_REJECTION_DELAY_S = 600.0
_RATE_LIMIT_BASE_S = 60.0
_RATE_LIMIT_CAP_S = 3600.0
_RATE_LIMITED = 429


class Outcome(StrEnum):
    """What is known after a send."""

    ACKNOWLEDGED = "ACKNOWLEDGED"
    REJECTED = "REJECTED"
    NOT_SENT = "NOT_SENT"
    AMBIGUOUS = "AMBIGUOUS"
    NOT_ATTEMPTED = "NOT_ATTEMPTED"


@dataclass(frozen=True, slots=True)
class SendReport:
    """The answer of a gateway for one message. `wa_code` is WhatsApp's or Baileys' code, 0 where there is none."""

    outcome: Outcome
    wa_code: int = 0
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """WhatsApp's server has the message."""


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Send again with the same id at this time; `counts` says whether this was an attempt."""

    at: datetime
    code: ErrorCode
    counts: bool = True
    blames_session: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """Never sent again by itself: a dead letter."""

    code: ErrorCode
    blames_session: bool = False


Verdict = Sent | RetryAt | Failed

_NOT_CONNECTED_REASONS = frozenset(
    {"not_connected", "connection_closed", "session_closed", "gateway_unavailable"}
)

_NO_GROUP = {"not_in_group": errors.GROUP_NOT_MEMBER, "group_gone": errors.GROUP_GONE}

_STALE_RECIPIENT = frozenset(
    code.name
    for code in (errors.STALE_DEVICE_SESSION, errors.STALE_GROUP_ADDRESSING, errors.ENCRYPTION_FAILED)
)


def after_send(report: SendReport, attempts: int, now: datetime) -> Verdict:
    """Decide what follows attempt number `attempts` (1 for the first) of a message."""
    if report.outcome is Outcome.ACKNOWLEDGED:
        return Sent()
    if report.outcome is Outcome.NOT_ATTEMPTED:
        return RetryAt(now, errors.NETWORK, counts=False)
    if report.outcome is Outcome.AMBIGUOUS:
        return _again(errors.OUTCOME_UNKNOWN, attempts, now)
    if report.outcome is Outcome.REJECTED:
        return _after_rejection(report.wa_code, attempts, now)
    return _after_not_sent(report, attempts, now)


def wants_fresh_recipient(error: MessageError | None) -> bool:
    """Tell whether the next attempt is to ask WhatsApp anew for the recipient's devices, keys and group data."""
    return error is not None and error.code in _STALE_RECIPIENT


def _after_rejection(wa_code: int, attempts: int, now: datetime) -> Verdict:
    if wa_code == _RATE_LIMITED:
        return _rate_limited(attempts, now)
    if wa_code == 463:
        return Failed(errors.REACHOUT_LOCKED)
    if wa_code == 405:
        return Failed(errors.PAYLOAD_NOT_SUPPORTED)
    if wa_code == 421:
        return _once_more(errors.STALE_GROUP_ADDRESSING, attempts, now)
    if wa_code == 479:
        return _once_more(errors.STALE_DEVICE_SESSION, attempts, now)
    code = errors.REJECTED_BY_WHATSAPP
    if attempts == 1:
        return RetryAt(now + timedelta(seconds=_UNKNOWN_REJECTION_DELAY_S), code, blames_session=True)
    return Failed(code, blames_session=True)


def _after_not_sent(report: SendReport, attempts: int, now: datetime) -> Verdict:
    if report.reason in _NOT_CONNECTED_REASONS:
        return RetryAt(now, errors.NETWORK, counts=False)
    if report.reason == "query_failed" and report.wa_code == _RATE_LIMITED:
        return _rate_limited(attempts, now)
    if report.reason == "not_on_whatsapp":
        return Failed(errors.NOT_ON_WHATSAPP)
    if report.reason in _NO_GROUP:
        return Failed(_NO_GROUP[report.reason])
    if report.reason == "bad_request":
        return Failed(errors.PAYLOAD_NOT_SUPPORTED)
    if report.reason == "media_not_stored":
        return Failed(errors.MEDIA_NOT_STORED)
    if report.reason in ("upload_failed", "media_store_failed"):
        return _again(errors.MEDIA_UPLOAD_FAILED, attempts, now, UPLOAD_RETRY_DELAYS_S)
    if report.reason == "encryption_failed":
        verdict = _once_more(errors.ENCRYPTION_FAILED, attempts, now)
        return replace(verdict, blames_session=True)
    return replace(_again(errors.NETWORK, attempts, now), blames_session=True)


def _rate_limited(attempts: int, now: datetime) -> RetryAt:
    delay = min(_RATE_LIMIT_CAP_S, _RATE_LIMIT_BASE_S * 2.0 ** min(attempts - 1, 16))
    return RetryAt(now + timedelta(seconds=delay), errors.WHATSAPP_RATE_LIMITED)


def _once_more(code: ErrorCode, attempts: int, now: datetime) -> RetryAt | Failed:
    return RetryAt(now, code) if attempts == 1 else Failed(code)


def _again(
    code: ErrorCode, attempts: int, now: datetime, delays_s: Sequence[float] = RETRY_DELAYS_S
) -> RetryAt | Failed:
    if attempts > len(delays_s):
        return Failed(code)
    return RetryAt(now + timedelta(seconds=delays_s[attempts - 1]), code)
