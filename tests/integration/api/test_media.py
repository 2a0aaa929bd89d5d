"""Files over HTTP: uploads, downloads, ranges."""

import hashlib
import io
import os
from typing import Any

import aiohttp
import pytest

from tests.integration.api.harness import RestClient, RunningApi
from tests.support import files

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])
PICTURE = files.png(40, 30)


@pytest.fixture
async def rest(api: RunningApi) -> RestClient:
    _, rest = await api.company()
    return rest


def form(contents: bytes, **options: Any) -> aiohttp.MultipartWriter:
    writer = aiohttp.MultipartWriter("form-data")
    if "name" in options:
        part = writer.append(options["name"])
        part.set_content_disposition("form-data", name="file_name")
    part = writer.append(
        io.BytesIO(contents), {"Content-Type": options.get("mime", "application/octet-stream")}
    )
    part.set_content_disposition(
        "form-data",
        quote_fields=False,
        name=options.get("field", "file"),
        filename=options.get("file", "a.bin"),
    )
    return writer


async def upload(rest: RestClient, contents: bytes, **options: Any) -> dict[str, Any]:
    answer = await rest.ask("POST", "/v1/media", data=form(contents, **options))
    assert answer.status == 201, answer.body
    made: dict[str, Any] = answer.body
    return made


async def test_an_upload_is_downloaded_again(rest: RestClient) -> None:
    contents = os.urandom(3_000_000)

    made = await upload(rest, contents, file="relatório 1.bin")

    assert made["sha256"] == hashlib.sha256(contents).hexdigest()
    assert (made["size"], made["source"]) == (len(contents), "UPLOADED")
    assert made["file_name"] == "relatório 1.bin"
    answer = await rest.ask("GET", f"/v1/media/{made['id']}")
    assert (answer.status, answer.raw == contents) == (200, True)
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''relat%C3%B3rio%201.bin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    info = await rest.ask("GET", f"/v1/media/{made['id']}/info")
    assert info.body == made


async def test_the_type_is_read_from_the_bytes(rest: RestClient) -> None:
    made = await upload(rest, PICTURE, mime="application/pdf", name="x.pdf", file="C:\\a\\b.pdf")
    assert (made["mime_type"], made["width"], made["height"], made["file_name"]) == (
        "image/png",
        40,
        30,
        "x.pdf",
    )


@pytest.mark.parametrize(
    ("header", "status", "first", "last"),
    [
        ("bytes=0-9", 206, 0, 9),
        ("bytes=500-", 206, 500, 999),
        ("bytes=-10", 206, 990, 999),
        ("bytes=990-5000", 206, 990, 999),
        ("bytes=0-1,5-6", 200, 0, 999),
        ("items=0-1", 200, 0, 999),
        ("bytes=9-1", 200, 0, 999),
    ],
)
async def test_a_part_is_given(rest: RestClient, header: str, status: int, first: int, last: int) -> None:
    contents = os.urandom(1000)
    made = await upload(rest, contents)

    answer = await rest.ask("GET", f"/v1/media/{made['id']}", headers={"Range": header})

    assert (answer.status, answer.raw) == (status, contents[first : last + 1])
    assert answer.headers.get("Content-Range") == (f"bytes {first}-{last}/1000" if status == 206 else None)


async def test_a_part_behind_the_end_is_refused(rest: RestClient) -> None:
    made = await upload(rest, b"x" * 1000)
    answer = await rest.ask("GET", f"/v1/media/{made['id']}", headers={"Range": "bytes=1000-"})
    assert (answer.status, answer.body["code"]) == (416, "RANGE_NOT_SATISFIABLE")
    assert answer.headers["Content-Range"] == "bytes */1000"


async def test_what_the_client_has_already_is_not_sent_again(rest: RestClient) -> None:
    made = await upload(rest, b"x" * 1000)
    path, tag = f"/v1/media/{made['id']}", f'"{made["sha256"]}"'

    assert (await rest.ask("GET", path, headers={"If-None-Match": tag})).status == 304
    assert (await rest.ask("GET", path, headers={"If-Range": tag, "Range": "bytes=0-1"})).status == 206
    assert (await rest.ask("GET", path, headers={"If-Range": '"x"', "Range": "bytes=0-1"})).status == 200
    head = await rest.ask("HEAD", path)
    assert (head.status, head.headers["Content-Length"], head.raw) == (200, "1000", b"")


async def test_a_file_is_deleted(rest: RestClient) -> None:
    made = await upload(rest, b"x")
    assert (await rest.ask("DELETE", f"/v1/media/{made['id']}")).status == 204
    for path in (f"/v1/media/{made['id']}", f"/v1/media/{made['id']}/info"):
        assert (await rest.ask("GET", path)).body["code"] == "NOT_FOUND"


async def test_another_company_gets_nothing(api: RunningApi, rest: RestClient) -> None:
    made = await upload(rest, b"x")
    _, other = await api.company()
    assert (await other.ask("GET", f"/v1/media/{made['id']}")).status == 404
    assert (await rest.with_key(None).ask("GET", f"/v1/media/{made['id']}")).status == 401
    assert (await rest.with_key(None).ask("POST", "/v1/media", data=form(b"x"))).status == 401


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"data": form(b"x", field="other")}, 400, "INVALID_ARGUMENT"),
        ({"data": form(b"")}, 400, "MEDIA_EMPTY"),
        ({"data": form(files.png_header(90_000, 90_000))}, 400, "MEDIA_NOT_USABLE"),
        ({"data": form(b"x", name="a/b")}, 400, "INVALID_ARGUMENT"),
        ({"data": b"no parts", "headers": {"Content-Type": "multipart/form-data; boundary=b"}}, 400, ""),
        ({"data": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400, "INVALID_ARGUMENT"),
        ({"data": b"x", "headers": {"Content-Type": "image/png"}}, 415, "UNSUPPORTED_CONTENT_TYPE"),
    ],
)
async def test_a_bad_upload_is_refused(
    rest: RestClient, options: dict[str, Any], status: int, code: str
) -> None:
    answer = await rest.ask("POST", "/v1/media", **options)
    assert answer.status == status
    assert answer.body["code"] == (code or answer.body["code"])


async def test_a_url_is_guarded(rest: RestClient) -> None:
    answer = await rest.ask("POST", "/v1/media", {"url": "http://169.254.169.254/latest"})
    assert (answer.status, answer.body["code"]) == (400, "URL_NOT_ALLOWED")


async def test_the_same_upload_with_a_key_makes_one_file(rest: RestClient) -> None:
    made = [
        (await rest.ask("POST", "/v1/media", data=form(b"once"), headers={"Idempotency-Key": "k"})).body["id"]
        for _ in range(2)
    ]
    assert made[0] == made[1]
