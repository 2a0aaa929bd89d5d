"""Attacks by a URL: none gets through, each is refused with a clear code, nothing of it stays."""

import asyncio
import gzip
import os
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.media import MediaLimits
from orchestrator.media.spool import Spool
from orchestrator.media.storage import FolderStorage
from orchestrator.media.url_fetcher import FetchSettings, UrlFetcher
from orchestrator.services.context import Context
from orchestrator.services.media import MediaService, MediaSettings
from orchestrator.url_guard import guard as guard_module
from orchestrator.url_guard.addresses import is_allowed
from orchestrator.url_guard.guard import UrlGuard
from orchestrator.url_guard.name_lookup import SystemNames
from tests.integration.media.attacker import (
    HOST,
    Attacker,
    Behaviour,
    answers,
    redirects,
    running_attacker,
    says,
)
from tests.support import files
from tests.support.factories import Factories

pytestmark = [pytest.mark.usefixtures("nothing_left"), pytest.mark.parametrize("database_kind", ["sqlite"])]

LIMIT = 200_000
PICTURE = files.png()
NAMES: dict[str, Sequence[Sequence[str]]] = {
    "files.example": [[HOST]],
    "private.example": [["10.0.0.8"]],
    "loopback.example": [["127.0.0.1"]],
    "metadata.example": [["169.254.169.254"]],
    "mixed.example": [[HOST, "192.168.0.1"]],
    "six.example": [["::1"]],
    "mapped.example": [["::ffff:127.0.0.1"]],
    "unique-local.example": [["fd00::1"]],
    # DNS rebinding: a good address when asked first, another one when connecting.
    "rebinding.example": [[HOST], ["127.0.0.1"]],
    "rebinding-metadata.example": [[HOST], ["169.254.169.254"]],
    "rebinding-six.example": [[HOST], ["::1"]],
    "nowhere.example": [[]],
}


class Names:
    """A name server that may change its mind from one question to the next."""

    def __init__(self) -> None:
        self._asked: dict[str, int] = {}
        self._numeric = SystemNames()

    async def __call__(self, host: str) -> Sequence[str]:
        if host not in NAMES:
            if host[-1].isdigit() or ":" in host:
                return await self._numeric(host)
            raise OSError("no such name")
        answers = NAMES[host]
        turn = self._asked.get(host, 0)
        self._asked[host] = turn + 1
        found = answers[min(turn, len(answers) - 1)]
        if not found:
            raise OSError("no such name")
        return found


@pytest.fixture
async def attacker(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Attacker]:
    """A host whose address the guard takes for public; all else is judged as ever."""
    monkeypatch.setattr(
        guard_module, "is_allowed", lambda address, private: address == HOST or is_allowed(address, private)
    )
    async with running_attacker() as attacker:
        yield attacker


@pytest.fixture
async def media(context: Context, tmp_path: Path) -> AsyncIterator[MediaService]:
    """The real service with small bounds."""
    spool = Spool(tmp_path / "spool")
    spool.prepare()
    fetcher = UrlFetcher(
        UrlGuard(look_up=Names()), FetchSettings(total_s=1.5, connect_s=1.0, silence_s=0.4, most_redirects=3)
    )
    limits = MediaLimits(LIMIT, LIMIT, LIMIT)
    service = MediaService(context, FolderStorage(tmp_path / "media"), spool, fetcher, MediaSettings(limits))
    yield service
    await service.close()


@pytest.fixture
async def scope(make: Factories) -> CompanyScope:
    return await make.company()


async def refusal(media: MediaService, scope: CompanyScope, url: str) -> str:
    """The code that the URL is refused with; it leaves no file behind."""
    with pytest.raises(PonteError) as refused:
        await media.fetch_url(scope, url)
    assert list(media.spool.folder.iterdir()) == []
    assert not list(media.spool.folder.parent.glob("media/*/*/*"))
    return refused.value.code.name


async def test_an_honest_host_is_fetched_from(
    media: MediaService, attacker: Attacker, scope: CompanyScope
) -> None:
    headers = [f"Content-Length: {len(PICTURE)}", "Content-Type: text/html"]
    attacker.behaviours["/a/picture%20one.png"] = answers(headers, PICTURE)
    attacker.behaviours["/moved"] = redirects("/a/picture%20one.png")

    stored = await media.fetch_url(scope, attacker.url("/moved"))

    assert (stored.mime_type, stored.size) == ("image/png", len(PICTURE))
    assert stored.file_name == "picture one.png"
    assert b"".join([chunk async for chunk in media.open(stored)]) == PICTURE


