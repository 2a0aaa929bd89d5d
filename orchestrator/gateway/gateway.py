"""A gateway: holds as many sessions as it may, on one bridge process."""

import asyncio
from contextlib import AbstractAsyncContextManager

from grpc.aio import AioRpcError
from loguru import logger

from orchestrator.bridge.client import Bridge
from orchestrator.domain.session import Lease
from orchestrator.gateway.downloads import FileDownloads, RingingInbox
from orchestrator.gateway.event_pump import Inbox, Receipts
from orchestrator.gateway.keeper import LeaseKeeper
from orchestrator.gateway.local import LocalGateway
from orchestrator.gateway.pace import Pace
from orchestrator.gateway.runner import SessionRunner
from orchestrator.gateway.settings import GatewaySettings
from orchestrator.services.context import Context
from orchestrator.services.gateway_group import GatewayGroup
from orchestrator.services.group_records import GroupRecords
from orchestrator.services.outgoing_files import OutgoingFiles
from orchestrator.services.received_files import ReceivedFiles
from orchestrator.services.session_runtime import SessionRuntime

_HOLD_ANSWER_S = 1.0

_ASIDE_GRACE_S = 30.0
"""What the handing over before the bridge is started again may take."""


class Gateway:
    """Start it with a bridge that answers; `owner` names this process in leases, and no other that runs."""

    def __init__(
        self,
        context: Context,
        runtime: SessionRuntime,
        inbox: Inbox,
        receipts: Receipts,
        bridge: Bridge,
        settings: GatewaySettings,
        owner: str,
        files: OutgoingFiles | None = None,
        received: ReceivedFiles | None = None,
    ) -> None:
        self._context = context
        self._runtime = runtime
        self._inbox = inbox
        self._receipts = receipts
        self._groups = GroupRecords(context)
        self._bridge = bridge
        self._settings = settings
        self._pace = Pace(settings.starts_per_second)
        self._owner = owner
        self._keeper = LeaseKeeper(
            runtime,
            GatewayGroup(context, owner, settings.max_sessions),
            settings,
            owner,
            self._make_runner,
            self._hold,
            context.bells.session_changed,
        )
        self.local = LocalGateway(self._keeper.runners, settings, files)
        self._downloads = FileDownloads(self._keeper.runners, received) if received else None
        if self._downloads is not None:
            self._inbox = RingingInbox(inbox, self._downloads)
        """Reaches the sessions that are held here."""

    async def start(self, address: str = "") -> None:
        """Begin to claim and hold sessions; `address` is where its server is reached, where the settings do not say."""
        self._keeper.address = address or self._settings.address
        await self._keeper.start()
        if self._downloads is not None:
            self._downloads.start()

    async def stop(self, grace_s: float = 10.0) -> None:
        """End all streams in good order and give the leases back; what takes longer than `grace_s` is dropped."""
        if self._downloads is not None:
            await self._downloads.stop()
        try:
            async with asyncio.timeout(grace_s):
                await self._keeper.stop()
        except TimeoutError:
            logger.warning("Not all sessions ended in {:g} s; the others are dropped.", grace_s)
            await self._keeper.drop()

    def aside(self) -> AbstractAsyncContextManager[None]:
        """Leave the sessions to other gateways, where there are any, while the bridge is started again in the block."""
        return self._keeper.aside(_ASIDE_GRACE_S)

    def ring(self, session_id: str) -> None:
        """A session's desired state changed: look now."""
        self._keeper.ring(session_id)

    @property
    def held(self) -> int:
        """How many sessions are held."""
        return len(self._keeper.runners)

    async def _hold(self, seconds: float) -> None:
        try:
            await self._bridge.hold(self._owner, max(0.0, seconds), _HOLD_ANSWER_S)
        except AioRpcError as error:
            logger.debug("The bridge could not be told to go on: {}", error.code())

    def _make_runner(self, lease: Lease) -> SessionRunner:
        return SessionRunner(
            lease,
            self._runtime,
            self._inbox,
            self._receipts,
            self._groups,
            self._bridge,
            self._settings,
            self._context.clock,
            self._pace,
        )
