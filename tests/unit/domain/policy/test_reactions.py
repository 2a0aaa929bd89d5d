"""The reaction table, row by row."""

from dataclasses import replace

import pytest

from orchestrator.domain.policy.health import Health, HealthCause
from orchestrator.domain.policy.reaction_state import (
    Cause,
    Pause,
    Reactions,
    RefusedContact,
    Scope,
    Slowdown,
)
from orchestrator.domain.policy.reactions import (
    HELD_CONTACTS_KEPT,
    Standing,
    react,
    resume,
    without_expired,
)
from orchestrator.domain.policy.settings import DAY_S, DEFAULTS, HOUR_S
from orchestrator.domain.policy.signals import (
    CappingChanged,
    CappingLevel,
    DeliveriesCounted,
    Disconnected,
    Locked,
    LoggedOut,
    OutcomesCounted,
    RateLimited,
    ReachOutLocked,
    ReachOutRefused,
    ReachOutUnlocked,
    SendFailed,
    Signal,
    TemporarilyBanned,
)
from tests.support.policy_snapshots import NOON, later

LOCK = "WhatsApp locked writing first to people (463)"


def after(*signals: Signal, seconds: float = 0.0, standing: Standing | None = None) -> Standing:
    return react(standing or Standing(), signals, later(seconds), DEFAULTS)


def refused_until(seconds: float) -> tuple[Pause, ...]:
    return tuple(
        Pause(
            Cause.REACH_OUT_REFUSED, scope, later(seconds), "WhatsApp refused writing first to people (463)"
        )
        for scope in (Scope.NEW_CHATS, Scope.CAMPAIGNS)
    )


def lock_until(seconds: float) -> tuple[Pause, ...]:
    return tuple(
        Pause(Cause.REACH_OUT_LOCK, scope, later(seconds), LOCK)
        for scope in (Scope.NEW_CHATS, Scope.CAMPAIGNS)
    )


def test_nothing_happened() -> None:
    assert after() == Standing()


def test_a_rate_limit_halves_the_rate_for_an_hour() -> None:
    reactions = after(RateLimited()).reactions
    assert reactions.slowdowns == (Slowdown(Cause.RATE_LIMITED, 0.5, Scope.ALL, later(HOUR_S)),)
    assert (reactions.pauses, reactions.rate_limited_at) == ((), NOON)


def test_a_second_one_within_a_day_pauses_campaigns_for_six_hours() -> None:
    again = after(RateLimited(), seconds=DAY_S - 1, standing=after(RateLimited())).reactions

    assert again.pauses == (
        Pause(
            Cause.RATE_LIMITED,
            Scope.CAMPAIGNS,
            later(DAY_S - 1 + 6 * HOUR_S),
            "WhatsApp limited the rate twice in a day",
        ),
    )
    assert again.slowdowns == (Slowdown(Cause.RATE_LIMITED, 0.5, Scope.ALL, later(DAY_S - 1 + HOUR_S)),)
    assert again.rate_limited_at == later(DAY_S - 1)


def test_one_a_day_later_is_a_first_one_again() -> None:
    assert after(RateLimited(), seconds=DAY_S, standing=after(RateLimited())).reactions.pauses == ()


def test_answers_of_one_burst_are_one_time() -> None:
    burst = after(RateLimited(), seconds=59, standing=after(RateLimited(), RateLimited())).reactions
    assert (burst.pauses, burst.rate_limited_at) == ((), NOON)
    assert burst.slowdowns[0].until == later(59 + HOUR_S)
    assert after(RateLimited(), seconds=60, standing=after(RateLimited())).reactions.pauses != ()


def test_a_refused_new_chat_stops_new_chats_and_campaigns_for_a_day() -> None:
    standing = after(ReachOutRefused("a", is_new_chat=True))

    assert standing.reactions.pauses == refused_until(DAY_S)
    assert standing.reactions.refused == (RefusedContact("a", NOON),)
    assert standing.reactions.held_contacts == ()
    assert standing.health.figure == 25
    assert standing.health.events[-1].cause is HealthCause.REACH_OUT_REFUSED
    assert standing.health.at == NOON