URLS = [
    # what is no web address at all
    ("file:///etc/passwd", "INVALID_URL"),
    ("file://localhost/etc/passwd", "INVALID_URL"),
    ("FILE:/etc/passwd", "INVALID_URL"),
    ("/etc/passwd", "INVALID_URL"),
    ("gopher://files.example/1", "INVALID_URL"),
    ("ftp://files.example/a", "INVALID_URL"),
    ("data:image/png;base64,AAAA", "INVALID_URL"),
    ("jar:http://files.example!/a", "INVALID_URL"),
    ("http:///a", "INVALID_URL"),
    ("http://user:pass@files.example/", "INVALID_URL"),
    ("http://files.example@127.0.0.1/", "INVALID_URL"),
    ("http://127.0.0.1\\@files.example/", "INVALID_URL"),
    ("http://files.example/\r\nHost: 127.0.0.1", "INVALID_URL"),
    ("http://files.example:99999/", "INVALID_URL"),
    # this machine, its network and the cloud's, in every spelling
    ("http://127.0.0.1/", "URL_NOT_ALLOWED"),
    ("http://localhost/", "URL_NOT_ALLOWED"),
    ("http://LocalHost./", "URL_NOT_ALLOWED"),
    ("http://2130706433/", "INVALID_URL"),
    ("http://0x7f000001/", "INVALID_URL"),
    ("http://017700000001/", "INVALID_URL"),
    ("http://0177.0.0.1/", "INVALID_URL"),
    ("http://127.1/", "INVALID_URL"),
    ("http://0/", "INVALID_URL"),
    ("http://0.0.0.0/", "URL_NOT_ALLOWED"),
    ("http://10.0.0.1/", "URL_NOT_ALLOWED"),
    ("http://192.168.1.1/", "URL_NOT_ALLOWED"),
    ("http://100.64.0.1/", "URL_NOT_ALLOWED"),
    ("http://169.254.169.254/latest/meta-data/", "URL_NOT_ALLOWED"),
    ("http://[::1]/", "URL_NOT_ALLOWED"),
    ("http://[::]/", "URL_NOT_ALLOWED"),
    ("http://[::ffff:127.0.0.1]/", "URL_NOT_ALLOWED"),
    ("http://[::ffff:a9fe:a9fe]/", "URL_NOT_ALLOWED"),
    ("http://[64:ff9b::7f00:1]/", "URL_NOT_ALLOWED"),
    ("http://[2002:7f00:1::]/", "URL_NOT_ALLOWED"),
    ("http://[fe80::1]/", "URL_NOT_ALLOWED"),
    ("http://[fd00:ec2::254]/", "URL_NOT_ALLOWED"),
    # names that lead there
    ("http://private.example/", "URL_NOT_ALLOWED"),
    ("http://loopback.example/", "URL_NOT_ALLOWED"),
    ("http://metadata.example/", "URL_NOT_ALLOWED"),
    ("http://mixed.example/", "URL_NOT_ALLOWED"),
    ("http://six.example/", "URL_NOT_ALLOWED"),
    ("http://mapped.example/", "URL_NOT_ALLOWED"),
    ("http://unique-local.example/", "URL_NOT_ALLOWED"),
    ("http://rebinding.example/", "URL_NOT_ALLOWED"),
    ("http://rebinding-metadata.example/", "URL_NOT_ALLOWED"),
    ("http://rebinding-six.example/", "URL_NOT_ALLOWED"),
    ("http://nowhere.example/", "MEDIA_URL_FAILED"),
]


@pytest.mark.usefixtures("attacker")
@pytest.mark.parametrize(("url", "code"), URLS)
async def test_a_bad_url_is_refused(media: MediaService, scope: CompanyScope, url: str, code: str) -> None:
    assert await refusal(media, scope, url) == code


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("http://127.0.0.1/", "URL_NOT_ALLOWED"),
        ("http://169.254.169.254/latest/meta-data/", "URL_NOT_ALLOWED"),
        ("//localhost/a", "URL_NOT_ALLOWED"),
        ("http://[::1]/", "URL_NOT_ALLOWED"),
        ("http://private.example/", "URL_NOT_ALLOWED"),
        ("http://rebinding.example/", "URL_NOT_ALLOWED"),
        ("http://2130706433/", "INVALID_URL"),
        ("file:///etc/passwd", "INVALID_URL"),
        ("gopher://127.0.0.1:6379/_FLUSHALL", "INVALID_URL"),
        ("http://user:pass@files.example/", "INVALID_URL"),
        ("/evil", "MEDIA_URL_FAILED"),
        ("http://[", "MEDIA_URL_FAILED"),
    ],
)
@pytest.mark.parametrize("status", [301, 307])
async def test_a_redirect_is_judged_as_a_url(
    media: MediaService, attacker: Attacker, scope: CompanyScope, target: str, code: str, status: int
) -> None:
    attacker.behaviours["/evil"] = redirects(target, status)
    assert await refusal(media, scope, attacker.url("/evil")) == code
    assert set(attacker.asked) == {"/evil"}
    assert len(attacker.asked) <= 4


