"""The files of exported chats on this machine: the lines of the chat, and what lies beside it in a zip.

All of it blocks: call it on a thread. Names in a zip are only compared, never used as paths.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError
from orchestrator.domain.exported_chat.lines import plain_name
from orchestrator.media.bombs import check_archive

_ZIP_HEAD: Final = b"PK\x03\x04"
_CHAT: Final = "_chat.txt"
_APP: Final = "whatsapp"
_JUNK: Final = "__MACOSX/"
_IPHONES_FILE: Final = re.compile(r"[0-9]{6,}-")
"""So begin the names of an iPhone's attached files, and never that of the chat."""

_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""How phones pack. Others may ask for any amount of memory before they give a byte."""

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
        return plain_name(file_name) in self._files

    def open(self, file_name: str) -> IO[bytes]:
        """Open a file that lies beside the chat. Raises EXPORT_UNREADABLE."""
        with _told():
            if self._archive is None:
                raise PonteError(errors.EXPORT_UNREADABLE)
            return self._archive.open(self._files[plain_name(file_name)])

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
        try:
            self._chat = _chat_among(entries)
        except PonteError:
            self._archive.close()
            raise
        for entry in entries:
            if entry is not self._chat and entry.compress_type in _METHODS:
                self._files.setdefault(plain_name(_name(entry)), entry)

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


def _chat_among(entries: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    """The chat is the outermost text that is named as apps name it, else the only text.

    Raises EXPORT_WITHOUT_CHAT, also where there are several: a document that somebody sent may be named like a chat.
    """
    texts = [entry for entry in entries if entry.filename.lower().endswith(".txt")]
    named = [entry for entry in texts if _is_named_as_chat(_name(entry))]
    depth = min((entry.filename.count("/") for entry in named), default=0)
    named = [entry for entry in named if entry.filename.count("/") == depth]
    if len(named) > 1:
        raise PonteError(
            errors.EXPORT_WITHOUT_CHAT,
            f"The .zip has {len(named)} texts that may be the chat; take out the others, or give its .txt alone.",
        )
    found = named or texts
    if len(found) != 1:
        raise PonteError(errors.EXPORT_WITHOUT_CHAT)
    if found[0].compress_type not in _METHODS:
        raise PonteError(errors.EXPORT_UNREADABLE)
    return found[0]


def _is_named_as_chat(name: str) -> bool:
    return name == _CHAT or (_APP in name.lower() and not _IPHONES_FILE.match(name))