def test_the_locks_own_end_counts() -> None:
    refused = after(ReachOutRefused("a", is_new_chat=True))
    locked = after(ReachOutLocked(later(HOUR_S)), seconds=1, standing=refused)
    assert locked.reactions.pauses == lock_until(HOUR_S + 10)

    again = after(ReachOutRefused("b", is_new_chat=True), seconds=2, standing=locked)
    assert again.reactions.pauses == lock_until(HOUR_S + 10)
    over = after(ReachOutRefused("b", is_new_chat=True), seconds=HOUR_S + 10, standing=locked)
    assert over.reactions.pauses == refused_until(HOUR_S + 10 + DAY_S)


def test_a_refusal_without_a_lock_keeps_its_day() -> None:
    refused = after(ReachOutRefused("a", is_new_chat=True))
    assert after(ReachOutUnlocked(), standing=refused) == refused
    assert after(ReachOutUnlocked(), ReachOutRefused("a", is_new_chat=True)) == refused


def test_a_lock_that_was_lifted_before_its_end_leaves_nothing_of_the_refusal() -> None:
    locked = after(ReachOutRefused("a", is_new_chat=True), ReachOutLocked(later(HOUR_S)))
    assert after(ReachOutUnlocked(), seconds=60, standing=locked).reactions.pauses == ()


def test_a_lock_without_an_end_lasts_a_day() -> None:
    assert after(ReachOutLocked(None)).reactions.pauses == lock_until(DAY_S)


def test_other_pauses_do_not_stand_in_for_the_lock() -> None:
    standing = after(LoggedOut(on_purpose=True), ReachOutRefused("a", is_new_chat=True))
    assert standing.reactions.pauses[1:] == refused_until(DAY_S)


def test_a_lock_that_ended_early_pauses_nothing_more() -> None:
    banned = after(LoggedOut(on_purpose=True), ReachOutLocked(None), ReachOutUnlocked())
    assert [pause.cause for pause in banned.reactions.pauses] == [Cause.LOGGED_OUT]


def refused_by(*contacts: str, every: float = 1.0) -> Standing:
    standing = Standing()
    for number, contact in enumerate(contacts):
        standing = after(
            ReachOutRefused(contact, is_new_chat=True), seconds=number * every, standing=standing
        )
    return standing


def test_three_contacts_in_a_day_stop_campaigns_for_a_day() -> None:
    standing = refused_by("a", "b", "c")
    stop = Pause(
        Cause.REACH_OUT_REFUSED_BY_MANY,
        Scope.CAMPAIGNS,
        later(2 + DAY_S),
        "WhatsApp refused 3 new contacts in a day (463)",
    )
    assert stop in standing.reactions.pauses
    assert [contact.key for contact in standing.reactions.refused] == ["a", "b", "c"]
    assert [contact.key for contact in refused_by("a", "b", "c", "d").reactions.refused] == ["b", "c", "d"]


@pytest.mark.parametrize(("contacts", "every"), [("ab", 1), ("aba", 1), ("abc", DAY_S / 2)])
def test_fewer_contacts_do_not(contacts: str, every: float) -> None:
    causes = {pause.cause for pause in refused_by(*contacts, every=every).reactions.pauses}
    assert Cause.REACH_OUT_REFUSED_BY_MANY not in causes


def test_a_refused_known_contact_is_held() -> None:
    standing = after(ReachOutRefused("a", is_new_chat=False))

    assert standing.reactions == Reactions(held_contacts=(RefusedContact("a", NOON),))
    assert standing.health.figure == 25
    again = after(ReachOutRefused("a", is_new_chat=False), seconds=1, standing=standing)
    assert again.reactions.held_contacts == (RefusedContact("a", later(1)),)


def test_only_the_newest_held_contacts_are_kept() -> None:
    held = tuple(RefusedContact(str(number), NOON) for number in range(HELD_CONTACTS_KEPT))
    full = Standing(Reactions(held_contacts=held))
    kept = after(ReachOutRefused("new", is_new_chat=False), standing=full).reactions.held_contacts
    assert kept == (*held[1:], RefusedContact("new", NOON))
    assert HELD_CONTACTS_KEPT == 1_000


@pytest.mark.parametrize(("failed", "finished"), [(1, 50), (0, 50), (5, 49), (49, 49)])
def test_few_failures_or_few_messages_say_nothing(failed: int, finished: int) -> None:
    assert after(OutcomesCounted(finished, failed)) == Standing()


