"""Fetches the files of received messages, through the sessions that this gateway holds."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from loguru import logger

from orchestrator.bridge.stream import SessionStream
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.inbound import InboundMessage
from orchestrator.ending import end_tasks
from orchestrator.gateway.event_pump import Inbox
from orchestrator.gateway.runner import SessionRunner
from orchestrator.services.received_files import ReceivedFiles, WantedFile, carries_file

EVERY_S: Final = 2.0
"""How often is looked for what nobody rang for: attempts that are due again, sessions that were taken over."""

AT_ONCE: Final = 4
"""Files on their way in one gateway."""

_LONGEST_S: Final = 900.0
_LISTED: Final = 50


class FileDownloads:
    """One for each gateway; what is under way is known here, what is left is known to the database."""

    def __init__(
        self, runners: Mapping[str, SessionRunner], files: ReceivedFiles, every_s: float = EVERY_S
    ) -> None:
        self._runners = runners
        self._files = files
        self._every_s = every_s
        self._rung = asyncio.Event()
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._loop = asyncio.create_task(self._run(), name="downloads")

    async def stop(self) -> None:
        """Leave off; what is under way is fetched anew by whoever holds the session next."""
        tasks = [*self._under_way.values(), *([self._loop] if self._loop else [])]
        self._loop = None
        await end_tasks(tasks)

    def ring(self) -> None:
        """A file is due: look now."""
        self._rung.set()

    async def _run(self) -> None:
        while True:
            self._rung.clear()
            try:
                await self._begin_what_is_due()
            except Exception:
                logger.exception("Received files could not be looked for.")
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await self._rung.wait()

    async def _begin_what_is_due(self) -> None:
        streams = {
            session_id: stream
            for session_id, runner in self._runners.items()
            if (stream := runner.connected_stream) is not None
        }
        if len(self._under_way) >= AT_ONCE or not streams:
            return
        for wanted in await self._files.due(list(streams), _LISTED):
            message_id = wanted.message.id
            if len(self._under_way) >= AT_ONCE:
                return
            if message_id not in self._under_way:
                work = self._fetch(streams[wanted.message.session_id], wanted)
                self._under_way[message_id] = asyncio.create_task(work, name=f"download {message_id}")

    async def _fetch(self, stream: SessionStream, wanted: WantedFile) -> None:
        try:
            if await self._try(stream, wanted):
                self._rung.set()
        except PonteError as error:
            # The stream ended, or the store is away: the row is still there.
            logger.info("A received file is fetched later: {}", error)
        except Exception:
            logger.exception("A received file could not be kept.")
        finally:
            self._under_way.pop(wanted.message.id, None)

    async def _try(self, stream: SessionStream, wanted: WantedFile) -> bool:
        """One attempt; False where it could not be made."""
        path = self._files.new_path()
        code = await stream.download_media(
            wanted.message_proto,
            wanted.message.wa_message_id,
            wanted.message.chat_jid,
            wanted.participant_jid,
            path,
            from_me=wanted.from_me,
            max_bytes=self._files.largest,
            timeout_s=_LONGEST_S,
        )
        if code == "NOT_CONNECTED":
            return False
        if not code:
            try:
                await self._files.store(wanted, path)
            except PonteError as error:
                code = error.code.name
        if code:
            await self._files.give_up_or_postpone(wanted, code)
        return True


class RingingInbox:
    """Records as the inbox does, and rings for files that are to be fetched."""

    def __init__(self, inbox: Inbox, downloads: FileDownloads) -> None:
        self._inbox = inbox
        self._downloads = downloads

    async def record(
        self, scope: CompanyScope, session_id: str, fence: int, message: InboundMessage
    ) -> object:
        """Make one durable, once however often it comes."""
        recorded = await self._inbox.record(scope, session_id, fence, message)
        if carries_file(message.content):
            self._downloads.ring()
        return recorded
