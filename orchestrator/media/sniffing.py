"""What kind of file some bytes are. What their sender says of them counts only where the bytes say nothing."""

import re
from typing import Final

import filetype

HEAD_BYTES: Final = 8192
"""As many as the library looks at: office files show themselves by the names of their first entries."""

UNKNOWN: Final = "application/octet-stream"
PLAIN_TEXT: Final = "text/plain"

_TEXT_TYPES: Final = frozenset(
    {"text/csv", "text/markdown", "text/calendar", "text/vcard", "text/x-vcard", "application/json"}
)
"""Texts that no program runs: these may keep the name that their sender gives them."""

_IN_ZIP: Final = frozenset(
    {"application/epub+zip", "application/vnd.android.package-archive"}
    | {f"application/vnd.oasis.opendocument.{name}" for name in ("text", "spreadsheet", "presentation")}
    | {
        f"application/vnd.openxmlformats-officedocument.{name}"
        for name in ("wordprocessingml.document", "spreadsheetml.sheet", "presentationml.presentation")
    }
)
_MIME_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_SPELLINGS: Final = {"audio/x-wav": "audio/wav", "audio/x-flac": "audio/flac", "audio/m4a": "audio/mp4"}


def sniff(head: bytes, declared: str = "") -> str:
    """Give the MIME type of a file that begins with `head` (its first HEAD_BYTES).

    `declared` is what its sender says; it only chooses among names of the same thing.
    """
    declared = _normalised(declared)
    guess: str | None = filetype.guess_mime(head)
    if guess == "application/zip":
        return declared if declared in _IN_ZIP else guess
    if guess == "audio/ogg" or head.startswith(b"OggS"):
        return _ogg(head)
    if guess == "video/mp4" and declared == "audio/mp4":
        return declared
    if guess:
        return _SPELLINGS.get(guess, guess)
    if _is_text(head):
        return declared if declared in _TEXT_TYPES else PLAIN_TEXT
    return UNKNOWN


def _normalised(declared: str) -> str:
    bare = declared.partition(";")[0].strip().lower()
    return bare if _MIME_TYPE.fullmatch(bare) else ""


def _ogg(head: bytes) -> str:
    if b"OpusHead" in head[:128]:
        return "audio/ogg; codecs=opus"
    return "video/ogg" if b"theora" in head[:128] else "audio/ogg"


def _is_text(head: bytes) -> bool:
    if not head or any(byte < 32 and byte not in b"\t\n\f\r\x1b" for byte in head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # The last character may be cut in two.
        return error.start >= len(head) - 3 and len(head) >= HEAD_BYTES
    return True
