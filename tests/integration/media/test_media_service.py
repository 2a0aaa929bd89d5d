"""Files of companies: kept once, apart from others', as long as they are used."""

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.media import MediaFacts, MediaSource
from orchestrator.services.context import Context
from orchestrator.services.maintenance import MaintenanceService
from orchestrator.services.media import MediaService
from tests.support import files
from tests.support.clock import ManualClock
from tests.support.factories import Factories
from tests.support.media import in_one_piece, make_media

PICTURE = files.png(40, 30)


@pytest.fixture
async def media(context: Context, tmp_path: Path) -> AsyncIterator[MediaService]:
    service = make_media(context, tmp_path, retention_days=10)
    yield service
    await service.close()


@pytest.fixture
async def scope(make: Factories) -> CompanyScope:
    return await make.company()


def kept(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in tmp_path.glob("media/*/*/*"))


async def read(media: MediaService, scope: CompanyScope, media_id: str) -> bytes:
    return b"".join([chunk async for chunk in media.open(await media.get(scope, media_id))])


async def test_a_file_is_known_by_its_contents(
    media: MediaService, scope: CompanyScope, tmp_path: Path
) -> None:
    made = await media.add(scope, in_one_piece(PICTURE), "text/plain", "a.png")

    assert (made.mime_type, made.size, made.facts) == ("image/png", len(PICTURE), MediaFacts(40, 30))
    assert made.sha256 == hashlib.sha256(PICTURE).hexdigest()
    assert await media.get(scope, made.id) == made
    assert await read(media, scope, made.id) == PICTURE
    assert kept(tmp_path) == [made.sha256]
    assert list(media.spool.folder.iterdir()) == []


async def test_the_length_of_a_sound_is_known(
    media: MediaService, scope: CompanyScope, tmp_path: Path
) -> None:
    sound = files.tone(tmp_path / "a.mp3", 3.0).read_bytes()
    assert (await media.add(scope, in_one_piece(sound))).facts.seconds == 3


async def test_another_company_sees_nothing_of_it(
    media: MediaService, scope: CompanyScope, make: Factories
) -> None:
    made = await media.add(scope, in_one_piece(PICTURE))
    other = await make.company()

    for attempt in (media.get(other, made.id), media.delete(other, made.id), media.use(other, made.id)):
        with pytest.raises(PonteError) as refused:
            await attempt
        assert refused.value.code.name == "NOT_FOUND"


async def test_the_same_contents_are_kept_once_and_go_with_their_last_file(
    media: MediaService, scope: CompanyScope, tmp_path: Path
) -> None:
    first, second = [await media.add(scope, in_one_piece(PICTURE)) for _ in range(2)]
    assert first.id != second.id
    assert len(kept(tmp_path)) == 1

    await media.delete(scope, first.id)
    assert await read(media, scope, second.id) == PICTURE
    await media.delete(scope, second.id)

    assert kept(tmp_path) == []
    with pytest.raises(PonteError):
        await media.delete(scope, second.id)


async def test_an_idempotency_key_makes_one_file(media: MediaService, scope: CompanyScope) -> None:
    first, again = [await media.add(scope, in_one_piece(PICTURE), idempotency_key="k") for _ in range(2)]
    assert first == again
    with pytest.raises(PonteError) as refused:
        await media.add(scope, in_one_piece(b"something else"), idempotency_key="k")
    assert refused.value.code.name == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize("name", ["a/b", "a\\b", "a\nb", "x" * 256])
async def test_a_name_that_is_a_path_is_refused(media: MediaService, scope: CompanyScope, name: str) -> None:
    with pytest.raises(PonteError) as refused:
        await media.add(scope, in_one_piece(PICTURE), file_name=name)
    assert [violation.field for violation in refused.value.violations] == ["file_name"]


async def test_what_the_bridge_wrote_is_adopted_whatever_it_is(
    media: MediaService, scope: CompanyScope, tmp_path: Path
) -> None:
    path = media.spool.new_path()
    path.write_bytes(b"\x89PNG\r\n\x1a\nnot a real picture")

    made = await media.adopt(scope, path, "image/png", "a\0b" + "x" * 300)

    assert (made.source, made.mime_type, made.facts) == (MediaSource.RECEIVED, "image/png", MediaFacts())
    assert len(made.file_name) == 255
    assert not path.exists()
    assert kept(tmp_path) == [made.sha256]


async def test_an_empty_file_is_not_adopted(media: MediaService, scope: CompanyScope) -> None:
    path = media.spool.new_path()
    path.touch()
    with pytest.raises(PonteError):
        await media.adopt(scope, path)
    assert not path.exists()


async def test_the_bridge_reads_the_stored_file(media: MediaService, scope: CompanyScope) -> None:
    made = await media.add(scope, in_one_piece(PICTURE))
    async with media.local_path(made) as path:
        assert path.read_bytes() == PICTURE


async def test_retention_removes_what_nobody_used(
    media: MediaService, scope: CompanyScope, clock: ManualClock, context: Context, tmp_path: Path
) -> None:
    unused = await media.add(scope, in_one_piece(PICTURE))
    used = await media.add(scope, in_one_piece(b"used"))
    clock.advance(timedelta(days=5).total_seconds())
    await media.use(scope, used.id, clock() + timedelta(days=2))
    maintenance = MaintenanceService(context, purge_media=media.purge_expired)

    clock.advance(timedelta(days=6).total_seconds())
    await maintenance.run_once()

    assert kept(tmp_path) == [used.sha256]
    with pytest.raises(PonteError):
        await media.get(scope, unused.id)
    assert await media.purge_expired() == 0
    clock.advance(timedelta(days=7).total_seconds())
    assert await media.purge_expired() == 1
    assert kept(tmp_path) == []


async def test_without_retention_files_stay(context: Context, scope: CompanyScope, tmp_path: Path) -> None:
    media = make_media(context, tmp_path, retention_days=0)
    made = await media.add(scope, in_one_piece(PICTURE))
    assert made.expires_at is None
    assert await media.use(scope, made.id) == made
    assert await media.purge_expired() == 0


async def test_a_file_whose_bytes_were_removed_meanwhile_is_not_promised(
    media: MediaService, scope: CompanyScope, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def removed(company_id: str, sha256: str) -> bool:
        return False

    monkeypatch.setattr(media._storage, "has", removed)
    with pytest.raises(PonteError) as refused:
        await media.add(scope, in_one_piece(PICTURE))
    assert refused.value.code.name == "MEDIA_STORE_FAILED"
