"""What becomes of a call, step by step."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.domain.call import Call, CallState, CallStep, advance
from orchestrator.domain.jid import ContactId

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
RINGING = Call(
    id="1",
    wa_call_id="A",
    session_id="session",
    caller=ContactId("5511987654321@s.whatsapp.net"),
    group_jid="",
    video=False,
    state=CallState.RINGING,
    offline=False,
    started_at=START,
)


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ([CallStep.ACCEPTED], CallState.ACCEPTED),
        ([CallStep.ACCEPTED, CallStep.TERMINATED], CallState.ENDED),
        ([CallStep.REJECTED], CallState.REJECTED),
        ([CallStep.REJECTED, CallStep.TERMINATED], CallState.REJECTED),
        ([CallStep.TIMED_OUT], CallState.MISSED),
        ([CallStep.TERMINATED], CallState.MISSED),
        ([CallStep.TERMINATED, CallStep.ACCEPTED], CallState.MISSED),
    ],
)
def test_a_call_goes_on_until_it_is_over(steps: list[CallStep], state: CallState) -> None:
    call = RINGING
    for step in steps:
        call = advance(call, step, START + timedelta(seconds=20))
    assert call.state is state


@pytest.mark.parametrize("step", [CallStep.REJECTED, CallStep.TIMED_OUT, CallStep.TERMINATED])
def test_the_first_end_counts(step: CallStep) -> None:
    over = advance(RINGING, step, START + timedelta(seconds=20))
    assert over.ended_at == START + timedelta(seconds=20)
    assert advance(over, CallStep.TERMINATED, START + timedelta(seconds=40)) == over


def test_an_offer_told_again_changes_nothing() -> None:
    assert advance(RINGING, CallStep.OFFERED, START + timedelta(seconds=20)) == RINGING
