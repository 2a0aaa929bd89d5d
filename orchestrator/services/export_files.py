"""The files of exported chats on this machine: the lines of the chat, and what lies beside it in a zip.

All of it blocks: call it on a thread. Names in a zip are only compared, never used as paths.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError
from orchestrator.domain.exported_chat.lines import without_marks
from orchestrator.media.bombs import check_archive

_ZIP_HEAD: Final = b"PK\x03\x04"
_CHAT: Final = "_chat.txt"
_APP: Final = "whatsapp"
_JUNK: Final = "__MACOSX/"
_LONGEST_LINE: Final = 70_000
"""Characters; longer ones come in pieces."""

_DAMAGED: Final = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError)
"""RuntimeError is what zipfile raises for an encrypted entry."""


class ExportFile:
    """An exported chat: a text, or a zip with one and with the files of its messages."""

    def __init__(self, path: Path) -> None:
        """Open a file. Raises EXPORT_UNREADABLE, EXPORT_WITHOUT_CHAT."""
        self._path = path
        self._archive: zipfile.ZipFile | None = None
        self._chat: zipfile.ZipInfo | None = None
        self._files: dict[str, zipfile.ZipInfo] = {}
        with path.open("rb") as file:
            is_archive = file.read(len(_ZIP_HEAD)) == _ZIP_HEAD
        if is_archive:
            self._open_archive()

    def close(self) -> None:
        """Let go of the file."""
        if self._archive is not None:
            self._archive.close()

    def lines(self) -> Iterator[str]:
        """Yield the chat's lines without their ends. Raises EXPORT_ENCODING, EXPORT_UNREADABLE, also in the middle."""
        with _told(), self._open_chat() as stream:
            text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="\n")
            try:
                while line := text.readline(_LONGEST_LINE):
                    yield line.rstrip("\r\n")
            finally:
                text.detach()

    def has(self, file_name: str) -> bool:
        """Tell whether a file of this name lies beside the chat."""
        return file_name in self._files

    def open(self, file_name: str) -> IO[bytes]:
        """Open a file that lies beside the chat. Raises EXPORT_UNREADABLE."""
        with _told():
            if self._archive is None:
                raise PonteError(errors.EXPORT_UNREADABLE)
            return self._archive.open(self._files[file_name])

    def read(self, stream: IO[bytes], size: int) -> bytes:
        """Read on in a file that `open` gave; nothing at its end. Raises EXPORT_UNREADABLE."""
        with _told():
            return stream.read(size)

    def _open_archive(self) -> None:
        try:
            check_archive(self._path)
        except PonteError:
            raise PonteError(errors.EXPORT_UNREADABLE) from None
        with _told():
            self._archive = zipfile.ZipFile(self._path)
        entries = [
            entry
            for entry in self._archive.infolist()
            if not entry.is_dir() and not entry.filename.startswith(_JUNK)
        ]
        self._chat = _chat_among(entries)
        if self._chat is None:
            self._archive.close()
            raise PonteError(errors.EXPORT_WITHOUT_CHAT)
        for entry in entries:
            if entry is not self._chat:
                self._files.setdefault(without_marks(_name(entry)), entry)

    def _open_chat(self) -> IO[bytes]:
        if self._archive is None or self._chat is None:
            return self._path.open("rb")
        return self._archive.open(self._chat)


@contextmanager
def _told() -> Iterator[None]:
    """Say in one sentence what is wrong with a file."""
    try:
        yield
    except UnicodeDecodeError:
        raise PonteError(errors.EXPORT_ENCODING) from None
    except _DAMAGED:
        raise PonteError(errors.EXPORT_UNREADABLE) from None


def _name(entry: zipfile.ZipInfo) -> str:
    return PurePosixPath(entry.filename).name


def _chat_among(entries: list[zipfile.ZipInfo]) -> zipfile.ZipInfo | None:
    """The chat is `_chat.txt`, else the text that names the app, else the only text; the outermost of several."""
    texts = [entry for entry in entries if entry.filename.lower().endswith(".txt")]
    named = [entry for entry in texts if _name(entry) == _CHAT]
    named = named or [entry for entry in texts if _APP in _name(entry).lower()]
    named = named or (texts if len(texts) == 1 else [])
    return min(named, key=lambda entry: entry.filename.count("/"), default=None)
