"""A linked number moves between raw Baileys and Ponte without a new QR, and its chats go on."""

from pathlib import Path

from orchestrator.cli.auth_folder_files import read_auth_folder, write_auth_folder
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.retry import Outcome
from orchestrator.domain.session import SessionState
from orchestrator.services.session_transfer import SessionTransfer
from tests.integration.gateway.conftest import House
from tests.integration.gateway.test_life import CUSTOMER, NUMBER, link, reach, send
from tests.support.raw_baileys import running_raw_baileys
from tests.support.simulator import eventually


async def stop(house: House, scope: CompanyScope, session_id: str) -> None:
    """Stop a session and wait until its gateway has given it back."""
    await house.service.stop(scope, session_id)

    async def is_free() -> bool:
        return await house.runtime.find_lease(scope, session_id) is None

    await eventually(is_free)


async def test_a_folder_that_raw_baileys_linked_goes_on_in_ponte_and_back(
    house: House, tmp_path: Path
) -> None:
    scope, transfer = await house.make.company(), SessionTransfer(house.context)
    for number in (NUMBER, CUSTOMER):
        await house.simulator.create_phone(number)
    async with running_raw_baileys(tmp_path, house.simulator) as raw:
        await raw.link(NUMBER, tmp_path / "came")
        await raw.send(CUSTOMER, "from raw Baileys")
        await house.simulator.send(CUSTOMER, NUMBER, "to raw Baileys")
        assert await raw.received(1) == ["to raw Baileys"]
        await raw.close()

        folder, strangers = read_auth_folder(tmp_path / "came")
        imported = await transfer.import_folder(scope, "Sales", folder)
        assert strangers == []
        session = imported.session
        unchanged = await transfer.export(session.id)
        write_auth_folder(tmp_path / "unchanged", unchanged)
        assert files(tmp_path / "unchanged") == files(tmp_path / "came")

        await house.service.start(scope, session.id)
        session = await reach(house, scope, session.id, SessionState.CONNECTED)
        answers = await send(house, scope, session, "from Ponte")
        assert [answer.report.outcome for answer in answers] == [Outcome.ACKNOWLEDGED]
        await house.simulator.send(CUSTOMER, NUMBER, "to Ponte")

        async def has_arrived() -> bool:
            return house.inbox.texts == ["to Ponte"]

        await eventually(has_arrived)
        await stop(house, scope, session.id)

        write_auth_folder(tmp_path / "went", await transfer.export(session.id))
        assert (await raw.connect(tmp_path / "went"))["id"].startswith(NUMBER.removeprefix("+"))
        await raw.send(CUSTOMER, "raw again")
        await house.simulator.send(CUSTOMER, NUMBER, "to raw again")
        assert await raw.received(2) == ["to raw Baileys", "to raw again"]
        await raw.close()

    received = await house.simulator.messages(CUSTOMER, wait_count=3)
    assert [message["text"] for message in received] == ["from raw Baileys", "from Ponte", "raw again"]
    (device,) = await house.simulator.devices(NUMBER)
    assert device["phone_number"] == NUMBER, "still the one device that was linked at first"


async def test_a_number_linked_in_ponte_connects_in_raw_baileys(house: House, tmp_path: Path) -> None:
    scope = await house.make.company()
    session = await link(house, scope)
    await house.simulator.create_phone(CUSTOMER)
    await send(house, scope, session, "from Ponte")
    await stop(house, scope, session.id)

    write_auth_folder(tmp_path / "went", await SessionTransfer(house.context).export(session.id))

    async with running_raw_baileys(tmp_path, house.simulator) as raw:
        await raw.connect(tmp_path / "went")
        await raw.send(CUSTOMER, "from raw Baileys")
        await house.simulator.send(CUSTOMER, NUMBER, "to raw Baileys")
        assert await raw.received(1) == ["to raw Baileys"]
        await raw.close()
    received = await house.simulator.messages(CUSTOMER, wait_count=2)
    assert [message["text"] for message in received] == ["from Ponte", "from raw Baileys"]


def files(folder: Path) -> dict[str, str]:
    """What a folder holds."""
    return {file.name: file.read_text() for file in folder.iterdir()}
