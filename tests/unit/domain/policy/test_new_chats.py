"""Chats that the session starts."""

import pytest

from orchestrator.domain.policy.decisions import Reason, ReasonCode
from orchestrator.domain.policy.new_chats import cap_objection, quota_objection
from orchestrator.domain.policy.reaction_state import Cause, Reactions, Scope, Slowdown
from orchestrator.domain.policy.settings import DAY_S
from orchestrator.domain.policy.snapshot import NewChatQuota
from tests.support.policy_snapshots import NOON, campaign, later, notification, on_day, sent, session

FIRST = notification(is_new_chat=True)


@pytest.mark.parametrize(("day", "cap"), [(1, 3), (4, 5), (8, 10), (15, 15)])
def test_a_days_new_chats_grow_with_the_warm_up(day: int, cap: int) -> None:
    full = session(windows=sent(*range(-cap, 0), new_chats=True), warm_up=on_day(day))
    assert cap_objection(full, FIRST, NOON) == Reason(
        ReasonCode.NEW_CHAT_CAP, "new chats of a day", later(-cap + DAY_S), cap, cap
    )
    free = session(windows=sent(*range(-cap + 1, 0), new_chats=True), warm_up=on_day(day))
    assert cap_objection(free, FIRST, NOON) is None


def test_known_chats_are_free() -> None:
    full = session(windows=sent(*range(-15, 0), new_chats=True))
    assert cap_objection(full, campaign(), NOON) is None
    assert quota_objection(session(new_chat_quota=NewChatQuota(0)), campaign(), NOON) is None


def test_a_warning_halves_them() -> None:
    warned = Reactions(slowdowns=(Slowdown(Cause.CAPPING, 0.5, Scope.NEW_CHATS, later(60)),))
    full = session(windows=sent(*range(-7, 0), new_chats=True), reactions=warned)
    assert getattr(cap_objection(full, FIRST, NOON), "most", None) == 7
    assert cap_objection(full, FIRST, later(60)) is None


def test_half_of_whatsapps_quota_is_used() -> None:
    ends = later(100)
    used_up = session(new_chat_quota=NewChatQuota(9, 4, ends))

    assert quota_objection(used_up, FIRST, NOON) == Reason(
        ReasonCode.NEW_CHAT_QUOTA, "share of WhatsApp's new-chat quota", ends, 4, 4
    )
    assert quota_objection(session(new_chat_quota=NewChatQuota(9, 3, ends)), FIRST, NOON) is None
    assert (
        getattr(quota_objection(session(new_chat_quota=NewChatQuota(9, 5, ends)), FIRST, NOON), "used", 0)
        == 5
    )


def test_without_a_quota_there_is_nothing_to_keep() -> None:
    assert quota_objection(session(), FIRST, NOON) is None


def test_a_quota_whose_cycle_ended_says_nothing() -> None:
    over = session(new_chat_quota=NewChatQuota(0, 0, later(10)))
    assert quota_objection(over, FIRST, later(9)) is not None
    assert quota_objection(over, FIRST, later(10)) is None


def test_a_quota_without_an_end_holds() -> None:
    reason = quota_objection(session(new_chat_quota=NewChatQuota(0)), FIRST, NOON)
    assert reason == Reason(ReasonCode.NEW_CHAT_QUOTA, "share of WhatsApp's new-chat quota", None, 0, 0)
