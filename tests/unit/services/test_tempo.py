from datetime import UTC, datetime, timedelta

from orchestrator.services.tempo import MACHINE_TEMPO, Tempo

BEGAN = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def test_the_machines_tempo_changes_nothing() -> None:
    assert MACHINE_TEMPO.at(BEGAN) == BEGAN
    assert MACHINE_TEMPO.span(8) == timedelta(seconds=8)
    assert MACHINE_TEMPO.machine_s(timedelta(seconds=8)) == 8


def test_a_fast_clock_runs_from_the_moment_it_began() -> None:
    fast = Tempo(20, BEGAN)
    assert fast.at(BEGAN) == BEGAN
    assert fast.at(BEGAN + timedelta(seconds=3)) == BEGAN + timedelta(minutes=1)


def test_what_processes_agree_on_lasts_as_long_on_the_machine() -> None:
    fast = Tempo(20, BEGAN)
    assert fast.span(8) == timedelta(seconds=160)
    assert fast.machine_s(fast.span(8)) == 8
    assert fast.machine_s(timedelta(seconds=-1)) == 0
