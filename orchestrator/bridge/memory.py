"""A bridge in memory, for tests: the other end of each stream is held by the test, which plays Baileys and WhatsApp."""

import asyncio
from collections.abc import AsyncIterator

from orchestrator._generated.ponte.bridge.v1 import bridge_pb2 as pb
from orchestrator._generated.ponte.bridge.v1 import group_pb2
from orchestrator.bridge.messages import BridgeStatus, Opening
from orchestrator.bridge.stream import SessionStream

_SOME_TIME_MS = 1_700_000_000_000


class MemoryBridge:
    """Sibling of BridgeClient. `refuse` makes streams break at once, as where the process is gone."""

    def __init__(self) -> None:
        self.refuse = False
        self.peers: list[MemoryPeer] = []
        self.holds: dict[str, float] = {}
        self._opened: asyncio.Queue[MemoryPeer] = asyncio.Queue()

    def open(self, opening: Opening) -> SessionStream:
        """Open and start a stream whose other end is the next of `next_peer`."""
        peer = MemoryPeer(opening)
        stream = SessionStream(peer, opening)
        stream.start()
        if self.refuse:
            peer.break_off()
            return stream
        self.peers.append(peer)
        self._opened.put_nowait(peer)
        return stream

    async def status(self, timeout_s: float) -> BridgeStatus:
        """What is open."""
        return BridgeStatus(
            "memory", "memory", 0, tuple(p.opening.session_id for p in self.peers if not p.over)
        )

    async def hold(self, holder: str, seconds: float, timeout_s: float) -> None:
        """Note for how long a holder's sessions may live."""
        self.holds[holder] = seconds

    async def close(self) -> None:
        """Break all streams."""
        for peer in self.peers:
            peer.break_off()

    async def next_peer(self, timeout_s: float = 5.0) -> "MemoryPeer":
        """The other end of the next stream that is opened; raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            return await self._opened.get()


class MemoryPeer:
    """The bridge's end of one stream, and the wire of the gateway's end.

    It acknowledges messages by itself while `acknowledges` is set, tells of its `groups` when all are asked for while
    that is a list, and ends in good order when the gateway does.
    """

    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        self.acknowledges = True
        self.groups: list[group_pb2.Group] | None = []
        self.over = False
        self.sent: list[pb.SendMessage] = []
        self._commands: asyncio.Queue[pb.SessionCommand | None] = asyncio.Queue()
        self._events: asyncio.Queue[pb.SessionEvent | None] = asyncio.Queue()

    # What a test calls.

    def emit(self, **event: object) -> None:
        """Emit one event, for instance `emit(qr=pb.QrCode(data="..."))`."""
        self._events.put_nowait(pb.SessionEvent(**event))  # type: ignore[arg-type]  # one field of the oneof

    def show_qr(self, data: str, expires_at_ms: int) -> None:
        """Show a QR."""
        self.emit(qr=pb.QrCode(data=data, expires_at_ms=expires_at_ms))

    def link(self, pn_jid: str, lid_jid: str = "") -> None:
        """Report that a phone linked the number, then the restart that WhatsApp asks for."""
        self.emit(paired=pb.Paired(me=pb.ContactId(pn_jid=pn_jid, lid_jid=lid_jid), platform="android"))
        self.hang_up(515, "restart_required")

    def connect(self, pn_jid: str, lid_jid: str = "", push_name: str = "") -> None:
        """Report that the connection is usable."""
        me = pb.ContactId(pn_jid=pn_jid, lid_jid=lid_jid)
        self.emit(connected=pb.Connected(me=me, push_name=push_name))

    def hang_up(self, code: int, reason: str, *, intentional: bool = False, expires_in_s: int = 0) -> None:
        """Report that the connection closed, and end the stream."""
        closed = pb.Closed(code=code, reason=reason, intentional=intentional, expires_in_s=expires_in_s)
        self.emit(closed=closed)
        self.break_off()

    def break_off(self) -> None:
        """End the stream without a word."""
        self.over = True
        self._events.put_nowait(None)

    async def next_command(self, timeout_s: float = 5.0) -> pb.SessionCommand | None:
        """The next command but the opening and acknowledged messages; None where the gateway ended the stream."""
        async with asyncio.timeout(timeout_s):
            return await self._commands.get()

    # What the stream calls.

    async def write(self, command: pb.SessionCommand) -> None:
        """Take a command."""
        if command.HasField("open"):
            return
        if command.HasField("send_message"):
            self.sent.append(command.send_message)
            if self.acknowledges:
                self.acknowledge(command.send_message)
                return
        if command.manage_group.HasField("read_all") and self.groups is not None:
            self.tell_groups(command.manage_group.request_id, self.groups)
            return
        self._commands.put_nowait(command)

    def tell_groups(self, request_id: int, groups: list[group_pb2.Group]) -> None:
        """Tell of all groups that the number is in."""
        for group in groups:
            self.change_group(group.jid, read=group)
        jids = [group.jid for group in groups]
        self.emit(group_managed=group_pb2.GroupManaged(request_id=request_id, group_jids=jids))

    def change_group(self, group_jid: str, request_id: int = 0, **change: object) -> None:
        """Tell that a group is another, for instance `change_group(jid, 7, deleted=pb.GroupDeleted())`."""
        changed = group_pb2.GroupChanged(
            request_id=request_id,
            company_id=self.opening.company_id,
            session_id=self.opening.session_id,
            group_jid=group_jid,
            notification_id=f"N{request_id}" if request_id else "",
            at_ms=_SOME_TIME_MS,
            **change,  # type: ignore[arg-type]  # one field of the oneof, and perhaps the author
        )
        self.emit(group_changed=changed)

    def acknowledge(self, message: pb.SendMessage) -> None:
        """Answer a message with the server's ack."""
        self.emit(
            send_result=pb.SendResult(
                request_id=message.request_id,
                wa_message_id=message.wa_message_id,
                outcome=pb.SEND_OUTCOME_ACKNOWLEDGED,
                acknowledged_at_ms=_SOME_TIME_MS,
                message_proto=message.text.body.encode(),
            )
        )

    async def events(self) -> AsyncIterator[pb.SessionEvent]:
        """All events until the end."""
        while (event := await self._events.get()) is not None:
            yield event

    async def done_writing(self) -> None:
        """The gateway ended the stream: so does WhatsApp's connection."""
        self._commands.put_nowait(None)
        self.hang_up(0, "ended", intentional=True)

    def cancel(self) -> None:
        """The gateway dropped the stream."""
        self.over = True
        self._events.put_nowait(None)
