"""A session's life on real Baileys against a simulated WhatsApp."""

from pathlib import Path

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.retry import Outcome
from orchestrator.domain.session import Session, SessionState
from orchestrator.services.ports import OutgoingMessage, SendAnswer
from orchestrator.services.session_pairing import PairingMethod
from tests.integration.gateway.conftest import House
from tests.support.bridge import running_bridge
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


async def test_a_stopped_session_keeps_its_link(house: House) -> None:
    scope = await house.make.company()
    session = await link(house, scope)
    await house.simulator.create_phone(CUSTOMER)
    await send(house, scope, session, "before")

    await house.service.stop(scope, session.id)

    async def gone() -> bool:
        [device] = await house.simulator.devices(NUMBER)
        return not device["connected"] and house.gateway.held == 0

    await eventually(gone)
    await house.simulator.send(CUSTOMER, NUMBER, "while it was away")
    await house.service.start(scope, session.id)
    await reach(house, scope, session.id, SessionState.CONNECTED)
    [answer] = await send(house, scope, session, "after")
    assert answer.report.outcome is Outcome.ACKNOWLEDGED

    async def caught_up() -> bool:
        return house.inbox.texts == ["while it was away"]

    await eventually(caught_up)
    assert house.inbox.messages[0][1].offline
    received = await house.simulator.messages(CUSTOMER, wait_count=2)
    assert [message["text"] for message in received] == ["before", "after"]


async def test_logging_out_removes_the_device(house: House) -> None:
    scope = await house.make.company()
    session = await link(house, scope)
    out = await house.service.logout(scope, session.id)
    assert out.state is SessionState.LOGGED_OUT

    async def gone() -> bool:
        return await house.simulator.devices(NUMBER) == []

    await eventually(gone)
    offer = await house.service.pair(scope, session.id, PairingMethod.QR)
    await house.simulator.scan(NUMBER, offer.qr)
    await reach(house, scope, session.id, SessionState.CONNECTED)


async def test_a_device_removed_on_the_phone_is_logged_out(house: House) -> None:
    scope = await house.make.company()
    session = await link(house, scope)
    [device] = await house.simulator.devices(NUMBER)
    await house.simulator.unlink(device["jid"])
    out = await reach(house, scope, session.id, SessionState.LOGGED_OUT)
    assert out.last_close is not None
    assert (out.last_close.code, out.last_close.permanent) == (401, True)


async def test_a_number_is_linked_by_code(house: House) -> None:
    scope = await house.make.company()
    await house.simulator.create_phone(NUMBER)
    session = await house.service.create(scope, "Sales")
    offer = await house.service.pair(scope, session.id, PairingMethod.CODE, NUMBER)
    assert len(offer.code) == 8
    await house.simulator.enter_code(NUMBER, offer.code)
    linked = await reach(house, scope, session.id, SessionState.CONNECTED)
    assert linked.me.phone_number == NUMBER


async def test_a_cut_connection_comes_again_by_itself(house: House) -> None:
    scope = await house.make.company()
    session = await link(house, scope)
    await house.simulator.create_phone(CUSTOMER)
    await house.simulator.fault("cut", number=NUMBER, count=1)

    async def cut() -> bool:
        return (await house.service.get(scope, session.id)).last_close is not None

    await eventually(cut)
    await reach(house, scope, session.id, SessionState.CONNECTED)
    [answer] = await send(house, scope, session, "after the cut")
    assert answer.report.outcome is Outcome.ACKNOWLEDGED


async def test_a_replaced_session_stays_down_until_it_is_started(house: House) -> None:
    scope = await house.make.company()
    session = await link(house, scope)
    await house.simulator.fault("stream_error", number=NUMBER, code=440, count=1)
    replaced = await reach(house, scope, session.id, SessionState.REPLACED)
    assert replaced.last_close is not None
    assert replaced.last_close.advice
    await house.service.start(scope, session.id)
    await reach(house, scope, session.id, SessionState.CONNECTED)


async def test_a_bridge_that_dies_loses_no_link(house: House, tmp_path: Path) -> None:
    scope = await house.make.company()
    session = await link(house, scope)
    await house.bridge.kill()
    await reach(house, scope, session.id, SessionState.RECONNECTING)
    async with running_bridge(tmp_path, house.simulator.bridge_environment):
        await reach(house, scope, session.id, SessionState.CONNECTED)
        await house.gateway.stop()


async def test_an_inbound_message_that_cannot_be_recorded_comes_again(house: House) -> None:
    scope = await house.make.company()
    session = await link(house, scope)
    await house.simulator.create_phone(CUSTOMER)
    house.inbox.error = RuntimeError("the database is away")
    await house.simulator.send(CUSTOMER, NUMBER, "do not lose me")
    await reach(house, scope, session.id, SessionState.RECONNECTING)
    house.inbox.error = None

    async def recorded() -> bool:
        return "do not lose me" in house.inbox.texts

    await eventually(recorded, timeout_s=30)


async def test_numbers_are_checked_and_messages_shown_as_read(house: House) -> None:
    scope = await house.make.company()
    session = await link(house, scope)
    await house.simulator.create_phone(CUSTOMER)
    checks = await house.gateway.local.check_numbers(scope, session.id, [CUSTOMER, "+5511000000000"])
    assert [(check.phone_number, check.on_whatsapp) for check in checks] == [
        (CUSTOMER, True),
        ("+5511000000000", False),
    ]
    assert checks[0].contact.pn_jid == CUSTOMER_JID
    wa_id = await house.simulator.send(CUSTOMER, NUMBER, "read me")

    async def arrived() -> bool:
        return house.inbox.texts == ["read me"]

    await eventually(arrived)
    await house.gateway.local.mark_read(scope, session.id, CUSTOMER_JID, "", [wa_id])

    async def read() -> bool:
        query = {"include_sent": "true"}
        messages = await house.simulator.call("GET", f"/phones/{CUSTOMER}/messages", **query)
        return any(message["id"] == wa_id and message["status"] == "read" for message in messages)

    await eventually(read)
