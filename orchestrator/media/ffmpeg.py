"""Runs ffmpeg (of the imageio-ffmpeg wheel) on one file, bounded in time, memory, output and threads."""

import asyncio
import os
import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import imageio_ffmpeg

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError
from orchestrator.domain.media import MIB, MediaFacts

_CONFINED: Final = Path(__file__).with_name("confined.py")
_FORMATS: Final = (
    "aac,ac3,aiff,amr,asf,avi,caf,flac,gif,image2,jpeg_pipe,matroska,mov,mp3,ogg,png_pipe,wav,webp_pipe"
)
"""Demuxers that read nothing but their own file: no playlists, which name others."""

_MOST_LOG_BYTES: Final = 64 * 1024
_SIZE = re.compile(rb"Stream #[^\n]*: Video:[^\n]*?[ ,](\d{1,5})x(\d{1,5})[ ,\[\n]")
_DURATION = re.compile(rb"Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class FfmpegLimits:
    """Bounds of one run."""

    seconds: float = 60.0
    cpu_s: int = 60
    memory_bytes: int = 1024 * MIB
    """Of address space, of which ffmpeg touches a small part."""
    output_bytes: int = 100 * MIB
    at_once: int = 2
    """Runs of this process; more wait."""


class Ffmpeg:
    """Runs of one process; belongs to one event loop."""

    def __init__(self, limits: FfmpegLimits | None = None) -> None:
        self._limits = limits or FfmpegLimits()
        self._room = asyncio.Semaphore(self._limits.at_once)

    async def convert(self, source: Path, target: Path, *options: str) -> MediaFacts:
        """Make `target` from `source` with output options; gives what ffmpeg says of the source.

        Raises MEDIA_NOT_USABLE where it cannot be read, or not within the bounds; then there is no target.
        """
        try:
            code, said = await self._run(source, "-y", *options, f"file:{target}")
            if code != 0 or not _has_bytes(target):
                raise PonteError(errors.MEDIA_NOT_USABLE)
        except BaseException:
            _remove(target)
            raise
        return _facts(said)

    async def facts(self, source: Path) -> MediaFacts:
        """Give what ffmpeg says of a file; nothing known where it cannot read it."""
        try:
            _, said = await self._run(source)
        except PonteError:
            return MediaFacts()
        return _facts(said)

    async def _run(self, source: Path, *output: str) -> tuple[int, bytes]:
        limits = self._limits
        command = [
            *(sys.executable, "-I", "-S", str(_CONFINED), str(os.getpid())),
            *(str(limits.memory_bytes), str(limits.cpu_s), str(limits.output_bytes), "--", _program()),
            *("-hide_banner", "-nostdin", "-nostats", "-loglevel", "info"),
            *("-threads", "1", "-filter_threads", "1", "-max_alloc", str(256 * MIB)),
            *("-protocol_whitelist", "file", "-format_whitelist", _FORMATS),
            *("-i", f"file:{source}", *output),
        ]
        async with self._room:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                env={"LC_ALL": "C"},
                cwd=source.parent,
            )
            try:
                async with asyncio.timeout(limits.seconds):
                    said = await _read_log(process)
                    return await process.wait(), said
            except TimeoutError:
                raise PonteError(errors.MEDIA_NOT_USABLE, "The file takes too long to convert.") from None
            finally:
                await _end(process)


async def _read_log(process: asyncio.subprocess.Process) -> bytes:
    assert process.stderr is not None  # noqa: S101 - it was asked for as a pipe
    said = b""
    while chunk := await process.stderr.read(8192):
        if len(said) < _MOST_LOG_BYTES:
            said += chunk
    return said


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


def _has_bytes(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


@cache
def _program() -> str:
    program: str = imageio_ffmpeg.get_ffmpeg_exe()
    return program


def _facts(said: bytes) -> MediaFacts:
    source = said.partition(b"Output #0")[0]
    size, duration = _SIZE.search(source), _DURATION.search(source)
    seconds = 0
    if duration:
        hours, minutes, rest = duration.groups()
        seconds = round(int(hours) * 3600 + int(minutes) * 60 + float(rest))
    return MediaFacts(int(size[1]) if size else 0, int(size[2]) if size else 0, seconds)
