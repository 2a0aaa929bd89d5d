"""One attempt at a real endpoint."""

import socket
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from aiohttp import web

from orchestrator.domain.webhook import DeliveryAnswer
from orchestrator.url_guard.guard import UrlGuard
from orchestrator.webhooks.client import LONGEST_RETRY_AFTER_S, WebhookClient, retry_after_s
from orchestrator.webhooks.settings import WebhookSettings
from orchestrator.webhooks.signing import Signer, make_secret
from tests.integration.webhooks.receiver import Received, Receiver, status
from tests.support.clock import ManualClock

BODY = '{"id":"event-1","sequence":"1"}'


@pytest.fixture
def signer(receiver: Receiver) -> Signer:
    receiver.secret = make_secret()
    return Signer(receiver.secret)


async def deliver(client: WebhookClient, url: str, signer: Signer) -> DeliveryAnswer:
    return await client.deliver(url, signer, "event-1", BODY)


async def test_the_signed_event_arrives_as_json(
    client: WebhookClient, receiver: Receiver, signer: Signer
) -> None:
    assert await deliver(client, receiver.url + "?token=a%20b", signer) == DeliveryAnswer(200)

    (received,) = receiver.taken
    assert received.body == BODY
    assert received.headers["content-type"] == "application/json"
    assert received.request.method == "POST"
    assert received.request.query == {"token": "a b"}
    assert received.headers["user-agent"].startswith("Ponte-Webhooks/")


@pytest.mark.parametrize("code", [201, 204, 299])
async def test_any_2xx_is_success(
    client: WebhookClient, receiver: Receiver, signer: Signer, code: int
) -> None:
    receiver.answer = status(code)

    assert await deliver(client, receiver.url, signer) == DeliveryAnswer(code)


async def test_an_error_is_told_with_its_retry_after(
    client: WebhookClient, receiver: Receiver, signer: Signer
) -> None:
    receiver.answer = status(503, Retry_After="17")

    assert await deliver(client, receiver.url, signer) == DeliveryAnswer(503, "HTTP 503", 17.0)


async def test_a_redirect_is_not_followed(client: WebhookClient, receiver: Receiver, signer: Signer) -> None:
    receiver.answer = status(307, Location=f"http://127.0.0.1:{receiver.port}/elsewhere")

    assert await deliver(client, receiver.url, signer) == DeliveryAnswer(307, "HTTP 307")
    assert len(receiver.received) == 1


async def test_an_endpoint_that_does_not_answer_times_out(
    guard: UrlGuard, clock: ManualClock, receiver: Receiver, signer: Signer
) -> None:
    impatient = WebhookClient(guard, clock, WebhookSettings(request_timeout_s=0.1))
    receiver.answer = receiver.never

    assert await deliver(impatient, receiver.url, signer) == DeliveryAnswer(0, "timed out")
    await impatient.close()


async def test_an_answer_that_never_ends_is_cut_off(
    client: WebhookClient, receiver: Receiver, signer: Signer
) -> None:
    sent = 0

    async def endless(received: Received) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(received.request)
        while True:
            await response.write(b"x" * 4096)
            sent += 4096

    receiver.answer = endless

    assert await deliver(client, receiver.url, signer) == DeliveryAnswer(200)
    assert sent < 16_000_000


async def test_a_compressed_answer_is_not_unpacked(
    client: WebhookClient, receiver: Receiver, signer: Signer
) -> None:
    async def bomb(received: Received) -> web.StreamResponse:
        return web.Response(body=b"not gzip", headers={"Content-Encoding": "gzip"})

    receiver.answer = bomb

    assert await deliver(client, receiver.url, signer) == DeliveryAnswer(200)


async def test_connections_are_used_again(client: WebhookClient, receiver: Receiver, signer: Signer) -> None:
    for _ in range(3):
        await deliver(client, receiver.url, signer)

    assert len(receiver.taken) == 3
    assert len({received.peer for received in receiver.taken}) == 1


