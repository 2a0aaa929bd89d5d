"""Takes up the imports whose turn has come, a few at a time; what fails is tried again."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, Protocol

from loguru import logger

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.imports import ImportKind
from orchestrator.ending import end_tasks
from orchestrator.services.context import Context
from orchestrator.services.import_progress import MOST_FAULTS, ImportProgress
from orchestrator.store import imports as import_store
from orchestrator.store.database import SystemScope

EVERY_S: Final = 1.0
"""Seconds between two looks for imports whose turn has come."""

AT_ONCE: Final = 2
"""Imports that one process works on at the same time; others wait their turn."""


class ImportJob(Protocol):
    """Imports of one kind."""

    async def run(self, scope: CompanyScope, import_id: str) -> None:
        """Work on an import until it has ended or somebody else has it; whatever is raised interrupts it."""
        ...


class ImportRounds:
    """The imports of one process; `jobs` says who works on which."""

    def __init__(self, context: Context, jobs: Mapping[ImportKind, ImportJob]) -> None:
        self._context = context
        self._jobs = jobs
        self._progress = ImportProgress(context)
        self._running: dict[str, asyncio.Task[None]] = {}
        """By company: one import of each at a time, so that nobody's many hold up another's one."""

    async def run_for_ever(self) -> None:
        """Begin what is due, every second, until cancelled; what fails is logged and tried again."""
        try:
            while True:
                try:
                    await self.run_once()
                except Exception as error:
                    logger.opt(exception=error).error("Imports could not be looked at.")
                await asyncio.sleep(EVERY_S)
        finally:
            await end_tasks(list(self._running.values()))

    async def run_once(self) -> None:
        """Begin the imports that are due, as far as there is room."""
        room = AT_ONCE - len(self._running)
        if room <= 0:
            return
        now = self._context.clock()
        async with self._context.database.reading(SystemScope()) as tx:
            due = await import_store.due(tx, SystemScope(), list(self._jobs), now, room, list(self._running))
        for one in due:
            task = asyncio.create_task(self._run(self._jobs[one.kind], one.scope, one.import_id))
            self._running[one.scope.company_id] = task

    async def idle(self) -> None:
        """Wait until what was begun has ended."""
        while self._running:
            await asyncio.wait(self._running.values())

    async def _run(self, job: ImportJob, scope: CompanyScope, import_id: str) -> None:
        try:
            await job.run(scope, import_id)
        except Exception as error:
            logger.opt(exception=error).error("Import {} was interrupted.", import_id)
            with suppress(Exception):
                await self._end_badly(scope, import_id, error)
        finally:
            self._running.pop(scope.company_id, None)

    async def _end_badly(self, scope: CompanyScope, import_id: str, error: Exception) -> None:
        """Try again later; after too many errors of our own it has failed."""
        async with self._context.database.transaction(scope) as tx:
            stored = await self._progress.open(tx, scope, import_id)
            if stored is None:
                return
            if stored.faults > MOST_FAULTS:
                told = error if isinstance(error, PonteError) else PonteError(errors.INTERNAL)
                await self._progress.fail(tx, scope, stored, told)
            else:
                await self._progress.postpone(tx, scope, stored)