def test_more_than_two_in_a_hundred_failed_halves_the_rate_while_it_lasts() -> None:
    slowed = after(OutcomesCounted(50, 2))
    assert slowed.reactions == Reactions(slowdowns=(Slowdown(Cause.FAILED_SHARE, 0.5),))
    assert after(OutcomesCounted(50, 2), standing=slowed) == slowed
    assert after(OutcomesCounted(100, 2), standing=slowed) == Standing()


def test_more_than_five_in_a_hundred_failed_pauses_campaigns() -> None:
    assert after(OutcomesCounted(100, 5)).reactions.pauses == ()
    bad = after(OutcomesCounted(50, 3)).reactions
    assert bad.slowdowns == (Slowdown(Cause.FAILED_SHARE, 0.5),)
    assert bad.pauses == (
        Pause(Cause.FAILED_SHARE, Scope.CAMPAIGNS, None, "3 of the last 50 messages failed"),
    )


@pytest.mark.parametrize(("delivered", "sent"), [(70, 100), (35, 50), (0, 49)])
def test_enough_delivered_or_few_messages_say_nothing(delivered: int, sent: int) -> None:
    assert after(DeliveriesCounted(sent, delivered)) == Standing()


def test_fewer_than_seventy_in_a_hundred_delivered_halves_the_rate_while_it_lasts() -> None:
    slowed = after(DeliveriesCounted(100, 69))
    assert slowed.reactions == Reactions(slowdowns=(Slowdown(Cause.DELIVERED_SHARE, 0.5),))
    assert after(DeliveriesCounted(100, 50)) == slowed
    assert after(DeliveriesCounted(100, 70), standing=slowed) == Standing()


def test_fewer_than_half_delivered_pauses_campaigns() -> None:
    bad = after(DeliveriesCounted(50, 24)).reactions
    assert bad.slowdowns == (Slowdown(Cause.DELIVERED_SHARE, 0.5),)
    assert bad.pauses == (
        Pause(
            Cause.DELIVERED_SHARE,
            Scope.CAMPAIGNS,
            None,
            "24 of 50 messages were delivered after 6 hours",
        ),
    )


def test_a_pause_for_a_bad_share_stays_when_the_share_gets_better() -> None:
    """A person looks at it; that time passed says nothing about the list."""
    better = after(OutcomesCounted(50, 0), standing=after(OutcomesCounted(50, 3))).reactions
    assert [pause.cause for pause in better.pauses] == [Cause.FAILED_SHARE]
    assert better.slowdowns == ()


def test_capping_warnings() -> None:
    ends = later(5_000)
    first = after(CappingChanged(CappingLevel.FIRST_WARNING, ends))
    assert first.reactions == Reactions(slowdowns=(Slowdown(Cause.CAPPING, 0.5, Scope.NEW_CHATS, ends),))

    pause = Pause(Cause.CAPPING, Scope.NEW_CHATS, ends, "WhatsApp's quota of new chats is used up")
    for level in (CappingLevel.SECOND_WARNING, CappingLevel.CAPPED):
        assert after(CappingChanged(level, ends), standing=first).reactions == Reactions(pauses=(pause,))

    capped = after(CappingChanged(CappingLevel.CAPPED, ends))
    assert after(CappingChanged(CappingLevel.FIRST_WARNING, ends), standing=capped) == first
    for standing in (first, capped):
        assert after(CappingChanged(CappingLevel.NONE), standing=standing) == Standing()


def test_capping_without_an_end_lasts_a_day() -> None:
    assert after(CappingChanged(CappingLevel.CAPPED)).reactions.pauses[0].until == later(DAY_S)
    assert after(CappingChanged(CappingLevel.FIRST_WARNING)).reactions.slowdowns[0].until == later(DAY_S)


def test_disconnects_and_failures_move_the_health() -> None:
    assert after(Disconnected(), Disconnected()).health.figure == 0
    assert after(*[Disconnected()] * 3).health.figure == 30
    assert after(*[SendFailed()] * 5).health.figure == 20
    assert after(*[SendFailed()] * 5).reactions == Reactions()


def test_a_logout_stops_campaigns_and_costs_health() -> None:
    stopped = after(LoggedOut(on_purpose=False))
    assert stopped.reactions == Reactions(pauses=(Pause(Cause.LOGGED_OUT, Scope.CAMPAIGNS),))
    assert (stopped.health.figure, stopped.health.events[0].cause) == (60, HealthCause.LOGGED_OUT)


