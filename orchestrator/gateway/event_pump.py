"""Reads one stream's events until it closes: each is made durable, then answered."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from loguru import logger

from orchestrator.bridge.messages import (
    AuthRead,
    AuthWrite,
    BridgeEvent,
    CallTold,
    ContactsMapped,
    GroupArrived,
    HistoryArrived,
    InboundArrived,
    Linked,
    MessageWanted,
    Opened,
    PresenceTold,
    ReceiptArrived,
    StandingTold,
)
from orchestrator.bridge.stream import SessionStream
from orchestrator.domain import errors
from orchestrator.domain.closing import Closed
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.inbound import InboundMessage, Receipt
from orchestrator.domain.session import Lease, QrCode
from orchestrator.gateway.group_reading import GroupReading
from orchestrator.gateway.insist import insist
from orchestrator.gateway.settings import GatewaySettings
from orchestrator.gateway.work import Batches, ChatWork, Tasks, Work
from orchestrator.services.group_records import GroupRecords
from orchestrator.services.session_runtime import SessionRuntime

_READS_AT_A_TIME = 32
_GROUPS_AT_A_TIME = 8
_GROUPS_WAITING = 5000
"""More than a number has groups: reading them all must not keep the stream from being read."""

_WRITES_WAITING = 1000
_RECEIPTS_WAITING = 2000
_RECEIPTS_AT_A_TIME = 100
_STANDINGS_WAITING = 1000
_STANDINGS_AT_A_TIME = 100
_CALLS_WAITING = 1000
_PRESENCES_WAITING = 1000
_PRESENCES_AT_A_TIME = 100
_CHUNKS_WAITING = 4
"""The bridge sends the next one when the one before is answered."""

_BEYOND_CONNECT_S = 15.0
"""The bridge itself gives up a connection that is not made in time; so much later the bridge hangs."""

_PATIENCE_S = 8.0
"""How long a write is tried while the database is away. The bridge gives up after 10 s and closes the session: then
WhatsApp sends again what was not recorded, in order, at the next login."""

_DRAIN_S = 5.0
"""How long what came before the end of a stream may take: credentials of a number that was just linked among it."""


class Inbox(Protocol):
    """Records inbound messages (services.inbox.InboxService)."""

    async def record(
        self, scope: CompanyScope, session_id: str, fence: int, message: InboundMessage
    ) -> object:
        """Make one durable, once however often it comes."""
        ...


class Receipts(Protocol):
    """Records receipts (services.receipts.ReceiptService)."""

    async def record(self, scope: CompanyScope, session_id: str, receipt: Receipt) -> object:
        """Move its messages on; what is recorded at the same time keeps its order and shares a transaction."""
        ...


class EventPump:
    """One stream's events. `run` ends with how the connection closed."""

    def __init__(
        self,
        stream: SessionStream,
        lease: Lease,
        runtime: SessionRuntime,
        inbox: Inbox,
        receipts: Receipts,
        groups: GroupRecords,
        settings: GatewaySettings,
        on_usable: Callable[[], None],
    ) -> None:
        """`on_usable` is called when the connection can be used or shows a QR, perhaps more than once."""
        self._stream = stream
        self._on_usable = on_usable
        self._scope = CompanyScope(lease.company_id)
        self._session_id = lease.session_id
        self._fence = lease.fence
        self._runtime = runtime
        self._inbox = inbox
        self._receipts = receipts
        self._groups = groups
        self._writes: Batches[AuthWrite] = Batches(self._store_auth, 1, _WRITES_WAITING)
        self._reads = Tasks(_READS_AT_A_TIME)
        self._messages = ChatWork(self._record_inbound, settings.inbound_at_a_time, settings.inbound_waiting)
        self._group_changes = ChatWork(self._record_group, _GROUPS_AT_A_TIME, _GROUPS_WAITING)
        self._group_reading = GroupReading(stream, lease, groups, settings, self._group_changes.drained)
        self._receipt_batches: Batches[ReceiptArrived] = Batches(
            self._record_receipts, _RECEIPTS_AT_A_TIME, _RECEIPTS_WAITING
        )
        self._standings: Batches[StandingTold] = Batches(
            self._record_standings, _STANDINGS_AT_A_TIME, _STANDINGS_WAITING
        )
        self._calls: Batches[CallTold] = Batches(self._record_calls, 1, _CALLS_WAITING)
        self._presences: Batches[PresenceTold] = Batches(
            self._record_presences, _PRESENCES_AT_A_TIME, _PRESENCES_WAITING
        )
        self._history: Batches[HistoryArrived] = Batches(self._record_history, 1, _CHUNKS_WAITING)
        self._sign_of_life_s = settings.connect_timeout_ms / 1000 + _BEYOND_CONNECT_S
        self._watchdog = asyncio.timeout(None)
        self._log = logger.bind(company_id=lease.company_id, session_id=lease.session_id)
        self.opened_at: float | None = None
        """When the connection became usable, by the event loop's clock."""

    async def run(self) -> Closed:
        """Read until the stream closes, then finish what it left. Raises PonteError(STALE_FENCE)."""
        try:
            async with asyncio.timeout(self._sign_of_life_s) as self._watchdog:
                closed = await self._read()
            await self._drain()
            return closed
        except TimeoutError:
            return Closed(0, "connect_timeout", f"no sign of life in {self._sign_of_life_s:g} s")
        finally:
            self._group_reading.cancel()
            for work in self._all_work():
                work.cancel()

    async def idle(self) -> None:
        """Wait until all that came so far is done and answered."""
        for work in self._all_work():
            await work.drained()

    async def _read(self) -> Closed:
        while not isinstance(event := await self._stream.read(), Closed):
            if isinstance(event, QrCode | Opened):
                self._watchdog.reschedule(None)
                self._on_usable()
            await self._take(event)
        self._watchdog.reschedule(None)
        return event

    async def _take(self, event: BridgeEvent) -> None:
        match event:
            case AuthWrite():
                await self._writes.put(event)
            case AuthRead():
                await self._reads.start(self._load_auth(event))
            case InboundArrived():
                await self._take_inbound(event)
            case ReceiptArrived():
                await self._take_receipt(event)
            case CallTold():
                await self._calls.put(event)
            case PresenceTold():
                await self._presences.put(event)
            case HistoryArrived():
                await self._history.put(event)
            case GroupArrived():
                await self._take_group(event)
            case MessageWanted():
                await self._reads.start(self._find_message(event))
            case QrCode():
                await self._runtime.record_qr(self._scope, self._session_id, self._fence, event)
            case Linked(me=me):
                await self._runtime.record_linked(self._scope, self._session_id, self._fence, me)
            case Opened(me=me, push_name=push_name):
                self.opened_at = asyncio.get_running_loop().time()
                await self._runtime.record_connected(
                    self._scope, self._session_id, self._fence, me, push_name
                )
                self._group_reading.begin()
            case ContactsMapped(contacts=contacts):
                await self._reads.start(self._runtime.record_names(self._scope, contacts))
            case StandingTold():
                await self._standings.put(event)

    async def _store_auth(self, writes: Sequence[AuthWrite]) -> None:
        for write in writes:
            error_code = ""
            try:
                await insist("Storing auth state", partial(self._store_one, write), _PATIENCE_S)
            except PonteError as error:
                error_code = error.code.name
            except Exception:
                self._log.exception("Auth state could not be stored.")
                error_code = errors.INTERNAL.name
            await self._stream.answer_auth_write(write.request_id, error_code)

    async def _store_one(self, write: AuthWrite) -> None:
        await self._runtime.store_auth(
            self._scope, self._session_id, self._fence, write.credentials_json, write.keys
        )

    async def _load_auth(self, read: AuthRead) -> None:
        load = partial(self._runtime.load_keys, self._scope, self._session_id, read.type, read.names)
        try:
            keys = await insist("Reading auth state", load, _PATIENCE_S)
        except Exception:
            self._log.exception("Auth state could not be read.")
            await self._stream.answer_auth_read(read.request_id, (), errors.INTERNAL.name)
            return
        await self._stream.answer_auth_read(read.request_id, keys)

    async def _take_inbound(self, event: InboundArrived) -> None:
        if not self._is_ours(event.company_id, event.session_id):
            await self._stream.answer_inbound(event.request_id, errors.NOT_FOUND.name)
            return
        await self._messages.put(event.message.chat_jid, event)

    async def _record_inbound(self, event: InboundArrived) -> None:
        record = partial(self._inbox.record, self._scope, self._session_id, self._fence, event.message)
        error_code = await self._recorded("an inbound message", record)
        await self._stream.answer_inbound(event.request_id, error_code)

    async def _take_receipt(self, event: ReceiptArrived) -> None:
        if not self._is_ours(event.company_id, event.session_id):
            await self._answer_receipts([event], errors.NOT_FOUND.name)
            return
        await self._receipt_batches.put(event)

    async def _record_receipts(self, arrived: Sequence[ReceiptArrived]) -> None:
        codes = await asyncio.gather(*(self._record_receipt(event.receipt) for event in arrived))
        for error_code in dict.fromkeys(codes):
            alike = [event for event, code in zip(arrived, codes, strict=True) if code == error_code]
            await self._answer_receipts(alike, error_code)

    async def _answer_receipts(self, arrived: Sequence[ReceiptArrived], error_code: str) -> None:
        waiting = [event.request_id for event in arrived if event.request_id]
        if waiting:
            await self._stream.answer_receipts(waiting, error_code)

    async def _record_receipt(self, receipt: Receipt) -> str:
        """The error code of what failed, empty where the receipt is durable."""
        record = partial(self._receipts.record, self._scope, self._session_id, receipt)
        return await self._recorded("a receipt", record)

    async def _record_calls(self, told: Sequence[CallTold]) -> None:
        for call in told:
            await self._stream.answer_call(call.request_id, await self._record_call(call))

    async def _record_call(self, call: CallTold) -> str:
        """The error code of what failed, empty where the step is durable."""
        if not self._is_ours(call.company_id, call.session_id):
            return errors.NOT_FOUND.name
        record = partial(self._runtime.record_call, self._scope, self._session_id, call.update)
        return await self._recorded("a call", record)

    async def _record_presences(self, told: Sequence[PresenceTold]) -> None:
        for one in told:
            if self._is_ours(one.company_id, one.session_id):
                await self._runtime.record_presence(self._scope, self._session_id, one.shown)

    async def _record_history(self, arrived: Sequence[HistoryArrived]) -> None:
        for chunk in arrived:
            await self._stream.answer_history(chunk.request_id, await self._record_chunk(chunk))

    async def _record_chunk(self, chunk: HistoryArrived) -> str:
        """The error code of what failed, empty where the chunk is durable."""
        if not self._is_ours(chunk.company_id, chunk.session_id):
            return errors.NOT_FOUND.name
        record = partial(
            self._runtime.record_history,
            self._scope,
            self._session_id,
            self._fence,
            chunk.messages,
            is_last=chunk.is_last,
            on_demand=chunk.on_demand,
        )
        return await self._recorded("a history", record)

    async def _recorded(self, what: str, record: Callable[[], Awaitable[object]]) -> str:
        """Make something durable: the error code of what failed, empty where it is."""
        try:
            await insist(f"Recording {what}", record, _PATIENCE_S)
        except PonteError as error:
            return error.code.name
        except Exception:
            # Unanswered, the bridge would keep WhatsApp waiting: whatever failed is told as an internal error.
            self._log.exception("Recording {} failed.", what)
            return errors.INTERNAL.name
        return ""

    async def _record_standings(self, told: Sequence[StandingTold]) -> None:
        signals = [signal for one in told for signal in one.signals]
        record = partial(self._runtime.record_standing, self._scope, self._session_id, self._fence, signals)
        try:
            await insist("Recording how WhatsApp sees a number", record, _PATIENCE_S)
        except PonteError as error:
            self._log.info("How WhatsApp sees the number was not recorded: {}", error)

    async def _take_group(self, event: GroupArrived) -> None:
        if not self._is_ours(event.company_id, event.session_id):
            await self._stream.answer_group(event.request_id, errors.NOT_FOUND.name)
            return
        await self._group_changes.put(event.change.group_jid, event)

    async def _record_group(self, event: GroupArrived) -> None:
        record = partial(self._groups.record, self._scope, self._session_id, self._fence, event.change)
        error_code = await self._recorded("a group's change", record)
        if event.request_id:
            await self._stream.answer_group(event.request_id, error_code)

    async def _find_message(self, wanted: MessageWanted) -> None:
        message_proto: bytes | None = None
        try:
            message_proto = await self._runtime.stored_message_proto(
                self._scope, self._session_id, wanted.wa_message_id
            )
        finally:
            await self._stream.answer_message(wanted.request_id, message_proto)

    def _is_ours(self, company_id: str, session_id: str) -> bool:
        if company_id == self._scope.company_id and session_id == self._session_id:
            return True
        self._log.error("An event of another session came on this stream; it was refused.")
        return False

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(_DRAIN_S):
                await self.idle()
        except TimeoutError:
            self._log.warning("What a stream left was not finished in {:g} s.", _DRAIN_S)

    def _all_work(self) -> tuple[Work, ...]:
        return (
            self._writes,
            self._receipt_batches,
            self._standings,
            self._calls,
            self._presences,
            self._history,
            self._messages,
            self._group_changes,
            self._reads,
        )
