"""How fast a session may go."""

import pytest

from orchestrator.domain.policy.health import Health
from orchestrator.domain.policy.rate import ramp_share, rate_share, scaled, slowdown_share
from orchestrator.domain.policy.reaction_state import Cause, Reactions, Scope, Slowdown
from orchestrator.domain.policy.settings import DAY_S
from tests.support.policy_snapshots import NOON, later, session


def slowed(*slowdowns: Slowdown) -> Reactions:
    return Reactions(slowdowns=slowdowns)


def test_the_whole_rate_where_nothing_is_against_it() -> None:
    assert rate_share(session(), NOON) == 1.0
    assert ramp_share(session(), NOON) == 1.0


def test_a_slowdown_holds_until_it_ends() -> None:
    snapshot = session(reactions=slowed(Slowdown(Cause.RATE_LIMITED, 0.5, until=later(10))))
    assert rate_share(snapshot, later(9)) == 0.5
    assert rate_share(snapshot, later(10)) == 1.0


def test_a_slowdown_without_an_end_holds() -> None:
    assert rate_share(session(reactions=slowed(Slowdown(Cause.FAILED_SHARE, 0.5))), later(9e6)) == 0.5


def test_the_slowest_holds_and_they_do_not_multiply() -> None:
    snapshot = session(
        reactions=slowed(Slowdown(Cause.RATE_LIMITED, 0.5), Slowdown(Cause.FAILED_SHARE, 0.4)),
        health=Health(20, NOON),
    )
    assert rate_share(snapshot, NOON) == 0.4


def test_new_chats_have_slowdowns_of_their_own() -> None:
    snapshot = session(reactions=slowed(Slowdown(Cause.CAPPING, 0.5, Scope.NEW_CHATS)))
    assert rate_share(snapshot, NOON) == 1.0
    assert slowdown_share(snapshot, Scope.NEW_CHATS, NOON) == 0.5


@pytest.mark.parametrize(("figure", "share"), [(0.0, 1.0), (0.5, 1.0), (14.9, 1.0), (15, 0.5), (60, 0.5)])
def test_caution_halves_the_rate(figure: float, share: float) -> None:
    assert rate_share(session(health=Health(figure, NOON)), NOON) == share


def test_caution_ends_when_the_figure_has_sunk() -> None:
    assert rate_share(session(health=Health(20, NOON)), later(DAY_S)) == 1.0


def test_caution_does_not_lift_a_harder_slowdown() -> None:
    snapshot = session(health=Health(20, NOON), reactions=slowed(Slowdown(Cause.RATE_LIMITED, 0.25)))
    assert rate_share(snapshot, NOON) == 0.25


def test_after_a_reconnect_the_rate_grows_over_ten_minutes() -> None:
    snapshot = session(reconnected_at=NOON)
    shares = [ramp_share(snapshot, later(seconds)) for seconds in (-60, 0, 300, 599, 600, 700)]
    assert shares == pytest.approx([0.1, 0.1, 0.55, 0.1 + 0.9 * 599 / 600, 1.0, 1.0])


def test_a_scaled_cap_leaves_at_least_one_and_never_more_than_the_cap() -> None:
    assert [scaled(12, share) for share in (1.0, 0.5, 0.49, 0.1, 0.01)] == [12, 6, 5, 1, 1]
    assert [scaled(0, share) for share in (1.0, 0.5)] == [0, 0]
    assert scaled(12, 2.0) == 12
