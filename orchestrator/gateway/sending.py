"""Sends the messages of one session: one in flight per chat, up to a window across chats."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from orchestrator.bridge.messages import SendResult
from orchestrator.bridge.stream import SessionStream
from orchestrator.domain import errors
from orchestrator.domain.content import Content
from orchestrator.domain.errors import PonteError
from orchestrator.domain.media import FileAtHand
from orchestrator.domain.retry import Outcome, SendReport
from orchestrator.services.ports import OutgoingMessage, SendAnswer

OpenFiles = Callable[[Content | None], AbstractAsyncContextManager[list[FileAtHand]]]
"""Gives the files of a content for the length of a block; raises PonteError where they are not to be had."""

_NOT_ATTEMPTED = SendReport(Outcome.NOT_ATTEMPTED)


class Window:
    """What one stream may have in flight, whoever sends on it: so many messages, and one per chat."""

    def __init__(self, size: int, open_files: OpenFiles | None = None) -> None:
        self._room = asyncio.Semaphore(size)
        self._open_files = open_files or _no_files
        self._chats: dict[str, asyncio.Lock] = {}

    async def send(self, stream: SessionStream, message: OutgoingMessage, timeout_s: float) -> SendResult:
        """Send a message once it is its turn."""
        chat = self._chats.setdefault(message.chat_jid, asyncio.Lock())
        try:
            async with chat, self._room, self._open_files(message.content) as files:
                return await stream.send(
                    message.wa_message_id,
                    message.chat_jid,
                    message.content or message.text,
                    timeout_s,
                    fresh_recipient=message.fresh_recipient,
                    typing_ms=message.typing_ms,
                    files=files,
                )
        except PonteError as error:
            return _without_file(error)
        finally:
            if not chat.locked():
                self._chats.pop(message.chat_jid, None)


@asynccontextmanager
async def _no_files(content: Content | None) -> AsyncIterator[list[FileAtHand]]:
    yield []


def _without_file(error: PonteError) -> SendResult:
    is_gone = error.code in (errors.NOT_FOUND, errors.MEDIA_NOT_STORED)
    reason = "media_not_stored" if is_gone else "media_store_failed"
    return SendResult(SendReport(Outcome.NOT_SENT, 0, reason, error.sentence))


async def send_messages(
    stream: SessionStream, window: Window, messages: Sequence[OutgoingMessage], timeout_s: float
) -> AsyncIterator[SendAnswer]:
    """Yield each answer as it comes, one for each message.

    After the first message of a chat that is not acknowledged, the rest of that chat is not attempted. `timeout_s` is
    how long one message may take.
    """
    answers: asyncio.Queue[SendAnswer] = asyncio.Queue()
    chats: dict[str, list[OutgoingMessage]] = {}
    for message in messages:
        chats.setdefault(message.chat_jid, []).append(message)
    tasks = [
        asyncio.create_task(_send_chat(stream, window, chat, timeout_s, answers)) for chat in chats.values()
    ]
    try:
        for _ in messages:
            yield await answers.get()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _send_chat(
    stream: SessionStream,
    window: Window,
    messages: Sequence[OutgoingMessage],
    timeout_s: float,
    answers: asyncio.Queue[SendAnswer],
) -> None:
    going = True
    for message in messages:
        if not going:
            answers.put_nowait(SendAnswer(message.message_id, _NOT_ATTEMPTED))
            continue
        result = await window.send(stream, message, timeout_s)
        going = result.report.outcome is Outcome.ACKNOWLEDGED
        answers.put_nowait(
            SendAnswer(
                message.message_id,
                result.report,
                result.acknowledged_at,
                result.contact,
                result.message_proto,
            )
        )
