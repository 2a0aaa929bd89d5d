"""Files that unpack to far more than they are."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.domain.errors import MEDIA_NOT_USABLE, PonteError
from orchestrator.domain.media import MediaFacts
from orchestrator.media.bombs import check_archive, check_picture
from tests.support import files


def refusal(check: Callable[[Path], object], path: Path) -> str:
    with pytest.raises(PonteError) as refused:
        check(path)
    return refused.value.code.name


def test_a_picture_says_how_large_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(files.png(40, 30))
    assert check_picture(path) == MediaFacts(40, 30)


@pytest.mark.parametrize(("width", "height"), [(100_000, 100_000), (50_001, 1_000), (2**31 - 1, 2**31 - 1)])
def test_a_picture_of_too_many_pixels_is_refused(tmp_path: Path, width: int, height: int) -> None:
    path = tmp_path / "a"
    path.write_bytes(files.png_header(width, height))
    assert refusal(check_picture, path) == MEDIA_NOT_USABLE.name


@pytest.mark.parametrize(
    "contents", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"not a picture", b"\xff\xd8\xff\xe0"]
)
def test_a_damaged_picture_is_refused(tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(contents)
    assert refusal(check_picture, path) == MEDIA_NOT_USABLE.name


def test_a_plain_archive_passes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(files.archive(("a.txt", 1000), ("b/c.txt", 10)))
    check_archive(path)


def test_an_archive_that_unpacks_to_a_thousand_times_its_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(files.archive(("zeros", 80 << 20)))
    assert path.stat().st_size < 1 << 20
    assert refusal(check_archive, path) == MEDIA_NOT_USABLE.name


def test_an_archive_whose_entries_share_their_bytes_is_refused(tmp_path: Path) -> None:
    whole = files.archive(("a", 1_000_000))
    end = whole.rfind(b"PK\x05\x06")
    begin = struct.unpack_from("<I", whole, end + 16)[0]
    directory, copies = whole[begin:end], 500
    fields = struct.pack("<HHHHIIH", 0, 0, copies, copies, len(directory) * copies, begin, 0)
    path = tmp_path / "a"
    path.write_bytes(whole[:begin] + directory * copies + b"PK\x05\x06" + fields)
    assert refusal(check_archive, path) == MEDIA_NOT_USABLE.name


def test_an_archive_whose_directory_alone_would_fill_the_memory_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a"
    fields = struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 3_000_000_000, 0, 0)
    path.write_bytes(b"PK\x03\x04" + b"PK\x05\x06" + fields)
    assert refusal(check_archive, path) == MEDIA_NOT_USABLE.name


@pytest.mark.parametrize(("entries", "is_refused"), [(1, False), (500, True)])
def test_a_directory_is_as_large_as_its_zip64_record_says(
    tmp_path: Path, entries: int, is_refused: bool
) -> None:
    """zipfile believes that record wherever there is one, whatever the plain one says."""
    whole = files.archive(*((f"{number:05}" * 1000, 1) for number in range(entries)))
    end = whole.rfind(b"PK\x05\x06")
    begin = struct.unpack_from("<I", whole, end + 16)[0]
    record = struct.pack(
        "<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, end - begin, begin
    )
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    claims_one = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, 47, begin, 0)
    path = tmp_path / "a"
    path.write_bytes(whole[:end] + record + locator + claims_one)
    if is_refused:
        assert refusal(check_archive, path) == MEDIA_NOT_USABLE.name
        return
    check_archive(path)


@pytest.mark.parametrize(
    "contents", [b"PK\x03\x04", b"PK\x03\x04" + b"PK\x05\x06" + b"\0" * 5, b"PK\x03\x04rest"]
)
def test_a_damaged_archive_is_refused(tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(contents)
    assert refusal(check_archive, path) == MEDIA_NOT_USABLE.name
