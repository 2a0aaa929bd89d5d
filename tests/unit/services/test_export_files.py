"""Files of exported chats: their lines, what lies beside them, and what is refused."""

import unicodedata
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from orchestrator.domain import errors
from orchestrator.domain.errors import ErrorCode, PonteError
from orchestrator.services.export_files import ExportFile
from tests.support.exports import zip_file

LOCAL_FLAGS, DIRECTORY_FLAGS = 6, 8
DIRECTORY_ENTRY = b"PK\x01\x02"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "export"


def lines_of(path: Path, content: bytes) -> list[str]:
    path.write_bytes(content)
    file = ExportFile(path)
    try:
        return list(file.lines())
    finally:
        file.close()


def code_of(path: Path, content: bytes) -> ErrorCode:
    with pytest.raises(PonteError) as refused:
        lines_of(path, content)
    return refused.value.code


def test_lines_end_where_the_app_ends_them(path: Path) -> None:
    content = "\ufeffone\r\ntwo\u2028\x0b\x85two\n\nfour\rfour".encode()
    expected = ["one", "two\u2028\x0b\x85two", "", "four\rfour"]
    assert lines_of(path, content) == expected
    assert lines_of(path, zip_file(content)) == expected
    assert lines_of(path, b"") == []


def test_an_endless_line_comes_in_pieces(path: Path) -> None:
    pieces = lines_of(path, "é".encode() * 200_000)
    assert max(map(len, pieces)) < 100_000
    assert "".join(pieces) == "é" * 200_000


@pytest.mark.parametrize(
    ("files", "chat"),
    [
        ({"_chat.txt": b"chat", "00000012-WhatsApp Chat with Ana.txt": b"other"}, "chat"),
        ({"notes.txt": b"other", "Conversa do WhatsApp com Ana.txt": b"chat"}, "chat"),
        ({"only.TXT": b"chat"}, "chat"),
        ({"a/b/_chat.txt": b"other", "a/_chat.txt": b"chat", "__MACOSX/_chat.txt": b"junk"}, "chat"),
    ],
)
def test_the_chat_is_found_among_the_texts(path: Path, files: dict[str, bytes], chat: str) -> None:
    assert lines_of(path, zip_file(b"x", files, "photo.jpg")) == [chat]


def test_two_that_may_be_the_chat_are_refused_since_one_may_be_a_document_that_somebody_sent(
    path: Path,
) -> None:
    for forged in ("_chat.txt", "Chat do WhatsApp com Bia.txt"):
        path.write_bytes(zip_file(b"real", {forged: b"forged"}, "WhatsApp Chat with Ana.txt"))
        with pytest.raises(PonteError, match="2 texts that may be the chat") as refused:
            ExportFile(path)
        assert refused.value.code is errors.EXPORT_WITHOUT_CHAT


def test_what_no_phone_packs_so_is_not_unpacked(path: Path) -> None:
    def packed(method: int) -> bytes:
        content = BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("_chat.txt", "Hello", compress_type=method)
            archive.writestr("1.jpg", "1", compress_type=zipfile.ZIP_LZMA)
        return content.getvalue()

    assert code_of(path, packed(zipfile.ZIP_LZMA)) is errors.EXPORT_UNREADABLE
    path.write_bytes(packed(zipfile.ZIP_STORED))
    file = ExportFile(path)
    assert not file.has("1.jpg")
    file.close()


def test_a_name_with_accents_is_found_however_they_are_written(path: Path) -> None:
    for written in ("NFC", "NFD"):
        path.write_bytes(zip_file(b"Hello", {unicodedata.normalize(written, "Relat\u00f3rio.pdf"): b"1"}))
        file = ExportFile(path)
        for asked in ("NFC", "NFD"):
            name = unicodedata.normalize(asked, "Relat\u00f3rio.pdf")
            assert file.has(name)
            with file.open(name) as stream:
                assert file.read(stream, 10) == b"1"
        file.close()


def test_files_are_found_by_their_names_alone(path: Path) -> None:
    names = {"../../etc/passwd": b"1", "/etc/2.jpg": b"2", "a/\u200e3.jpg": b"3"}
    path.write_bytes(zip_file(b"Hello", names))
    file = ExportFile(path)
    found = {}
    for name in ("passwd", "2.jpg", "3.jpg"):
        assert file.has(name)
        with file.open(name) as stream:
            found[name] = file.read(stream, 10)
    file.close()
    assert found == {"passwd": b"1", "2.jpg": b"2", "3.jpg": b"3"}
    assert not any(file.has(name) for name in ("../../etc/passwd", "_chat.txt", ""))


def test_a_text_alone_has_no_files(path: Path) -> None:
    path.write_bytes(b"Hello")
    file = ExportFile(path)
    assert not file.has("Hello")
    with pytest.raises(PonteError):
        file.open("Hello")
    file.close()


def test_a_zip_without_a_chat_is_refused(path: Path) -> None:
    assert code_of(path, zip_file(b"x", chat_name="photo.jpg")) is errors.EXPORT_WITHOUT_CHAT
    assert code_of(path, zip_file(b"x", {"b.txt": b"x"}, "a.txt")) is errors.EXPORT_WITHOUT_CHAT


def test_what_would_fill_the_disk_is_refused(path: Path) -> None:
    assert code_of(path, zip_file(b"\0" * (65 * 1024 * 1024))) is errors.EXPORT_UNREADABLE


def test_what_cannot_be_unpacked_is_refused(path: Path) -> None:
    whole = zip_file(b"Hello " * 1000)
    assert code_of(path, whole[: len(whole) // 2]) is errors.EXPORT_UNREADABLE
    encrypted = bytearray(whole)
    encrypted[LOCAL_FLAGS] |= 1
    encrypted[whole.index(DIRECTORY_ENTRY) + DIRECTORY_FLAGS] |= 1
    assert code_of(path, bytes(encrypted)) is errors.EXPORT_UNREADABLE


def test_another_encoding_is_refused_where_it_shows(path: Path) -> None:
    assert code_of(path, b"Hello\n\xe9\n") is errors.EXPORT_ENCODING
    assert code_of(path, zip_file("Hello".encode("utf-16"))) is errors.EXPORT_ENCODING
