"""What stands around a gateway in its tests: bells that ring it, an inbox and receipts that only keep."""

from dataclasses import dataclass, field

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.inbound import InboundMessage, Receipt
from orchestrator.gateway.gateway import Gateway
from tests.support.bells import RecordingBells


class GatewayBells(RecordingBells):
    """Also rings the gateways of the test."""

    def __init__(self) -> None:
        super().__init__()
        self.gateways: list[Gateway] = []

    async def session_changed(self, scope: CompanyScope, session_id: str) -> None:
        await super().session_changed(scope, session_id)
        for gateway in self.gateways:
            gateway.ring(session_id)


@dataclass
class RecordingInbox:
    """Keeps what came in; `error` is raised instead while it is set."""

    messages: list[tuple[str, InboundMessage]] = field(default_factory=list)
    error: Exception | PonteError | None = None
    refused: int = 0

    async def record(self, scope: CompanyScope, session_id: str, fence: int, message: InboundMessage) -> None:
        if self.error is not None:
            self.refused += 1
            raise self.error
        self.messages.append((session_id, message))

    @property
    def texts(self) -> list[str]:
        """What came in, in order."""
        return [message.text for _, message in self.messages]


@dataclass
class RecordingReceipts:
    """Keeps receipts; `error` is raised instead while it is set."""

    receipts: list[Receipt] = field(default_factory=list)
    error: Exception | None = None
    refused: int = 0

    async def record(self, scope: CompanyScope, session_id: str, receipt: Receipt) -> None:
        if self.error is not None:
            self.refused += 1
            raise self.error
        self.receipts.append(receipt)
