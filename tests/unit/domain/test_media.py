"""What may be sent as what, and how large."""

from datetime import UTC, datetime

import pytest

from orchestrator.domain.errors import PonteError
from orchestrator.domain.media import (
    MIB,
    Media,
    MediaKind,
    MediaLimits,
    MediaSource,
    check_sendable,
    too_large,
)


def media(mime_type: str, size: int = 1) -> Media:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Media("id", "company", "0" * 64, mime_type, size, "a", MediaSource.UPLOADED, at)


@pytest.mark.parametrize(
    ("kind", "mime_type"),
    [
        (MediaKind.IMAGE, "image/jpeg"),
        (MediaKind.VIDEO, "video/mp4"),
        (MediaKind.VIDEO, "image/gif"),
        (MediaKind.AUDIO, "audio/mpeg"),
        (MediaKind.VOICE, "audio/ogg; codecs=opus"),
        (MediaKind.VOICE, "video/webm"),
        (MediaKind.STICKER, "image/webp"),
        (MediaKind.STICKER, "image/png"),
        (MediaKind.DOCUMENT, "application/octet-stream"),
    ],
)
def test_a_fitting_file_passes(kind: MediaKind, mime_type: str) -> None:
    check_sendable(media(mime_type), kind, MediaLimits())


@pytest.mark.parametrize(
    ("kind", "mime_type"),
    [
        (MediaKind.IMAGE, "video/mp4"),
        (MediaKind.IMAGE, "text/plain"),
        (MediaKind.VIDEO, "audio/mpeg"),
        (MediaKind.AUDIO, "image/png"),
        (MediaKind.VOICE, "application/pdf"),
        (MediaKind.STICKER, "video/mp4"),
    ],
)
def test_another_kind_of_file_is_refused(kind: MediaKind, mime_type: str) -> None:
    with pytest.raises(PonteError) as refused:
        check_sendable(media(mime_type), kind, MediaLimits(), "image.media_id")

    assert refused.value.code.name == "MEDIA_TYPE_NOT_ALLOWED"
    assert [violation.field for violation in refused.value.violations] == ["image.media_id"]


@pytest.mark.parametrize(
    ("kind", "mime_type", "limit"),
    [
        (MediaKind.IMAGE, "image/png", 16 * MIB),
        (MediaKind.VIDEO, "video/mp4", 64 * MIB),
        (MediaKind.DOCUMENT, "video/mp4", 100 * MIB),
    ],
)
def test_each_kind_has_its_limit(kind: MediaKind, mime_type: str, limit: int) -> None:
    check_sendable(media(mime_type, limit), kind, MediaLimits())
    with pytest.raises(PonteError) as refused:
        check_sendable(media(mime_type, limit + 1), kind, MediaLimits())

    assert refused.value.code.name == "MEDIA_TOO_LARGE"
    assert MediaLimits().largest == 100 * MIB


def test_a_file_that_is_no_field_names_none() -> None:
    assert too_large(5).violations == ()