async def dribble(writer: asyncio.StreamWriter) -> None:
    """Keep the connection alive with a byte now and then, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.1)


async def dribble_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: 1\r\n")
        await writer.drain()
        await asyncio.sleep(0.1)


async def silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def stall(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nsome")
    await writer.drain()
    await asyncio.sleep(60)


async def flood(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
        await writer.drain()


BOMB = gzip.compress(b"\0" * 10_000_000)
BODIES: dict[str, tuple[Behaviour, str]] = {
    "slow body": (dribble, "MEDIA_URL_TIMED_OUT"),
    "slow headers": (dribble_headers, "MEDIA_URL_TIMED_OUT"),
    "no answer": (silence, "MEDIA_URL_TIMED_OUT"),
    "stalled body": (stall, "MEDIA_URL_TIMED_OUT"),
    "endless body": (flood, "MEDIA_TOO_LARGE"),
    "announced too large": (answers([f"Content-Length: {LIMIT + 1}"], b"x"), "MEDIA_TOO_LARGE"),
    "announced without bound": (answers(["Content-Length: 99999999999999999999"], b"x"), "MEDIA_URL_FAILED"),
    "too large unannounced": (answers(["Connection: close"], b"x" * (LIMIT + 1)), "MEDIA_TOO_LARGE"),
    "shorter than announced": (answers(["Content-Length: 1000"], b"x" * 10), "MEDIA_URL_FAILED"),
    "negative length": (answers(["Content-Length: -1"], b"x"), "MEDIA_URL_FAILED"),
    "two lengths": (answers(["Content-Length: 1", "Content-Length: 2"], b"xx"), "MEDIA_URL_FAILED"),
    "length and chunks": (
        answers(["Content-Length: 5", "Transfer-Encoding: chunked"], b"1\r\nx\r\n0\r\n\r\n"),
        "MEDIA_URL_FAILED",
    ),
    "broken chunks": (answers(["Transfer-Encoding: chunked"], b"zz\r\nxx\r\n"), "MEDIA_URL_FAILED"),
    "unfinished chunks": (answers(["Transfer-Encoding: chunked"], b"5\r\nxxxxx\r\n"), "MEDIA_URL_FAILED"),
    "gzip bomb": (
        answers([f"Content-Length: {len(BOMB)}", "Content-Encoding: gzip"], BOMB),
        "MEDIA_URL_FAILED",
    ),
    "endless header": (says(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000), "MEDIA_URL_FAILED"),
    "no HTTP": (says(b"\x16\x03\x01 SSH-2.0-OpenSSH"), "MEDIA_URL_FAILED"),
    "nothing": (says(b""), "MEDIA_URL_FAILED"),
    "empty file": (answers(["Content-Length: 0"]), "MEDIA_EMPTY"),
    "not found": (answers(["Content-Length: 1"], b"x", "404 Not Found"), "MEDIA_URL_FAILED"),
    "a part": (answers(["Content-Length: 1"], b"x", "206 Partial Content"), "MEDIA_URL_FAILED"),
    "redirect without target": (answers(["Content-Length: 0"], status="302 Found"), "MEDIA_URL_FAILED"),
    "picture bomb": (answers(["Connection: close"], files.png_header(60_000, 60_000)), "MEDIA_NOT_USABLE"),
    "damaged picture": (
        answers(["Connection: close"], b"\x89PNG\r\n\x1a\n" + os.urandom(50)),
        "MEDIA_NOT_USABLE",
    ),
    "zip bomb": (answers(["Connection: close"], files.archive(("zeros", 100 << 20))), "MEDIA_NOT_USABLE"),
    "damaged zip": (answers(["Connection: close"], b"PK\x03\x04" + b"\0" * 100), "MEDIA_NOT_USABLE"),
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_bad_answer_is_refused(
    media: MediaService, attacker: Attacker, scope: CompanyScope, name: str
) -> None:
    attacker.behaviours["/evil"], code = BODIES[name]
    began = time.monotonic()

    assert await refusal(media, scope, attacker.url("/evil")) == code
    assert time.monotonic() - began < 10


async def test_what_a_file_is_called_and_said_to_be_is_not_believed(
    media: MediaService, attacker: Attacker, scope: CompanyScope
) -> None:
    page = b"<html><script>alert(1)</script></html>"
    attacker.behaviours["/evil"] = answers(
        [
            "Content-Type: image/png",
            'Content-Disposition: attachment; filename="../../etc/pass\\"wd"',
            "Connection: close",
        ],
        page,
    )

    stored = await media.fetch_url(scope, attacker.url("/evil"))

    assert stored.mime_type == "text/plain"
    assert "/" not in stored.file_name
