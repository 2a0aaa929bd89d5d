"""Files that messages carry: what is known of one, and how large each kind may be."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from orchestrator.domain import errors
from orchestrator.domain.errors import FieldViolation, PonteError

MIB: Final = 1024 * 1024


class MediaKind(StrEnum):
    """What a file is sent as."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    VOICE = "voice"
    DOCUMENT = "document"
    STICKER = "sticker"


class MediaSource(StrEnum):
    """How a file came to Ponte."""

    UPLOADED = "UPLOADED"
    FETCHED = "FETCHED"
    """From a URL."""
    RECEIVED = "RECEIVED"
    """In a message."""


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What the bytes themselves say: 0 for what does not apply or is not known. Sizes in pixels."""

    width: int = 0
    height: int = 0
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Media:
    """A stored file of a company. Files with the same `sha256` (lower-case hex) are kept once per company.

    `expires_at` is when retention removes it; None keeps it for ever. `size` is in bytes.
    """

    id: str
    company_id: str
    sha256: str
    mime_type: str
    size: int
    file_name: str
    source: MediaSource
    created_at: datetime
    expires_at: datetime | None = None
    facts: MediaFacts = MediaFacts()


@dataclass(frozen=True, slots=True)
class FileAtHand:
    """A file of a message that leaves, on this machine, and a small JPEG of it, empty where there is none."""

    path: Path
    thumbnail: bytes = b""


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """Largest sizes in bytes; the defaults are what WhatsApp takes."""

    document: int = 100 * MIB
    video: int = 64 * MIB
    other: int = 16 * MIB

    @property
    def largest(self) -> int:
        """No file is larger, whatever it is sent as."""
        return max(self.document, self.video, self.other)

    def of(self, kind: MediaKind) -> int:
        """Give the largest size of what is sent as `kind`."""
        match kind:
            case MediaKind.DOCUMENT:
                return self.document
            case MediaKind.VIDEO:
                return self.video
            case _:
                return self.other


IMAGE_TYPES: Final = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
VIDEO_TYPES: Final = frozenset(
    {"video/mp4", "video/3gpp", "video/quicktime", "video/webm", "video/x-matroska"}
)
STICKER_TYPES: Final = frozenset({"image/webp"})


def check_sendable(media: Media, kind: MediaKind, limits: MediaLimits, field: str = "media_id") -> None:
    """Let a file pass that may be sent as `kind`. Raises MEDIA_TYPE_NOT_ALLOWED or MEDIA_TOO_LARGE naming `field`."""
    if not _fits(media.mime_type, kind):
        described = f"A file of type {media.mime_type} cannot be sent as {kind.value}; send it as a document."
        raise PonteError(
            errors.MEDIA_TYPE_NOT_ALLOWED, described, violations=(FieldViolation(field, described),)
        )
    largest = limits.of(kind)
    if media.size > largest:
        raise too_large(largest, field, kind)


def too_large(limit: int, field: str = "", kind: MediaKind | None = None) -> PonteError:
    """The error about a file over `limit` bytes."""
    what = f"A file sent as {kind.value}" if kind else "A file"
    described = f"{what} may have at most {limit} bytes."
    return PonteError(
        errors.MEDIA_TOO_LARGE, described, violations=(FieldViolation(field, described),) if field else ()
    )


def _fits(mime_type: str, kind: MediaKind) -> bool:
    bare = mime_type.partition(";")[0]
    match kind:
        case MediaKind.IMAGE:
            return bare in IMAGE_TYPES
        case MediaKind.VIDEO:
            return bare in VIDEO_TYPES or bare == "image/gif"
        case MediaKind.AUDIO | MediaKind.VOICE:
            # A recording of a browser or a phone is often a video container without pictures.
            return bare.startswith("audio/") or bare in VIDEO_TYPES
        case MediaKind.STICKER:
            return bare in STICKER_TYPES or bare in IMAGE_TYPES
    # A document may be anything.
    return True
