"""What one contact gets."""

from orchestrator.domain.policy.contact_gap import campaign_gap_objection, gap_objection
from orchestrator.domain.policy.decisions import Reason, ReasonCode
from orchestrator.domain.policy.settings import DAY_S
from tests.support.policy_snapshots import NOON, campaign, later, notification, reply, session


def test_two_seconds_between_messages_to_one_contact() -> None:
    answer = reply(last_sent_at=NOON)
    assert gap_objection(session(), answer, later(1.9)) == Reason(
        ReasonCode.CONTACT_GAP, "gap between messages to one contact", later(2)
    )
    assert gap_objection(session(), answer, later(2)) is None
    assert gap_objection(session(), reply(), NOON) is None


def test_one_campaign_message_a_day_to_one_contact() -> None:
    again = campaign(last_campaign_at=NOON)
    assert campaign_gap_objection(session(), again, later(DAY_S - 1)) == Reason(
        ReasonCode.CONTACT_CAMPAIGN_GAP, "one campaign message a day to one contact", later(DAY_S)
    )
    assert campaign_gap_objection(session(), again, later(DAY_S)) is None
    assert campaign_gap_objection(session(), campaign(), NOON) is None


def test_other_messages_may_follow_a_campaign_message() -> None:
    assert campaign_gap_objection(session(), notification(last_campaign_at=NOON), later(1)) is None
