"""What every use case needs: the database, the clock, randomness, encryption and the bells."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from random import Random

from orchestrator.services.ports import Bells
from orchestrator.services.tempo import MACHINE_TEMPO, Tempo
from orchestrator.store.database import Database
from orchestrator.store.vault import Vault

Clock = Callable[[], datetime]
"""Gives the time now, aware, UTC."""


class SendingLimits(StrEnum):
    """Whether the sending policy decides what leaves. LIFTED is for simulators only."""

    ENFORCED = "enforced"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that keep one company or one fault from filling the machine."""

    waiting_messages_per_session: int = 1_000_000
    messages_in_flight_per_session: int = 64
    subscribers_per_company: int = 100
    webhooks_per_company: int = 20
    idempotency_hours: int = 24


@dataclass(frozen=True, slots=True)
class Context:
    """Handed to every service by the composition root."""

    database: Database
    vault: Vault
    bells: Bells
    clock: Clock
    rng: Random
    limits: Limits = field(default_factory=Limits)
    tempo: Tempo = MACHINE_TEMPO
    sending_limits: SendingLimits = SendingLimits.ENFORCED