@pytest.mark.parametrize(
    ("signal", "figure"),
    [
        (LoggedOut(on_purpose=False), 75),
        (Locked(), 55),
        (ReachOutRefused("a", is_new_chat=False), 40),
        (ReachOutRefused("a", is_new_chat=True), 40),
    ],
)
def test_points_add_to_what_the_figure_is_by_now(signal: Signal, figure: float) -> None:
    health = after(signal, seconds=DAY_S, standing=Standing(health=Health(30, NOON))).health
    assert health.figure == pytest.approx(figure)
    assert health.at == later(DAY_S)


def test_unlinking_on_purpose_costs_no_health() -> None:
    ill = Standing(health=Health(20, NOON))
    unlinked = after(LoggedOut(on_purpose=True), standing=ill)
    assert unlinked == Standing(Reactions(pauses=(Pause(Cause.LOGGED_OUT, Scope.CAMPAIGNS),)), ill.health)


def test_a_locked_account_stops_campaigns_and_costs_health() -> None:
    locked = after(Locked())
    assert locked.reactions == Reactions(pauses=(Pause(Cause.LOCKED, Scope.CAMPAIGNS),))
    assert (locked.health.figure, locked.health.events[0].cause) == (40, HealthCause.FORBIDDEN)


def test_a_temporary_ban_stops_everything_until_a_day_after_and_campaigns_until_a_person_resumes() -> None:
    assert after(TemporarilyBanned(later(600))) == Standing(
        Reactions(
            pauses=(
                Pause(Cause.TEMPORARY_BAN, Scope.CAMPAIGNS),
                Pause(Cause.TEMPORARY_BAN, Scope.ALL, later(600 + DAY_S)),
            )
        )
    )
    assert after(TemporarilyBanned(None)).reactions.pauses[1] == Pause(Cause.TEMPORARY_BAN, Scope.ALL)


def test_too_high_a_risk_figure_stops_everything_until_a_person_resumes() -> None:
    stopped = after(LoggedOut(on_purpose=False), *[SendFailed()] * 5)

    assert stopped.health.figure == 80
    stop = Pause(Cause.HEALTH, Scope.ALL, None, "the risk figure is too high")
    assert stop in stopped.reactions.pauses
    assert stop in after(seconds=10 * DAY_S, standing=stopped).reactions.pauses


def test_what_has_run_out_is_forgotten() -> None:
    limited = after(RateLimited())
    assert after(seconds=HOUR_S - 1, standing=limited).reactions.slowdowns != ()
    assert after(seconds=HOUR_S, standing=limited).reactions.slowdowns == ()
    locked = after(ReachOutLocked(later(10)))
    assert after(seconds=19, standing=locked).reactions.pauses != ()
    assert after(seconds=20, standing=locked).reactions.pauses == ()


def test_nothing_run_out_changes_nothing() -> None:
    both = after(RateLimited(), ReachOutLocked(later(10)), OutcomesCounted(50, 3)).reactions
    assert without_expired(both, later(1)) is both


def test_either_may_run_out_alone() -> None:
    both = after(RateLimited(), ReachOutLocked(later(10))).reactions
    without_pauses = without_expired(both, later(20))
    assert (without_pauses.slowdowns, without_pauses.pauses) == (both.slowdowns, ())
    long_lock = after(RateLimited(), ReachOutLocked(later(DAY_S))).reactions
    without_slowdowns = without_expired(long_lock, later(HOUR_S))
    assert (without_slowdowns.slowdowns, without_slowdowns.pauses) == ((), long_lock.pauses)


def test_a_person_resumes_what_waited_for_that() -> None:
    standing = after(
        RateLimited(), ReachOutLocked(None), OutcomesCounted(50, 3), LoggedOut(on_purpose=False), Locked()
    )
    resumed = resume(standing, later(60), DEFAULTS)

    assert resumed.reactions.pauses == lock_until(DAY_S)
    assert [slowdown.cause for slowdown in resumed.reactions.slowdowns] == [Cause.RATE_LIMITED]
    assert resumed.reactions.outcomes_since == later(60)
    assert resumed.health.figure == 39
    assert react(resumed, (), later(61), DEFAULTS) == resumed


def test_a_contact_that_was_refused_stays_held_after_a_resume() -> None:
    standing = after(ReachOutRefused("a", is_new_chat=False))
    assert resume(standing, NOON, DEFAULTS) == replace(
        standing, reactions=replace(standing.reactions, outcomes_since=NOON)
    )
