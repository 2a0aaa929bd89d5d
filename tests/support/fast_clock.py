"""Starts a Ponte's fast clock at a time of the test's choice: quiet hours should not depend on when tests run."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.store import metadata
from orchestrator.store.database import Database, SystemScope
from orchestrator.store.migrations import upgrade

FACT = "fast_clock_began"


def next_wednesday_noon_in_brazil() -> datetime:
    """The next Wednesday, 15:00 UTC."""
    now = datetime.now(UTC)
    day = now + timedelta(days=(2 - now.weekday()) % 7 or 7)
    return day.replace(hour=15, minute=0, second=0, microsecond=0)


async def set_clock(data_dir: Path, speed: float, shows: datetime) -> None:
    """Make the database of a Ponte that was never started, whose clock shows `shows` now and runs `speed` times."""
    data_dir.mkdir(parents=True, exist_ok=True)
    url = f"sqlite+aiosqlite:///{data_dir / 'ponte.db'}"
    await asyncio.to_thread(upgrade, url)
    database = await Database.open(url)
    now = datetime.now(UTC)
    began = now - (shows - now) / (speed - 1)
    async with database.transaction(SystemScope()) as tx:
        await metadata.add_fact(tx, SystemScope(), FACT, began.isoformat())
    await database.close()
