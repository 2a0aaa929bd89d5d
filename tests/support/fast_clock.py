"""Sets a Ponte's fast clock to a time of the test's choice: quiet hours should not depend on when tests run."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.services.tempo import Tempo
from orchestrator.store.migrations import upgrade

FACT = "fast_clock_began"


def next_wednesday_noon_in_brazil() -> datetime:
    """The next Wednesday, 15:00 UTC."""
    now = datetime.now(UTC)
    day = now + timedelta(days=(2 - now.weekday()) % 7 or 7)
    return day.replace(hour=15, minute=0, second=0, microsecond=0)


async def set_clock(data_dir: Path, speed: float, shows: datetime) -> Tempo:
    """Let the clock of a Ponte that is not running show `shows` now and run `speed` times as fast; made if need be."""
    data_dir.mkdir(parents=True, exist_ok=True)
    database = data_dir / "ponte.db"
    await asyncio.to_thread(upgrade, f"sqlite+aiosqlite:///{database}")
    now = datetime.now(UTC)
    tempo = Tempo(speed, now - (shows - now) / (speed - 1))
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "INSERT OR REPLACE INTO metadata (name, value) VALUES (?, ?)", (FACT, tempo.since.isoformat())
        )
    return tempo


class MovedClock:
    """Ponte's clock over restarts between which it was moved: tells what it showed at a moment of the machine's."""

    def __init__(self, data_dir: Path, speed: float) -> None:
        self._data_dir = data_dir
        self._speed = speed
        self._tempos: list[tuple[datetime, Tempo]] = []

    async def move(self, shows: datetime) -> None:
        """Set it, while Ponte is not running."""
        tempo = await set_clock(self._data_dir, self._speed, shows)
        self._tempos.append((datetime.now(UTC), tempo))

    def at(self, epoch_s: float) -> datetime:
        """What it showed then."""
        moment = datetime.fromtimestamp(epoch_s, UTC)
        return [tempo for since, tempo in self._tempos if since <= moment][-1].at(moment)

    def now(self) -> datetime:
        """What it shows."""
        return self.at(datetime.now(UTC).timestamp())
