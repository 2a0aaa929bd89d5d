"""Which messages are inside a conversation."""

from orchestrator.domain.policy.conversation import is_in_conversation
from orchestrator.domain.policy.settings import DAY_S, DEFAULTS
from tests.support.policy_snapshots import NOON, campaign, later, notification, reply

FIGURES = DEFAULTS.contact


def test_a_conversation_lasts_a_day_after_the_contact_wrote() -> None:
    answer = reply(last_inbound_at=NOON)
    assert is_in_conversation(answer, later(DAY_S - 1), FIGURES)
    assert not is_in_conversation(answer, later(DAY_S), FIGURES)


def test_without_an_inbound_message_there_is_none() -> None:
    assert not is_in_conversation(notification(), NOON, FIGURES)


def test_a_notification_to_one_who_wrote_is_inside() -> None:
    assert is_in_conversation(notification(last_inbound_at=later(-1)), NOON, FIGURES)


def test_a_campaign_message_never_is() -> None:
    assert not is_in_conversation(campaign(last_inbound_at=later(-1)), NOON, FIGURES)
