"""What a sent message changes."""

from random import Random

from orchestrator.domain.policy.after import after_send
from orchestrator.domain.policy.limits import DAY
from orchestrator.domain.policy.pacing import paced_after
from orchestrator.domain.policy.send_windows import SendWindows
from orchestrator.domain.policy.snapshot import Candidate, NewChatQuota, Snapshot
from tests.support.policy_snapshots import NOON, campaign, later, notification, on_day, reply, session


def after(candidate: Candidate, **changes: object) -> Snapshot:
    return after_send(session(**changes), candidate, NOON, Random(1))


def counts(windows: SendWindows) -> tuple[int, int, int, int]:
    kinds = (windows.conversations, windows.others, windows.new_chats, windows.number_checks)
    conversations, others, new_chats, checks = (kind.used(DAY, NOON) for kind in kinds)
    return conversations, others, new_chats, checks


def test_a_reply_counts_for_conversations_only() -> None:
    assert counts(after(reply()).windows) == (1, 0, 0, 0)


def test_a_notification_counts_for_the_others() -> None:
    assert counts(after(notification()).windows) == (0, 1, 0, 0)


def test_a_first_message_counts_for_new_chats_too() -> None:
    quota = NewChatQuota(10, used_since=3)
    snapshot = after(notification(is_new_chat=True), new_chat_quota=quota)

    assert counts(snapshot.windows) == (0, 1, 1, 0)
    assert snapshot.new_chat_quota == NewChatQuota(10, used_since=4)
    assert after(campaign(is_new_chat=True)).new_chat_quota is None


def test_a_message_to_a_known_chat_uses_no_quota() -> None:
    quota = NewChatQuota(10, used_since=3)
    assert after(notification(), new_chat_quota=quota).new_chat_quota == quota
    assert after(campaign(), new_chat_quota=quota).new_chat_quota == quota


def test_a_campaign_message_draws_the_next_gap_from_windows_that_count_it() -> None:
    snapshot = after(campaign(is_new_chat=True), new_chat_quota=NewChatQuota(10))

    assert counts(snapshot.windows) == (0, 1, 1, 0)
    expected = session(windows=snapshot.windows)
    assert snapshot.pacing == paced_after(expected, campaign(), NOON, Random(1))
    assert snapshot.new_chat_quota == NewChatQuota(10, used_since=1)


def test_others_leave_the_pacing_alone() -> None:
    for candidate in (reply(), notification()):
        assert after(candidate).pacing == session().pacing


def test_every_message_keeps_the_warm_up_from_being_idle() -> None:
    for candidate in (reply(last_inbound_at=later(899)), notification(), campaign()):
        snapshot = after_send(session(warm_up=on_day(3)), candidate, later(900), Random(1))
        assert (snapshot.warm_up.day, snapshot.warm_up.active_at) == (3, later(900))


def test_it_hands_on_the_same_windows() -> None:
    before = session()
    assert after_send(before, notification(), NOON, Random(1)).windows is before.windows
