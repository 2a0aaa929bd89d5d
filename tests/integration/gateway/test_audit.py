"""`ponte session audit` against a real bridge, with differences made on purpose."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from orchestrator.cli.encryption_key_file import EncryptionKeyFile
from orchestrator.domain.session import SessionState
from orchestrator.store import sessions
from tests.integration.gateway.conftest import House
from tests.integration.gateway.test_life import link, reach
from tests.support.command import Ended, run_command
from tests.support.simulator import eventually


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data folder with a key: the audit opens nothing that is sealed."""
    (tmp_path / "data").mkdir()
    EncryptionKeyFile(tmp_path / "data" / "encryption.key").write([bytes(32)])
    return tmp_path / "data"


@pytest.fixture
def place(database_url: str) -> Mapping[str, str]:
    """Where the command finds the database."""
    return {"PONTE_DATABASE_URL": database_url}


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_a_healthy_ponte_has_no_differences_and_each_one_made_is_named(
    house: House, data_dir: Path, place: Mapping[str, str]
) -> None:
    async def audit(*arguments: str) -> Ended:
        named = ("session", "audit", "--bridge", house.bridge.address, "--settle-seconds", "1", *arguments)
        return await run_command(*named, data_dir=data_dir, extra=place)

    scope = await house.make.company()
    session = await link(house, scope)

    healthy = await audit()
    assert healthy.exit_code == 0, healthy
    assert "1 sessions, 1 leased, 1 streams, 1 sockets open" in healthy.output
    assert "No differences" in healthy.output

    async with house.context.database.transaction(scope) as tx:
        await sessions.change(tx, scope, session.id, {"state": "RECONNECTING"})
    different = await audit()
    assert different.exit_code == 1
    assert session.id in different.output
    assert "its socket is open, but the database says RECONNECTING" in different.output

    async with house.context.database.transaction(scope) as tx:
        await sessions.change(tx, scope, session.id, {"state": "CONNECTED"})
    await house.service.stop(scope, session.id)
    await reach(house, scope, session.id, SessionState.STOPPED)

    async def is_free() -> bool:
        return await house.runtime.find_lease(scope, session.id) is None

    await eventually(is_free)
    stopped = await audit()
    assert stopped.exit_code == 0, stopped

    silent = await audit("--bridge", "unix:/nowhere/bridge.sock")
    assert silent.exit_code == 1
    assert "No bridge answers at unix:/nowhere/bridge.sock" in silent.output
