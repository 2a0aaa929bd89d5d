"""What a page says of itself becomes the preview of a link; whatever goes wrong costs the preview and no message."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from PIL import Image

from orchestrator.domain.content import Content, LinkPreview, Text
from orchestrator.media.conversion import Converter
from orchestrator.media.link_preview import LinkPreviews, PagePreview
from orchestrator.media.spool import Spool
from orchestrator.media.url_fetcher import UrlFetcher
from orchestrator.services.context import Context
from orchestrator.services.messages import MessageService, SubmitText
from orchestrator.services.outgoing_files import OutgoingFiles
from orchestrator.url_guard.guard import UrlGuard
from tests.integration.media.attacker import HOST, Attacker, answers, redirects, running_attacker
from tests.support import files
from tests.support.factories import CUSTOMER, Factories
from tests.support.media import make_media

pytestmark = pytest.mark.usefixtures("nothing_left")
on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"])

HTML = ["Content-Type: text/html; charset=utf-8"]
PAGE = """<!doctype html><html><head><title> Ponte &amp;
 friends </title><meta name="description" content="The gateway">%s</head><body><title>no</title></body></html>"""


@pytest.fixture
async def host() -> AsyncIterator[Attacker]:
    async with running_attacker() as attacker:
        yield attacker


@pytest.fixture
async def previews(tmp_path: Path) -> AsyncIterator[LinkPreviews]:
    spool = Spool(tmp_path / "spool")
    spool.prepare()
    fetcher = UrlFetcher(UrlGuard(allow_private_networks=True))
    yield LinkPreviews(fetcher, spool, Converter(spool))
    await fetcher.close()
    assert list(spool.folder.iterdir()) == []


Send = Callable[[str, LinkPreview], Awaitable[Text]]


async def read(previews: LinkPreviews, host: Attacker, path: str = "/page") -> PagePreview | None:
    return await previews.read(host.url(path, HOST))


async def test_the_title_and_the_description_of_a_page_are_read(
    previews: LinkPreviews, host: Attacker
) -> None:
    host.behaviours["/page"] = answers(HTML, (PAGE % "").encode())
    assert await read(previews, host) == PagePreview("Ponte & friends", "The gateway")


async def test_what_a_page_says_for_previews_comes_first(previews: LinkPreviews, host: Attacker) -> None:
    said = '<meta property="og:title" content="Shown"><meta property="og:description" content="also">'
    host.behaviours["/page"] = answers(HTML, (PAGE % said).encode())
    assert await read(previews, host) == PagePreview("Shown", "also")


async def test_its_picture_is_found_from_where_the_page_was_and_made_small(
    previews: LinkPreviews, host: Attacker, tmp_path: Path
) -> None:
    said = '<meta property="og:image" content="picture.png">'
    host.behaviours["/page"] = redirects("/deep/page")
    host.behaviours["/deep/page"] = answers(HTML, (PAGE % said).encode())
    host.behaviours["/deep/picture.png"] = answers(["Content-Type: image/png"], files.png(400, 300))
    preview = await read(previews, host)
    assert preview is not None
    small = tmp_path / "small.jpg"
    small.write_bytes(preview.thumbnail)
    with Image.open(small) as picture:
        assert (picture.format, picture.size) == ("JPEG", (100, 75))


@pytest.mark.parametrize(
    ("headers", "page"),
    [
        (["Content-Type: text/html; charset=iso-8859-1"], "<title>Olá</title>".encode("latin-1")),
        (["Content-Type: text/html"], '<meta charset="latin-1"><title>Olá</title>'.encode("latin-1")),
        (["Content-Type: text/html; charset=no-such"], "<title>Olá</title>".encode()),
        (["Content-Type: application/xhtml+xml"], "<html><title>Olá</title></html>".encode()),
        (HTML, b"<title>Ol\xc3\xa1</title>" + b"<p>" * 400_000),
        (["Content-Type: text/html; charset=undefined"], "<title>Olá</title>".encode()),
        (["Content-Type: text/html; charset=idna"], "<title>Olá</title>".encode()),
        (["Content-Type: text/html; charset=unicode_escape"], "<title>Olá</title>".encode()),
        (HTML, "<title>Olá</title><p>&#".encode() + b"9" * 5000 + b";<![broken"),
        (["Content-Type: text/html; charset=utf-16"], "<title>Olá</title>".encode("utf-16") + b"\xd8\x00"),
    ],
)
async def test_a_title_is_read_in_the_pages_own_letters(
    previews: LinkPreviews, host: Attacker, headers: list[str], page: bytes
) -> None:
    host.behaviours["/page"] = answers(headers, page)
    assert await read(previews, host) == PagePreview("Olá")


@pytest.mark.parametrize(
    ("headers", "page"),
    [
        (HTML, b"<p>no title</p>"),
        (["Content-Type: application/pdf"], b"<title>no page</title>"),
        ([*HTML, "Content-Encoding: gzip"], b"<title>packed</title>"),
        ([*HTML, "Content-Length: 900000000"], b"<title>huge</title>"),
        ([], b"<title>of no kind</title>"),
    ],
)
async def test_what_is_no_page_with_a_title_has_no_preview(
    previews: LinkPreviews, host: Attacker, headers: list[str], page: bytes
) -> None:
    host.behaviours["/page"] = answers(headers, page)
    assert await read(previews, host) is None


@pytest.mark.parametrize(
    "picture",
    [b"no picture", b"", files.png(20, 20)[:40]],
)
async def test_a_picture_that_is_none_is_left_out(
    previews: LinkPreviews, host: Attacker, picture: bytes
) -> None:
    host.behaviours["/page"] = answers(HTML, (PAGE % '<meta property="og:image" content="/p">').encode())
    host.behaviours["/p"] = answers([f"Content-Length: {len(picture)}"], picture)
    assert await read(previews, host) == PagePreview("Ponte & friends", "The gateway")


async def test_a_picture_at_no_url_is_left_out(previews: LinkPreviews, host: Attacker) -> None:
    said = '<meta property="og:image" content="http://[broken">'
    host.behaviours["/page"] = answers(HTML, (PAGE % said).encode())
    assert await read(previews, host) == PagePreview("Ponte & friends", "The gateway")


async def test_a_host_that_does_not_answer_is_not_waited_for(host: Attacker, tmp_path: Path) -> None:
    async def silent(writer: asyncio.StreamWriter) -> None:
        del writer
        await asyncio.sleep(60)

    spool = Spool(tmp_path / "spool")
    spool.prepare()
    fetcher = UrlFetcher(UrlGuard(allow_private_networks=True))
    host.behaviours["/page"] = silent
    assert (
        await LinkPreviews(fetcher, spool, Converter(spool), longest_s=0.2).read(host.url("/page", HOST))
        is None
    )
    await fetcher.close()


async def test_a_private_address_is_not_asked(host: Attacker, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    fetcher = UrlFetcher(UrlGuard())
    assert await LinkPreviews(fetcher, spool, Converter(spool)).read(host.url("/page", "127.0.0.1")) is None
    assert host.asked == []
    await fetcher.close()


@pytest.fixture
async def send(context: Context, make: Factories, tmp_path: Path) -> AsyncIterator[Send]:
    media = make_media(context, tmp_path, UrlGuard(allow_private_networks=True))
    service = MessageService(context, files=OutgoingFiles(media))
    scope = await make.company()
    session = await make.linked_session(scope)

    async def submit(body: str, preview: LinkPreview) -> Text:
        content = Content(Text(body, preview))
        message = await service.submit(scope, SubmitText(session.id, CUSTOMER, body, content=content))
        shown = message.whole_content
        assert shown is not None
        assert isinstance(shown.body, Text)
        return shown.body

    yield submit
    await media.close()


@on_sqlite
async def test_a_message_shows_what_the_page_of_its_first_link_says(send: Send, host: Attacker) -> None:
    host.behaviours["/page"] = answers(HTML, (PAGE % "").encode())
    url = host.url("/page", HOST)
    text = await send(f"look at {url}.", LinkPreview("", "", fetch=True))
    assert text.preview == LinkPreview(url, "Ponte & friends", "The gateway")


@on_sqlite
async def test_what_is_given_is_shown_whatever_the_page_says(send: Send, host: Attacker) -> None:
    host.behaviours["/page"] = answers(HTML, (PAGE % "").encode())
    url = host.url("/page", HOST)
    text = await send(url, LinkPreview(url, "Ours", fetch=True))
    assert text.preview == LinkPreview(url, "Ours", "The gateway")
    gone = host.url("/gone", HOST)
    text = await send(gone, LinkPreview(gone, "Ours", fetch=True))
    assert text.preview == LinkPreview(gone, "Ours")


@on_sqlite
async def test_a_message_leaves_without_a_preview_where_there_is_none(send: Send, host: Attacker) -> None:
    host.behaviours["/page"] = answers(HTML, b"<p>no title</p>")
    url = host.url("/page", HOST)
    text = await send(url, LinkPreview("", "", fetch=True))
    assert text == Text(url)
