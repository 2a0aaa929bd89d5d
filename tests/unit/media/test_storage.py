"""The spool and the two kinds of storage."""

import hashlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from orchestrator.domain.errors import PonteError
from orchestrator.media.object_storage import ObjectStorage, s3_storage
from orchestrator.media.spool import Spool
from orchestrator.media.storage import FolderStorage, MediaStorage

pytestmark = pytest.mark.usefixtures("nothing_left")

CONTENTS = os.urandom(3_000_000)


async def chunks(contents: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for at in range(0, len(contents), size):
        yield contents[at : at + size]


async def broken() -> AsyncIterator[bytes]:
    yield b"some"
    raise ConnectionError("lost")


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    spool = Spool(tmp_path / "spool")
    spool.prepare()
    return spool


@pytest.fixture(params=["folder", "object store"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, spool: Spool) -> MediaStorage:
    if request.param == "folder":
        return FolderStorage(tmp_path / "media")
    return ObjectStorage(MemoryStore(), spool)


async def test_what_is_received_is_hashed_on_the_way(spool: Spool) -> None:
    file = await spool.receive(chunks(CONTENTS), len(CONTENTS))

    assert (file.size, file.sha256) == (len(CONTENTS), hashlib.sha256(CONTENTS).hexdigest())
    assert file.path.read_bytes() == CONTENTS
    assert file.head == CONTENTS[: len(file.head)]
    assert file.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("contents", "limit", "code"), [(b"12345", 4, "MEDIA_TOO_LARGE"), (b"", 4, "MEDIA_EMPTY")]
)
async def test_what_is_refused_leaves_no_file(spool: Spool, contents: bytes, limit: int, code: str) -> None:
    with pytest.raises(PonteError) as refused:
        await spool.receive(chunks(contents, 2), limit)

    assert refused.value.code.name == code
    assert list(spool.folder.iterdir()) == []


async def test_a_stream_that_breaks_leaves_no_file(spool: Spool) -> None:
    with pytest.raises(ConnectionError):
        await spool.receive(broken(), 100)

    assert list(spool.folder.iterdir()) == []


async def test_what_the_bridge_wrote_is_hashed_too(spool: Spool) -> None:
    path = spool.new_path()
    path.write_bytes(CONTENTS)

    assert (await spool.take(path, len(CONTENTS))).sha256 == hashlib.sha256(CONTENTS).hexdigest()
    for contents, code in ((CONTENTS, "MEDIA_TOO_LARGE"), (b"", "MEDIA_EMPTY")):
        path.write_bytes(contents)
        with pytest.raises(PonteError) as refused:
            await spool.take(path, len(CONTENTS) - 1)
        assert refused.value.code.name == code


def test_what_a_killed_process_left_is_removed_after_a_day(spool: Spool) -> None:
    old, new = spool.new_path(), spool.new_path()
    for path in (old, new):
        path.write_bytes(b"left")
    os.utime(old, (0, time.time() - 90_000))

    spool.prepare()

    assert list(spool.folder.iterdir()) == [new]


async def test_what_is_kept_is_read_whole_and_in_parts(storage: MediaStorage, spool: Spool) -> None:
    file = await spool.receive(chunks(CONTENTS), len(CONTENTS))
    await storage.keep("company", file)

    assert await storage.has("company", file.sha256)
    assert not file.path.exists()
    whole = [chunk async for chunk in storage.read("company", file.sha256, 0, file.size)]
    assert b"".join(whole) == CONTENTS
    assert max(map(len, whole)) <= 1 << 20
    part = [chunk async for chunk in storage.read("company", file.sha256, 1_500_000, 2_900_001)]
    assert b"".join(part) == CONTENTS[1_500_000:2_900_001]


async def test_the_bridge_gets_a_file_of_this_machine(storage: MediaStorage, spool: Spool) -> None:
    file = await spool.receive(chunks(CONTENTS), len(CONTENTS))
    await storage.keep("company", file)

    async with storage.local_file("company", file.sha256) as path:
        assert path.read_bytes() == CONTENTS

    assert list(spool.folder.iterdir()) == []
    assert await storage.has("company", file.sha256)


async def test_the_same_contents_may_be_kept_again(storage: MediaStorage, spool: Spool) -> None:
    for _ in range(2):
        file = await spool.receive(chunks(b"the same"), 100)
        await storage.keep("company", file)

    assert [chunk async for chunk in storage.read("company", file.sha256, 0, 8)] == [b"the same"]


async def test_companies_are_apart_and_what_is_removed_is_gone(storage: MediaStorage, spool: Spool) -> None:
    file = await spool.receive(chunks(b"mine"), 100)
    await storage.keep("company", file)

    assert not await storage.has("another", file.sha256)
    for _ in range(2):
        await storage.remove("company", file.sha256)
    assert not await storage.has("company", file.sha256)
    with pytest.raises(PonteError) as refused:
        async for _ in storage.read("company", file.sha256, 0, 4):
            pass
    assert refused.value.code.name == "MEDIA_NOT_STORED"
    with pytest.raises(PonteError):
        async with storage.local_file("company", file.sha256):
            pass


def test_an_s3_store_is_opened_by_its_url(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")

    assert isinstance(s3_storage("s3://bucket/prefix", spool), ObjectStorage)
    with pytest.raises(ValueError, match="s3://"):
        s3_storage("s3://", spool)
