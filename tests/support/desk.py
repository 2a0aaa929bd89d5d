"""A company that is ready to send, and the services that send for it."""

from dataclasses import dataclass

import pytest

from orchestrator.domain.company import CompanyScope
from orchestrator.services.context import Context
from orchestrator.services.dispatch import DispatchService
from orchestrator.services.messages import MessageService, SubmitText
from tests.support.factories import CUSTOMER, Factories
from tests.support.gateway import FakeGateway


@dataclass
class Desk:
    """A company with one linked session, and the services that send for it."""

    context: Context
    scope: CompanyScope
    session_id: str
    messages: MessageService
    gateway: FakeGateway

    def adopt(self, context: Context) -> None:
        """Go on with another context, one that has real bells for instance."""
        self.context, self.messages = context, MessageService(context)

    def dispatch(self, owner: str = "worker-1") -> DispatchService:
        """A dispatcher, as each worker process has one."""
        return DispatchService(self.context, self.gateway, owner)

    async def submit(self, body: str, to: str = CUSTOMER, **more: object) -> str:
        """Queue a text; gives its id."""
        command = SubmitText(self.session_id, to, body, **more)  # type: ignore[arg-type]  # as SubmitText has them
        return (await self.messages.submit(self.scope, command)).id

    async def send_all(self) -> None:
        """Run one dispatcher until nothing is due."""
        dispatch = self.dispatch()
        await dispatch.run(self.scope, self.session_id)
        await dispatch.stop()

    async def status(self, message_id: str) -> str:
        """A message's status now."""
        return (await self.messages.get(self.scope, message_id)).status.value


@pytest.fixture
async def desk(context: Context, make: Factories, gateway: FakeGateway) -> Desk:
    """A company that is ready to send."""
    scope = await make.company()
    session = await make.linked_session(scope)
    return Desk(context, scope, session.id, MessageService(context), gateway)
