"""Refuses files that unpack to far more than they are. Only headers and directories are read, never the contents."""

import struct
import warnings
import zipfile
from pathlib import Path
from typing import Final

from PIL import Image, UnidentifiedImageError

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError
from orchestrator.domain.media import MIB, MediaFacts

MOST_PIXELS: Final = 50_000_000
"""A picture of a good camera; decoded it takes 200 MB."""

MOST_UNPACKED_BYTES: Final = 1024 * MIB
MOST_UNPACKED_RATIO: Final = 200
"""How much more than the archive's size its contents may be. Deflate reaches 1032 at best, text about 10."""

_HARMLESS_UNPACKED_BYTES: Final = 64 * MIB
_MOST_DIRECTORY_BYTES: Final = 2 * MIB
_END_OF_DIRECTORY: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_END_OF_DIRECTORY_64: Final = b"PK\x06\x06"
_END_BYTES_64: Final = 56
_LOCATOR_BYTES_64: Final = 20
_LONGEST_COMMENT: Final = 65_535
_PILLOW_FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")


def check_picture(path: Path) -> MediaFacts:
    """Give a picture's size in pixels from its header. Raises MEDIA_NOT_USABLE for a bomb or a damaged header.

    It reads the file: call it on a thread.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=_PILLOW_FORMATS) as picture:
                width, height = picture.size
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError):
        raise PonteError(errors.MEDIA_NOT_USABLE) from None
    if width * height > MOST_PIXELS:
        raise PonteError(
            errors.MEDIA_NOT_USABLE,
            f"A picture may have at most {MOST_PIXELS} pixels; this one says {width}x{height}.",
        )
    return MediaFacts(width, height)


def check_archive(path: Path) -> None:
    """Raise MEDIA_NOT_USABLE for a zip, or an office file, that is damaged or unpacks to too much.

    It reads the file: call it on a thread.
    """
    size = path.stat().st_size
    _check_directory(path, size)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error):
        raise PonteError(errors.MEDIA_NOT_USABLE) from None
    unpacked = sum(entry.file_size for entry in entries)
    # Entries that share their bytes (Fift's bomb): together they claim more than there is.
    packed = sum(entry.compress_size for entry in entries)
    if unpacked > MOST_UNPACKED_BYTES or packed > size:
        raise PonteError(errors.MEDIA_NOT_USABLE)
    if unpacked > _HARMLESS_UNPACKED_BYTES and unpacked > size * MOST_UNPACKED_RATIO:
        raise PonteError(errors.MEDIA_NOT_USABLE)


def _check_directory(path: Path, size: int) -> None:
    """Refuse a directory that would fill the memory before anything of it could be judged (APPNOTE.TXT, 4.3.16)."""
    with path.open("rb") as file:
        file.seek(max(0, size - _END_BYTES - _LONGEST_COMMENT - _END_BYTES_64 - _LOCATOR_BYTES_64))
        tail = file.read()
    at = tail.rfind(_END_OF_DIRECTORY)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise PonteError(errors.MEDIA_NOT_USABLE)
    (directory_bytes,) = struct.unpack_from("<I", tail, at + 12)
    if max(directory_bytes, _directory_bytes_64(tail[:at])) > _MOST_DIRECTORY_BYTES:
        raise PonteError(errors.MEDIA_NOT_USABLE)


def _directory_bytes_64(before_end: bytes) -> int:
    """The size in a zip64 record (APPNOTE.TXT, 4.3.14), which zipfile believes wherever there is one; 0 without one."""
    record = before_end[-_END_BYTES_64 - _LOCATOR_BYTES_64 : -_LOCATOR_BYTES_64]
    if len(record) < _END_BYTES_64 or not record.startswith(_END_OF_DIRECTORY_64):
        return 0
    (directory_bytes,) = struct.unpack_from("<Q", record, 40)
    return int(directory_bytes)
