"""Reads all groups of a session once it has connected, so that what was missed while it was away shows."""

import asyncio
from collections.abc import Awaitable, Callable

from loguru import logger

from orchestrator.bridge import groups
from orchestrator.bridge.stream import SessionStream
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.group.commands import ReadAllGroups
from orchestrator.domain.session import Lease
from orchestrator.gateway.settings import GatewaySettings
from orchestrator.services.group_records import GroupRecords


class GroupReading:
    """One stream's reading: once, a little after it can be used. What fails is left to the next connection."""

    def __init__(
        self,
        stream: SessionStream,
        lease: Lease,
        records: GroupRecords,
        settings: GatewaySettings,
        drained: Callable[[], Awaitable[None]],
    ) -> None:
        """`drained` waits until the groups that came on the stream so far are recorded."""
        self._stream = stream
        self._scope = CompanyScope(lease.company_id)
        self._lease = lease
        self._records = records
        self._settings = settings
        self._drained = drained
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Read soon, in the background; once however often it is called."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"groups {self._lease.session_id}")

    def cancel(self) -> None:
        """Leave off."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        log = logger.bind(company_id=self._lease.company_id, session_id=self._lease.session_id)
        await asyncio.sleep(self._records.pause_s(self._settings.groups_after_s))
        try:
            if await self._records.is_reading_due(self._scope, self._lease.session_id):
                await self._read()
        except PonteError as error:
            log.info("The groups are read at the next connection: {}", error)
        except Exception:
            # Nobody awaits this task: a fault of ours is told here, and the next connection reads again.
            log.exception("The groups could not be read.")

    async def _read(self) -> None:
        asked_at = self._records.now()
        command = ReadAllGroups()
        managed = await self._stream.manage_group(
            groups.encode_command(command), self._settings.group_timeout_s
        )
        answer = groups.decode_answer(command, managed)
        # Each group came on the stream before the answer, and is recorded in its turn.
        await self._drained()
        await self._records.finish_reading(
            self._scope, self._lease.session_id, self._lease.fence, answer.group_jids, asked_at
        )
