"""A session's life on real Baileys against a simulated WhatsApp."""

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.retry import Outcome
from orchestrator.domain.session import Session, SessionState
from orchestrator.services.ports import OutgoingMessage, SendAnswer
from orchestrator.services.session_pairing import PairingMethod
from tests.integration.gateway.conftest import House
from tests.support.simulator import eventually

NUMBER = "+5511900000001"
CUSTOMER = "+5511987654321"
CUSTOMER_JID = "5511987654321@s.whatsapp.net"


async def reach(house: House, scope: CompanyScope, session_id: str, state: SessionState) -> Session:
    """Wait until a session is in this state."""

    async def look() -> Session | None:
        session = await house.service.get(scope, session_id)
        return session if session.state is state else None

    session: Session = await eventually(look)
    return session


async def link(house: House, scope: CompanyScope, number: str = NUMBER) -> Session:
    """Make a session and link a phone to it by QR."""
    await house.simulator.create_phone(number)
    session = await house.service.create(scope, "Sales")
    offer = await house.service.pair(scope, session.id, PairingMethod.QR)
    await house.simulator.scan(number, offer.qr)
    return await reach(house, scope, session.id, SessionState.CONNECTED)


async def send(house: House, scope: CompanyScope, session: Session, *texts: str) -> list[SendAnswer]:
    """Send texts to the customer."""
    messages = [
        OutgoingMessage(f"message-{text}", f"3EB0{text.encode().hex().upper():>018}", CUSTOMER_JID, text)
        for text in texts
    ]
    return [answer async for answer in house.gateway.local.send_messages(scope, session.id, messages)]


async def test_a_linked_number_sends_and_receives(house: House) -> None:
    scope = await house.make.company()
    session = await link(house, scope)
    assert session.me.phone_number == NUMBER
    await house.simulator.create_phone(CUSTOMER)

    answers = await send(house, scope, session, "one", "two", "three")

    assert [answer.report.outcome for answer in answers] == [Outcome.ACKNOWLEDGED] * 3
    received = await house.simulator.messages(CUSTOMER, wait_count=3)
    assert [message["text"] for message in received] == ["one", "two", "three"]

    await house.simulator.send(CUSTOMER, NUMBER, "an answer")

    async def look() -> bool:
        return house.inbox.texts == ["an answer"] and len(house.receipts.receipts) >= 3

    await eventually(look)
