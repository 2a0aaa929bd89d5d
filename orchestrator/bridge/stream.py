"""One session's stream to the bridge, twin of bridge-node/src/session.ts: writes, reads and matches answers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Protocol

from grpc.aio import AioRpcError
from loguru import logger

from orchestrator._generated.ponte.bridge.v1 import bridge_pb2 as pb
from orchestrator._generated.ponte.bridge.v1 import chat_pb2, group_pb2, history_pb2
from orchestrator.bridge import channels, decode, encode, errors, history
from orchestrator.bridge.messages import BridgeEvent, CheckedNumber, Opening, SendResult
from orchestrator.domain.auth_state import AuthKey
from orchestrator.domain.channel import Channel, ChannelAction
from orchestrator.domain.chat import ChatAction
from orchestrator.domain.closing import Closed
from orchestrator.domain.content import Content
from orchestrator.domain.imports import OlderThan
from orchestrator.domain.media import FileAtHand
from orchestrator.domain.retry import Outcome, SendReport

_COMMANDS_WAITING = 1000
"""Bound of the commands that wait to be written; a caller beyond it waits."""

_ANSWERS = frozenset(
    {
        "send_result",
        "numbers_checked",
        "marked_read",
        "pairing_code",
        "chat_acted",
        "media_downloaded",
        "group_managed",
        "channel_managed",
        "history_requested",
    }
)


class Wire(Protocol):
    """What carries a stream's protobuf messages: a gRPC call, or queues in memory."""

    async def write(self, command: pb.SessionCommand) -> None:
        """Hand one command over. Never called twice at a time."""
        ...

    def events(self) -> AsyncIterator[pb.SessionEvent]:
        """All events until the other side ends the stream; raises AioRpcError where it breaks."""
        ...

    async def done_writing(self) -> None:
        """Tell the other side that no command follows."""
        ...

    def cancel(self) -> None:
        """Drop the stream at once."""
        ...


@dataclass(slots=True)
class _Question:
    """A command that is answered. `handed` says whether it may have reached the bridge."""

    future: asyncio.Future[pb.SessionEvent]
    handed: bool = False


_Entry = tuple[pb.SessionCommand, _Question | None]