async def test_cookies_are_not_kept(client: WebhookClient, receiver: Receiver, signer: Signer) -> None:
    receiver.answer = status(200, Set_Cookie="a=b")

    await deliver(client, receiver.url, signer)
    await deliver(client, receiver.url, signer)

    assert "cookie" not in receiver.taken[1].headers


async def test_a_closed_port_is_told(client: WebhookClient, signer: Signer) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        answer = await deliver(client, url, signer)

    assert answer == DeliveryAnswer(0, "the connection was refused or not possible")


async def test_an_endpoint_that_hangs_up_is_told(
    client: WebhookClient, receiver: Receiver, signer: Signer
) -> None:
    async def hang_up(received: Received) -> web.StreamResponse:
        assert received.request.transport is not None
        received.request.transport.abort()
        return web.Response()

    receiver.answer = hang_up

    assert await deliver(client, receiver.url, signer) == DeliveryAnswer(0, "the connection was lost")


async def test_plain_http_on_an_https_url_is_told(
    client: WebhookClient, receiver: Receiver, signer: Signer
) -> None:
    url = receiver.url.replace("http:", "https:")

    assert (await deliver(client, url, signer)).error == "TLS failed"


async def test_a_name_that_does_not_resolve_is_told(clock: ManualClock, signer: Signer) -> None:
    async def nothing(host: str) -> Sequence[str]:
        raise OSError("no such name")

    client = WebhookClient(UrlGuard(look_up=nothing), clock)

    assert (await deliver(client, "http://gone.example/", signer)).error == "the host name cannot be resolved"
    await client.close()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "name.example", "[::1]", "2130706433", "127.1", "[::ffff:127.0.0.1]"]
)
async def test_a_private_address_is_never_connected_to(
    clock: ManualClock, receiver: Receiver, signer: Signer, host: str
) -> None:
    async def private(host: str) -> Sequence[str]:
        return ["127.0.0.1"]

    client = WebhookClient(UrlGuard(look_up=private), clock)

    answer = await deliver(client, f"http://{host}:{receiver.port}/", signer)

    assert answer.status_code == 0
    assert answer.error in ("the address is not allowed", "the URL is not usable")
    assert receiver.received == []
    await client.close()


async def test_a_name_that_moves_to_a_private_address_is_refused(
    clock: ManualClock, receiver: Receiver, signer: Signer
) -> None:
    """DNS rebinding: public when it is checked, loopback when it is connected to."""
    answers = [["93.184.215.14"], ["127.0.0.1"]]

    async def rebinding(host: str) -> Sequence[str]:
        return answers.pop(0)

    guard = UrlGuard(look_up=rebinding)
    client = WebhookClient(guard, clock)
    url = f"http://rebinding.example:{receiver.port}/"

    await guard.check(url)
    answer = await deliver(client, url, signer)

    assert answer == DeliveryAnswer(0, "the address is not allowed")
    assert receiver.received == []
    await client.close()


async def test_proxies_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, clock: ManualClock, guard: UrlGuard, receiver: Receiver, signer: Signer
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    client = WebhookClient(guard, clock, WebhookSettings())

    assert await deliver(client, receiver.url, signer) == DeliveryAnswer(200)
    await client.close()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", None),
        ("120", 120.0),
        (" 0 ", 0.0),
        ("99999999", LONGEST_RETRY_AFTER_S),
        ("-5", None),
        ("soon", None),
        ("Mon, 05 Jan 2026 12:01:00 GMT", 60.0),
        ("Mon, 05 Jan 2026 11:00:00 GMT", 0.0),
        ("Mon, 05 Jan 2026 12:01:00 -0000", 60.0),
        ("Fri, 05 Jan 2126 12:01:00 GMT", LONGEST_RETRY_AFTER_S),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float | None) -> None:
    assert retry_after_s(header, datetime(2026, 1, 5, 12, 0, tzinfo=UTC)) == seconds
