import base64
import socket
from pathlib import Path

import pytest

from orchestrator.cli.wiring.foundation import open_foundation
from orchestrator.cli.wiring.ports import check_free
from orchestrator.config import Address, Settings, load_settings
from orchestrator.startup import StartupError


def settings(folder: Path, **values: object) -> Settings:
    return load_settings(_env_file=None, data_dir=folder, **values)


async def test_it_opens_twice_in_a_row_and_leaves_no_socket(tmp_path: Path) -> None:
    for _ in range(2):
        async with open_foundation(settings(tmp_path / "data")) as foundation:
            assert foundation.database.dialect == "sqlite"
            assert foundation.redis_url.startswith("unix://")
            assert foundation.admin_key.startswith("ponte_admin_")
            runtime = foundation.runtime
        assert list(runtime.iterdir()) == []


async def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    async with open_foundation(settings(tmp_path)):
        with pytest.raises(StartupError, match="is in use by process"):
            async with open_foundation(settings(tmp_path)):
                pass


async def test_another_encryption_key_is_refused_and_gives_everything_back(tmp_path: Path) -> None:
    async with open_foundation(settings(tmp_path)):
        pass
    other = settings(tmp_path, encryption_key=base64.b64encode(b"x" * 32).decode())
    with pytest.raises(StartupError, match="PONTE_ENCRYPTION_KEY"):
        async with open_foundation(other):
            pass
    async with open_foundation(settings(tmp_path)):
        pass


async def test_a_lost_key_file_is_not_silently_replaced(tmp_path: Path) -> None:
    async with open_foundation(settings(tmp_path)):
        pass
    kept = (tmp_path / "encryption.key").rename(tmp_path / "backup")
    with pytest.raises(StartupError, match="PONTE_ENCRYPTION_KEY"):
        async with open_foundation(settings(tmp_path)):
            pass
    assert not (tmp_path / "encryption.key").exists()
    kept.rename(tmp_path / "encryption.key")
    async with open_foundation(settings(tmp_path)):
        pass


async def test_a_rotated_key_opens_what_the_old_one_wrote(tmp_path: Path) -> None:
    old, new = (base64.b64encode(bytes([byte]) * 32).decode() for byte in (1, 2))
    async with open_foundation(settings(tmp_path, encryption_key=old)):
        pass
    async with open_foundation(settings(tmp_path, encryption_key=new, encryption_old_keys=[old])):
        pass


@pytest.mark.parametrize("url", ["redis://:hunter2@127.0.0.1:1/0", "unix:///nowhere/redis.sock", "nonsense"])
async def test_a_redis_that_does_not_answer_is_said_without_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(StartupError, match=r"cannot be used \(.*check PONTE_REDIS_URL") as error:
        async with open_foundation(settings(tmp_path, redis_url=url)):
            pass
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:hunter2@127.0.0.1:1/ponte",
        "sqlite:////nowhere/ponte.db",
        "mysql://host/name",
    ],
)
async def test_a_database_that_cannot_be_opened_is_said_without_its_password(
    tmp_path: Path, url: str
) -> None:
    with pytest.raises(StartupError, match="PONTE_DATABASE_URL") as error:
        async with open_foundation(settings(tmp_path, database_url=url)):
            pass
    assert "hunter2" not in str(error.value)


def test_a_taken_port_is_named_with_its_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StartupError, match=f"Port {port} on 127.0.0.1 is taken: .*set PONTE_HTTP_ADDR"):
            check_free("PONTE_HTTP_ADDR", Address("127.0.0.1", port))
    check_free("PONTE_HTTP_ADDR", Address("127.0.0.1", port))
    check_free("PONTE_HTTP_ADDR", Address("::1", 0))


def test_an_address_of_another_machine_is_said() -> None:
    with pytest.raises(StartupError, match="cannot be listened on"):
        check_free("PONTE_GRPC_ADDR", Address("192.0.2.1", 1234))
    with pytest.raises(StartupError, match="is not known"):
        check_free("PONTE_GRPC_ADDR", Address("no.such.host.invalid", 1))
