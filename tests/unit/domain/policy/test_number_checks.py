"""Questions whether a number is on WhatsApp."""

from orchestrator.domain.policy.decisions import Reason, ReasonCode
from orchestrator.domain.policy.number_checks import check_objection, is_answer_good
from orchestrator.domain.policy.send_windows import SendWindows, SentTimes
from orchestrator.domain.policy.settings import DAY_S, DEFAULTS, HOUR_S, lifted
from tests.support.policy_snapshots import NOON, later


def asked(times: int) -> SendWindows:
    return SendWindows(number_checks=SentTimes(later(-second) for second in range(times)))


def test_twenty_an_hour() -> None:
    assert check_objection(asked(19), DEFAULTS, NOON) is None
    assert check_objection(asked(20), DEFAULTS, NOON) == Reason(
        ReasonCode.NUMBER_CHECK_CAP, "number checks of an hour", later(-19 + HOUR_S), 20, 20
    )


def test_a_simulator_may_be_asked_more() -> None:
    assert check_objection(asked(1_000), lifted(DEFAULTS), NOON) is None


def test_an_answer_is_good_for_thirty_days() -> None:
    assert is_answer_good(NOON, DEFAULTS, later(30 * DAY_S - 1))
    assert not is_answer_good(NOON, DEFAULTS, later(30 * DAY_S))
