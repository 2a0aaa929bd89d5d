"""Makes what WhatsApp takes from what people have: voice notes with a waveform, stickers, thumbnails, mp4 from gif."""

import array
import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError
from orchestrator.domain.media import MediaFacts
from orchestrator.media.ffmpeg import Ffmpeg
from orchestrator.media.spool import Spool

VOICE_TYPE: Final = "audio/ogg; codecs=opus"
WAVEFORM_BARS: Final = 64
"""As WhatsApp draws them, each from 0 to 100 (Baileys' getAudioWaveform)."""

LARGEST_THUMBNAIL: Final = 16 * 1024
_THUMBNAIL_PIXELS: Final = 100
_STICKER_PIXELS: Final = 512
_PROFILE_PIXELS: Final = 640
_WAVEFORM_RATE: Final = 1000
"""Samples a second that the waveform is read from: half an hour is 3.6 MB."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A file in the spool, made for sending; whoever holds it removes it."""

    path: Path
    mime_type: str
    facts: MediaFacts
    waveform: bytes = b""


class Converter:
    """Converts files of the spool or the store into new files of the spool."""

    def __init__(self, spool: Spool, ffmpeg: Ffmpeg | None = None) -> None:
        self._spool = spool
        self._ffmpeg = ffmpeg or Ffmpeg()

    async def facts(self, path: Path) -> MediaFacts:
        """Say what is known of a video or a sound."""
        return await self._ffmpeg.facts(path)

    async def voice_note(self, source: Path) -> Converted:
        """Make mono Ogg/Opus at 48 kHz with its waveform from any common sound. Raises MEDIA_NOT_USABLE."""
        target = self._spool.new_path(".ogg")
        facts = await self._ffmpeg.convert(
            source,
            target,
            *("-vn", "-sn", "-dn", "-map_metadata", "-1", "-ac", "1", "-ar", "48000"),
            *("-c:a", "libopus", "-b:a", "32k", "-application", "voip", "-f", "ogg"),
        )
        try:
            waveform = await self._waveform(target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return Converted(target, VOICE_TYPE, MediaFacts(seconds=max(1, facts.seconds)), waveform)

    async def gif_video(self, source: Path) -> Converted:
        """Make a silent mp4, which WhatsApp plays as a gif, from a gif. Raises MEDIA_NOT_USABLE."""
        target = self._spool.new_path(".mp4")
        even = "scale=trunc(min(iw\\,1280)/2)*2:-2"
        options = ("-an", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "veryfast", "-vf", even)
        facts = await self._ffmpeg.convert(source, target, *options, "-movflags", "+faststart", "-f", "mp4")
        return Converted(target, "video/mp4", facts)

    async def sticker(self, source: Path) -> Converted:
        """Make a still WebP of 512x512 with see-through margins. Raises MEDIA_NOT_USABLE."""
        target = self._spool.new_path(".webp")
        side = _STICKER_PIXELS
        fit = (
            f"format=rgba,scale={side}:{side}:force_original_aspect_ratio=decrease,"
            f"pad={side}:{side}:-1:-1:color=0x00000000"
        )
        await self._ffmpeg.convert(
            source, target, "-frames:v", "1", "-vf", fit, "-c:v", "libwebp", "-f", "webp"
        )
        return Converted(target, "image/webp", MediaFacts(side, side))

    async def square_picture(self, source: Path) -> Converted:
        """Make a JPEG of 640x640 of the middle of a picture, as profiles and groups have. Raises MEDIA_NOT_USABLE."""
        target = self._spool.new_path(".jpg")
        side = _PROFILE_PIXELS
        middle = f"crop=min(iw\\,ih):min(iw\\,ih),scale={side}:{side}"
        options = ("-frames:v", "1", "-an", "-vf", middle, "-q:v", "4", "-c:v", "mjpeg", "-f", "mjpeg")
        await self._ffmpeg.convert(source, target, *options)
        return Converted(target, "image/jpeg", MediaFacts(side, side))

    async def thumbnail(self, source: Path) -> bytes:
        """Give a small JPEG of a picture or of a video's beginning; nothing where none can be made."""
        target = self._spool.new_path(".jpg")
        side = _THUMBNAIL_PIXELS
        fit = f"scale={side}:{side}:force_original_aspect_ratio=decrease"
        try:
            await self._ffmpeg.convert(
                source,
                target,
                "-frames:v",
                "1",
                "-an",
                "-vf",
                fit,
                "-q:v",
                "8",
                "-c:v",
                "mjpeg",
                "-f",
                "mjpeg",
            )
            picture = await asyncio.to_thread(target.read_bytes)
        except PonteError:
            return b""
        finally:
            target.unlink(missing_ok=True)
        return picture if len(picture) <= LARGEST_THUMBNAIL else b""

    async def _waveform(self, sound: Path) -> bytes:
        samples = self._spool.new_path(".pcm")
        rate = str(_WAVEFORM_RATE)
        try:
            await self._ffmpeg.convert(
                sound, samples, "-ac", "1", "-ar", rate, "-c:a", "pcm_s16le", "-f", "s16le"
            )
            return await asyncio.to_thread(_bars, samples)
        finally:
            samples.unlink(missing_ok=True)


def _bars(samples: Path) -> bytes:
    values = array.array("h", samples.read_bytes()[: samples.stat().st_size // 2 * 2])
    if not values:
        raise PonteError(errors.MEDIA_NOT_USABLE)
    means = []
    for bar in range(WAVEFORM_BARS):
        begin = bar * len(values) // WAVEFORM_BARS
        end = max(begin + 1, (bar + 1) * len(values) // WAVEFORM_BARS)
        part = values[begin:end]
        means.append(sum(map(abs, part)) / len(part) if part else 0.0)
    loudest = max(means) or 1.0
    return bytes(int(100 * mean / loudest) for mean in means)
