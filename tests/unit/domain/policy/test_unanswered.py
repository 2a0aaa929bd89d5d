"""Campaign messages without an answer."""

import pytest

from orchestrator.domain.policy.decisions import Reason, ReasonCode
from orchestrator.domain.policy.unanswered import objection
from tests.support.policy_snapshots import NOON, campaign, notification, session


@pytest.mark.parametrize(("known", "most"), [(False, 1), (True, 3)])
def test_after_so_many_it_waits_for_the_contact_to_write(known: bool, most: int) -> None:
    waiting = campaign(known_chat=known, unanswered_campaigns=most)
    assert objection(session(), waiting, NOON) == Reason(
        ReasonCode.UNANSWERED, "campaign messages without an answer", used=most, most=most
    )
    assert objection(session(), campaign(known_chat=known, unanswered_campaigns=most - 1), NOON) is None
    assert objection(session(), campaign(known_chat=known, unanswered_campaigns=most + 1), NOON) is not None


def test_other_messages_do_not_wait_for_it() -> None:
    assert objection(session(), notification(unanswered_campaigns=9), NOON) is None
