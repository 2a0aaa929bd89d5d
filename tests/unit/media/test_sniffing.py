"""What kind of file some bytes are."""

from pathlib import Path

import pytest

from orchestrator.media.sniffing import HEAD_BYTES, PLAIN_TEXT, UNKNOWN, sniff
from tests.support import files


@pytest.mark.parametrize(
    ("head", "declared", "found"),
    [
        (b"%PDF-1.7\n", "", "application/pdf"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "text/html", "image/jpeg"),
        (files.png(), "application/pdf", "image/png"),
        (files.archive(("a.txt", 3)), "", "application/zip"),
        (files.archive(("a.txt", 3)), "application/epub+zip", "application/epub+zip"),
        (files.archive(("a.txt", 3)), "image/png", "application/zip"),
        (b"OggS" + b"\0" * 24 + b"OpusHead", "", "audio/ogg; codecs=opus"),
        (b"OggS" + b"\0" * 24 + b"\x01vorbis", "", "audio/ogg"),
        (b"OggS" + b"\0" * 24 + b"\x80theora", "", "video/ogg"),
        (b"a,b\n1,2\n", "text/csv; charset=utf-8", "text/csv"),
        (b"<script>alert(1)</script>", "text/html", PLAIN_TEXT),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml", PLAIN_TEXT),
        (b"plain", "", PLAIN_TEXT),
        ("ç".encode() * HEAD_BYTES, "", PLAIN_TEXT),
        (b"\x00\x01\x02\x03", "image/png", UNKNOWN),
        (b"caf\xe9", "", UNKNOWN),
        (b"", "", UNKNOWN),
        (b"plain", "no type at all", PLAIN_TEXT),
    ],
)
def test_the_bytes_say_what_a_file_is(head: bytes, declared: str, found: str) -> None:
    assert sniff(head[:HEAD_BYTES], declared) == found


def test_a_text_that_is_cut_in_the_middle_of_a_character_is_still_text() -> None:
    head = b"x" + "é".encode() * HEAD_BYTES
    assert sniff(head[:HEAD_BYTES]) == PLAIN_TEXT


@pytest.mark.parametrize(
    ("name", "found"), [("a.mp3", "audio/mpeg"), ("a.wav", "audio/wav"), ("a.flac", "audio/flac")]
)
def test_sounds_are_told_apart(tmp_path: Path, name: str, found: str) -> None:
    assert sniff(files.tone(tmp_path / name).read_bytes()[:HEAD_BYTES]) == found


def test_a_film_and_a_sound_in_one_container_are_told_apart_by_their_sender(tmp_path: Path) -> None:
    head = files.film(tmp_path / "a.mp4").read_bytes()[:HEAD_BYTES]
    assert (sniff(head), sniff(head, "audio/mp4")) == ("video/mp4", "audio/mp4")