class SessionStream:
    """An open stream, which is an open WhatsApp socket. `start` it, `read` until Closed, `end` it, then `drop` it.

    Whatever happens, each question is answered or fails: by the bridge, by its time-out, or by the stream's end.
    """

    def __init__(self, wire: Wire, opening: Opening) -> None:
        self.opening = opening
        self._wire = wire
        self._commands: asyncio.Queue[_Entry | None] = asyncio.Queue(_COMMANDS_WAITING)
        self._questions: dict[int, _Question] = {}
        self._ids = count(1)
        self._ended = False
        self._events: AsyncIterator[pb.SessionEvent] | None = None
        self._writer: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Write the opening; call once."""
        self._commands.put_nowait((encode.open_session(self.opening), None))
        self._events = self._wire.events()
        self._writer = asyncio.create_task(self._write(), name=f"bridge-writer {self.opening.session_id}")

    async def read(self) -> BridgeEvent:
        """The next event that is no answer. After Closed, which comes even where the stream broke, there is none."""
        if self._events is None:
            raise RuntimeError("the stream was not started")
        try:
            async for message in self._events:
                event = self._take(message)
                if isinstance(event, Closed):
                    self._finish()
                if event is not None:
                    return event
            lost = errors.stream_lost(None)
        except AioRpcError as error:
            lost = errors.stream_lost(error)
        except asyncio.CancelledError:
            # gRPC raises it for a call that was dropped, too; then the task goes on.
            if not self._ended or _is_cancelled():
                raise
            lost = errors.stream_lost(None)
        self._finish()
        return lost

    async def send(
        self,
        wa_message_id: str,
        chat_jid: str,
        content: Content | str,
        timeout_s: float,
        *,
        fresh_recipient: bool = False,
        typing_ms: int = 0,
        files: Sequence[FileAtHand] = (),
    ) -> SendResult:
        """Send a content, a `str` as plain text; every way it can fail is an outcome of the result, not an exception.

        `fresh_recipient` makes Baileys ask anew for the recipient's devices, keys and group data before. `timeout_s`
        begins after `typing_ms` of typing.
        """
        question = self._ask()
        request_id = next(self._ids)
        try:
            async with asyncio.timeout(timeout_s + typing_ms / 1000):
                command = encode.send_message(
                    request_id, wa_message_id, chat_jid, content, fresh_recipient, files
                )
                command.send_message.typing_ms = typing_ms
                answer = await self._answer(request_id, question, command)
            return decode.send_result(answer.send_result)
        except TimeoutError:
            return _unanswered(question, errors.NO_ANSWER)
        except _StreamEndedError:
            return _unanswered(question, errors.STREAM_ENDED)

    async def check_numbers(self, phone_numbers: Sequence[str], timeout_s: float) -> list[CheckedNumber]:
        """Ask which numbers (E.164) have an account; raises PonteError where there is no answer."""
        answer = await self._question(lambda id_: encode.check_numbers(id_, phone_numbers), timeout_s)
        _raise_where_refused(answer.numbers_checked)
        return decode.checked_numbers(answer.numbers_checked)

    async def mark_read(
        self, chat_jid: str, participant_jid: str, wa_message_ids: Sequence[str], timeout_s: float
    ) -> None:
        """Show messages as read; raises PonteError where that is not confirmed."""
        answer = await self._question(
            lambda id_: encode.mark_read(id_, chat_jid, participant_jid, wa_message_ids), timeout_s
        )
        _raise_where_refused(answer.marked_read)

    async def act_on_chat(self, chat_jid: str, action: ChatAction, timeout_s: float) -> None:
        """Show typing in a chat, or block its contact; raises PonteError where that is not confirmed."""
        answer = await self._question(lambda id_: encode.act_on_chat(id_, chat_jid, action), timeout_s)
        _raise_where_refused(answer.chat_acted)

    async def manage_group(self, command: group_pb2.ManageGroup, timeout_s: float) -> group_pb2.GroupManaged:
        """Ask something about groups, or change one; raises PonteError where there is no answer."""

        def make(request_id: int) -> pb.SessionCommand:
            numbered = pb.SessionCommand(manage_group=command)
            numbered.manage_group.request_id = request_id
            return numbered

        return (await self._question(make, timeout_s)).group_managed

    async def manage_channel(self, channel: str, action: ChannelAction, timeout_s: float) -> Channel:
        """Look a channel up, follow it, or do so no more; raises PonteError where there is no answer."""
        answer = await self._question(lambda id_: channels.encode_command(id_, channel, action), timeout_s)
        return channels.decode_answer(answer.channel_managed)

    async def request_history(self, older_than: OlderThan, timeout_s: float) -> None:
        """Ask the number's own phone for older messages; raises PonteError where it cannot be asked."""
        answer = await self._question(lambda id_: history.encode_request(id_, older_than), timeout_s)
        _raise_where_refused(answer.history_requested)

    async def download_media(
        self,
        message_proto: bytes,
        wa_message_id: str,
        chat_jid: str,
        participant_jid: str,
        path: Path,
        *,
        from_me: bool,
        max_bytes: int,
        timeout_s: float,
    ) -> str:
        """Write the file of a received message to `path`; gives "" or the bridge's code for why there is none.

        Raises PonteError where there is no answer.
        """
        answer = await self._question(
            lambda id_: encode.download_media(
                id_,
                message_proto,
                wa_message_id,
                chat_jid,
                participant_jid,
                path,
                from_me=from_me,
                max_bytes=max_bytes,
            ),
            timeout_s,
        )
        return answer.media_downloaded.error_code

    async def request_pairing_code(self, phone_number: str, timeout_s: float, custom_code: str = "") -> str:
        """Ask for a code to type on the phone; raises PonteError where there is none."""
        answer = await self._question(
            lambda id_: encode.request_pairing_code(id_, phone_number, custom_code), timeout_s
        )
        _raise_where_refused(answer.pairing_code)
        return answer.pairing_code.code

    async def logout(self) -> None:
        """Remove this device at WhatsApp; Closed with code 401 follows."""
        await self._put(encode.logout())

    async def answer_auth_write(self, request_id: int, error_code: str = "") -> None:
        """Answer an AuthWrite."""
        await self._put(encode.auth_stored(request_id, error_code))

    async def answer_auth_read(self, request_id: int, keys: Sequence[AuthKey], error_code: str = "") -> None:
        """Answer an AuthRead."""
        await self._put(encode.auth_loaded(request_id, keys, error_code))

    async def answer_inbound(self, request_id: int, error_code: str = "") -> None:
        """Answer an InboundArrived."""
        await self._put(encode.inbound_recorded(request_id, error_code))

    async def answer_receipts(self, request_ids: Sequence[int], error_code: str = "") -> None:
        """Answer ReceiptArrived events together."""
        await self._put(encode.receipts_recorded(request_ids, error_code))

    async def answer_call(self, request_id: int, error_code: str = "") -> None:
        """Answer a CallTold."""
        await self._put(encode.call_recorded(request_id, error_code))

    async def answer_group(self, request_id: int, error_code: str = "") -> None:
        """Answer a GroupArrived."""
        recorded = group_pb2.GroupRecorded(request_id=request_id, error_code=error_code)
        await self._put(pb.SessionCommand(group_recorded=recorded))

    async def answer_history(self, request_id: int, error_code: str = "") -> None:
        """Answer a HistoryArrived."""
        recorded = history_pb2.HistoryRecorded(request_id=request_id, error_code=error_code)
        await self._put(pb.SessionCommand(history_recorded=recorded))

    async def answer_message(self, request_id: int, message_proto: bytes | None) -> None:
        """Answer a MessageWanted."""
        await self._put(encode.stored_message(request_id, message_proto))

    async def quiet(self) -> None:
        """Wait until no question waits for its answer."""
        while self._questions:
            await asyncio.wait([question.future for question in self._questions.values()])

    async def end(self) -> None:
        """Ask the bridge to end the socket after the commands given so far; Closed follows."""
        if not self._ended:
            await self._commands.put(None)

    async def drop(self) -> None:
        """Let go of everything, whatever state the stream is in."""
        self._finish()
        self._wire.cancel()
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)

    async def _question(self, make: Callable[[int], pb.SessionCommand], timeout_s: float) -> pb.SessionEvent:
        request_id = next(self._ids)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._answer(request_id, self._ask(), make(request_id))
        except TimeoutError:
            raise errors.answer_late(timeout_s) from None
        except _StreamEndedError:
            raise errors.stream_ended() from None

    def _ask(self) -> _Question:
        return _Question(asyncio.get_running_loop().create_future())

    async def _answer(
        self, request_id: int, question: _Question, command: pb.SessionCommand
    ) -> pb.SessionEvent:
        if self._ended:
            raise _StreamEndedError
        self._questions[request_id] = question
        try:
            await self._put(command, question)
            return await question.future
        finally:
            self._questions.pop(request_id, None)
            question.future.cancel()

    async def _put(self, command: pb.SessionCommand, question: _Question | None = None) -> None:
        if not self._ended:
            await self._commands.put((command, question))

    async def _write(self) -> None:
        try:
            while (entry := await self._commands.get()) is not None:
                command, question = entry
                if question is not None:
                    if question.future.done():
                        continue
                    question.handed = True
                await self._wire.write(command)
            await self._wire.done_writing()
        except (AioRpcError, asyncio.InvalidStateError) as error:
            # The reading side learns the same and says why the stream ended.
            logger.debug("a command could not be written: {}", type(error).__name__)

    def _take(self, message: pb.SessionEvent) -> BridgeEvent | None:
        name = message.WhichOneof("event")
        if name not in _ANSWERS:
            return decode.event(message)
        question = self._questions.get(getattr(message, name).request_id)
        if question is not None and not question.future.done():
            question.future.set_result(message)
        return None

    def _finish(self) -> None:
        self._ended = True
        for question in self._questions.values():
            if not question.future.done():
                question.future.set_exception(_StreamEndedError())
        while not self._commands.empty():
            # Frees the callers that wait for room.
            self._commands.get_nowait()


class _StreamEndedError(Exception):
    """The stream ended before the answer."""


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _unanswered(question: _Question, reason: str) -> SendResult:
    if question.handed:
        return SendResult(SendReport(Outcome.AMBIGUOUS, reason=reason))
    return SendResult(SendReport(Outcome.NOT_SENT, reason=errors.NOT_CONNECTED))


def _raise_where_refused(
    answer: pb.NumbersChecked
    | pb.MarkedRead
    | pb.PairingCode
    | chat_pb2.ChatActed
    | history_pb2.HistoryRequested,
) -> None:
    if answer.error_code:
        raise errors.refused(answer.error_code, answer.detail)
