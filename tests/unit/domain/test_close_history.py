"""What is kept of closed connections."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.close_history import (
    DROPS_OF_A_LOOP,
    CloseHistory,
    after_drop,
    after_network_close,
    note,
    within,
)

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_what_is_older_than_the_window_is_forgotten() -> None:
    assert note((at(0), at(50)), at(100), 60, 9) == (at(50), at(100))
    assert within((at(0), at(40)), at(100), 60) == ()


@given(st.lists(st.floats(0, 5000), max_size=50))
def test_it_stays_small_and_in_order(gaps: list[float]) -> None:
    history, now = CloseHistory(), NOW
    for gap in gaps:
        now += timedelta(seconds=gap)
        history = after_drop(after_network_close(history, now), now)

    for times in (history.network, history.drops):
        assert len(times) <= DROPS_OF_A_LOOP
        assert list(times) == sorted(times)
