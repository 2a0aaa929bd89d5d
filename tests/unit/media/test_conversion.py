"""Voice notes, gifs, stickers and thumbnails, made by the real ffmpeg."""

import io
from pathlib import Path

import pytest
from PIL import Image

from orchestrator.domain.errors import PonteError
from orchestrator.domain.media import MIB
from orchestrator.media.conversion import VOICE_TYPE, WAVEFORM_BARS, Converter
from orchestrator.media.ffmpeg import Ffmpeg, FfmpegLimits
from orchestrator.media.sniffing import HEAD_BYTES, sniff
from orchestrator.media.spool import Spool
from tests.support import files

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    spool = Spool(tmp_path / "spool")
    spool.prepare()
    return spool


@pytest.fixture
def converter(spool: Spool) -> Converter:
    return Converter(spool)


@pytest.mark.parametrize("name", ["a.mp3", "a.wav", "a.m4a", "a.ogg", "a.webm", "a.flac"])
async def test_any_common_sound_becomes_a_voice_note(converter: Converter, tmp_path: Path, name: str) -> None:
    source = files.tone(tmp_path / name, 2.0, "-ac", "2", "-ar", "44100" if name != "a.webm" else "48000")

    voice = await converter.voice_note(source)

    head = voice.path.read_bytes()[:HEAD_BYTES]
    assert (voice.mime_type, sniff(head), voice.facts.seconds) == (VOICE_TYPE, VOICE_TYPE, 2)
    assert head[head.index(b"OpusHead") + 9] == 1  # channels, RFC 7845, section 5.1
    assert len(voice.waveform) == WAVEFORM_BARS
    assert max(voice.waveform) == 100


async def test_the_waveform_shows_where_it_is_loud(converter: Converter, tmp_path: Path) -> None:
    quiet_end = "volume='if(lt(t,1),1,0.05)':eval=frame"
    voice = await converter.voice_note(files.tone(tmp_path / "a.wav", 2.0, "-af", quiet_end))

    assert min(voice.waveform[2:30]) > 60
    assert max(voice.waveform[34:62]) < 20


async def test_a_gif_becomes_a_silent_film(converter: Converter, tmp_path: Path) -> None:
    made = await converter.gif_video(files.film(tmp_path / "a.gif", size="161x121"))

    assert sniff(made.path.read_bytes()[:HEAD_BYTES]) == made.mime_type == "video/mp4"


async def test_a_picture_becomes_a_square_sticker(converter: Converter, tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    source.write_bytes(files.png(800, 300))

    made = await converter.sticker(source)

    with Image.open(made.path) as sticker:
        assert (sticker.format, sticker.size) == ("WEBP", (512, 512))


@pytest.mark.parametrize("name", ["a.mp4", "a.png", "a.gif"])
async def test_pictures_and_films_have_a_small_thumbnail(
    converter: Converter, spool: Spool, tmp_path: Path, name: str
) -> None:
    thumbnail = await converter.thumbnail(
        files.film(tmp_path / name, 0.1 if name == "a.png" else 1.0, "640x360")
    )

    with Image.open(io.BytesIO(thumbnail)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (100, 56))
    assert list(spool.folder.iterdir()) == []


async def test_what_has_no_picture_has_no_thumbnail(converter: Converter, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-1.7 nothing to see")
    assert await converter.thumbnail(path) == b""


@pytest.mark.parametrize(
    "contents",
    [
        b"not a sound",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/hostname\n",
    ],
)
async def test_what_is_no_sound_or_names_other_files_is_refused(
    converter: Converter, spool: Spool, tmp_path: Path, contents: bytes
) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(contents)

    with pytest.raises(PonteError) as refused:
        await converter.voice_note(path)

    assert refused.value.code.name == "MEDIA_NOT_USABLE"
    assert list(spool.folder.iterdir()) == []


@pytest.mark.parametrize(
    "limits",
    [FfmpegLimits(seconds=0.05), FfmpegLimits(memory_bytes=20 * MIB), FfmpegLimits(output_bytes=2000)],
    ids=["time", "memory", "output"],
)
async def test_a_conversion_beyond_its_bounds_is_ended(
    spool: Spool, tmp_path: Path, limits: FfmpegLimits
) -> None:
    source = files.tone(tmp_path / "a.wav", 5.0)

    with pytest.raises(PonteError) as refused:
        await Converter(spool, Ffmpeg(limits)).voice_note(source)

    assert refused.value.code.name == "MEDIA_NOT_USABLE"
    assert list(spool.folder.iterdir()) == []
