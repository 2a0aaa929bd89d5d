"""What an operator's commands work with beside a running Ponte: the database and the keys of these settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from orchestrator.cli.key_files import EncryptionKeys, kept_encryption_keys
from orchestrator.cli.wiring.clock import system_rng, utc_now
from orchestrator.config import Settings
from orchestrator.domain.company import CompanyScope
from orchestrator.services.context import Context
from orchestrator.store.database import Database, SystemScope
from orchestrator.store.metadata import verify_encryption_key
from orchestrator.store.migrations import demand_file, demand_newest
from orchestrator.store.vault import Vault

_CONNECTIONS = 2


@dataclass(frozen=True, slots=True)
class Desk:
    """An open database and its keys."""

    database: Database
    vault: Vault
    keys: EncryptionKeys

    def context(self) -> Context:
        """What services take."""
        return Context(self.database, self.vault, _SilentBells(), utc_now, system_rng())


@asynccontextmanager
async def open_desk(settings: Settings) -> AsyncIterator[Desk]:
    """Open the database for the length of a block; raises StartupError where there is none or its schema is another.

    Takes no lock: a running Ponte goes on.
    """
    url = settings.resolved_database_url
    demand_file(url)
    keys = kept_encryption_keys(settings, settings.data_dir.absolute())
    database = await Database.open(url, pool_size=_CONNECTIONS)
    try:
        async with database.reading(SystemScope()) as tx:
            await demand_newest(tx.connection)
        yield Desk(database, keys.vault(), keys)
    finally:
        await database.close()


@asynccontextmanager
async def open_checked_desk(settings: Settings) -> AsyncIterator[Desk]:
    """As `open_desk`; also raises StartupError where the keys are not those that the database was written with."""
    async with open_desk(settings) as desk:
        await verify_encryption_key(desk.database, desk.vault)
        yield desk


class _SilentBells:
    """A running Ponte looks by itself every few seconds; a command need not ring."""

    async def messages_due(self, scope: CompanyScope, session_id: str) -> None:
        pass

    async def events_recorded(self, scope: CompanyScope) -> None:
        pass

    async def session_changed(self, scope: CompanyScope, session_id: str) -> None:
        pass
