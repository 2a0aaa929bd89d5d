"""The time and the randomness that production runs on."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random, SystemRandom

from orchestrator.config import Settings
from orchestrator.services.context import Clock
from orchestrator.services.tempo import MACHINE_TEMPO, Tempo
from orchestrator.startup import StartupError
from orchestrator.store import metadata
from orchestrator.store.database import Database, SystemScope

_BEGAN = "fast_clock_began"


def utc_now() -> datetime:
    """Return the time now, aware, UTC."""
    return datetime.now(UTC)


def system_rng() -> Random:
    """Return a source of randomness that cannot be foretold: ids and jitter come from it."""
    return SystemRandom()


def demand_simulator(settings: Settings) -> None:
    """Raise StartupError where sessions would reach WhatsApp itself without the sending policy or on a fast clock."""
    if not settings.speaks_to_whatsapp:
        return
    if settings.sending_limits == "lifted":
        raise StartupError(
            "PONTE_SENDING_LIMITS=lifted is for simulators: PONTE_WHATSAPP_URL is WhatsApp's own address, "
            "where the sending policy always holds."
        )
    if settings.clock_speed != 1:
        raise StartupError(
            f"PONTE_CLOCK_SPEED={settings.clock_speed:g} is for simulators: PONTE_WHATSAPP_URL is WhatsApp's own "
            "address, where time runs as it does."
        )


async def open_tempo(database: Database, speed: float) -> Tempo:
    """Give the tempo of a database's clock: one that runs fast began at one moment for all processes and restarts."""
    if speed == 1:
        return MACHINE_TEMPO
    scope = SystemScope()
    async with database.transaction(scope) as tx:
        await metadata.add_fact(tx, scope, _BEGAN, utc_now().isoformat())
        began = (await metadata.list_facts(tx, scope, _BEGAN))[_BEGAN]
    return Tempo(speed, datetime.fromisoformat(began))


def clock_at(tempo: Tempo) -> Clock:
    """Return Ponte's clock."""
    return utc_now if tempo.speed == 1 else lambda: tempo.at(utc_now())
