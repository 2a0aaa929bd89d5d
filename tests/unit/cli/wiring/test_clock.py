"""The one clock of a process, and where it may run fast."""

from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.cli.wiring.clock import clock_at, demand_simulator, open_tempo, utc_now
from orchestrator.config import Settings, load_settings
from orchestrator.services.tempo import MACHINE_TEMPO, Tempo
from orchestrator.startup import StartupError
from orchestrator.store.database import Database

SIMULATOR = "ws://127.0.0.1:1/ws/chat"
LIFTED = {"sending_limits": "lifted"}
FAST = {"clock_speed": 20}
WHATSAPPS_OWN = (
    None,
    "wss://web.whatsapp.com/ws/chat",
    "wss://WEB.WhatsApp.COM/ws/chat",
    "wss://web.whatsapp%2Ecom/ws/chat",
    "wss://g.whatsapp.net/ws/chat",
)


def settings(**values: Any) -> Settings:
    return load_settings(_env_file=None, **values)


@pytest.mark.parametrize("url", WHATSAPPS_OWN)
@pytest.mark.parametrize(
    ("wish", "variable"), [(LIFTED, "PONTE_SENDING_LIMITS=lifted"), (FAST, "PONTE_CLOCK_SPEED=20")]
)
def test_against_whatsapp_itself_the_policy_holds_and_time_runs_as_it_does(
    url: str | None, wish: dict[str, Any], variable: str
) -> None:
    with pytest.raises(StartupError, match=f"^{variable} is for simulators: [^\n]*$"):
        demand_simulator(settings(whatsapp_url=url, **wish))


@pytest.mark.parametrize("url", WHATSAPPS_OWN)
def test_the_defaults_start_anywhere(url: str | None) -> None:
    demand_simulator(settings(whatsapp_url=url))


def test_a_simulator_may_have_both() -> None:
    demand_simulator(settings(whatsapp_url=SIMULATOR, **LIFTED, **FAST))


@pytest.mark.parametrize("speed", [0, 0.5, 101])
def test_a_speed_out_of_bounds_is_refused(speed: float) -> None:
    with pytest.raises(StartupError, match="PONTE_CLOCK_SPEED cannot be used"):
        settings(clock_speed=speed)


async def test_a_fast_clock_goes_on_after_a_restart(database: Database) -> None:
    first = await open_tempo(database, 20)
    assert await open_tempo(database, 20) == first
    assert first.since <= utc_now()
    assert clock_at(first)() <= clock_at(first)()


async def test_at_the_machines_pace_the_clock_is_the_machines(database: Database) -> None:
    assert await open_tempo(database, 1) is MACHINE_TEMPO
    assert clock_at(MACHINE_TEMPO) is utc_now
    assert clock_at(Tempo(2, datetime(2026, 1, 1, tzinfo=UTC)))() > utc_now()
