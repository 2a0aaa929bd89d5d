"""Small files of many kinds, made on the spot."""

import io
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

import imageio_ffmpeg
from PIL import Image


def png(width: int = 40, height: int = 30) -> bytes:
    """A real picture."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(out, "PNG")
    return out.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A picture that says it is as large as that, in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 4096)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def archive(*contents: tuple[str, int]) -> bytes:
    """A zip of entries that hold so many zeros."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
        for name, size in contents:
            with made.open(name, "w", force_zip64=False) as entry:
                left = size
                while left > 0:
                    left -= entry.write(b"\0" * min(left, 1 << 20))
    return out.getvalue()


def made_by_ffmpeg(path: Path, *options: str) -> Path:
    """A sound or film as the options say; `path`'s suffix says in which container."""
    program = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([program, "-y", "-loglevel", "error", *options, str(path)], check=True, timeout=30)
    return path


def tone(path: Path, seconds: float = 1.0, *options: str) -> Path:
    """A sound of 440 Hz."""
    return made_by_ffmpeg(path, "-f", "lavfi", "-i", f"sine=440:d={seconds}", *options)


def film(path: Path, seconds: float = 1.0, size: str = "160x120") -> Path:
    """Moving pictures."""
    return made_by_ffmpeg(path, "-f", "lavfi", "-i", f"testsrc=d={seconds}:s={size}:r=10")
