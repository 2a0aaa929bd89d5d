import asyncio
import io

import aiohttp
import pytest
from rich.console import Console

from orchestrator.cli.client import PonteClient
from orchestrator.cli.demo.phones import VirtualPhones
from orchestrator.cli.demo.screen import Screen
from orchestrator.cli.demo.story import COMPANY_NUMBER, CUSTOMER_NUMBER, EventWatch, Told, tell
from orchestrator.startup import StartupError
from tests.unit.cli.fake_rest import FakeRest, running_rest


def event(event_type: str, **data: object) -> dict[str, object]:
    return {"sequence": 1, "type": event_type, "data": data}


def screen_on(output: io.StringIO) -> Screen:
    ticks = iter(range(1000))
    return Screen(Console(file=output, width=120), clock=lambda: float(next(ticks)))


def ponte() -> FakeRest:
    return FakeRest(
        {
            "POST /v1/companies": {"id": "c-1"},
            "POST /v1/companies/c-1/keys": {"key": "company key"},
            "POST /v1/sessions": {"id": "s-1"},
            "POST /v1/sessions/s-1:pair": {"qr": "https://wa.me/settings/linked_devices#a,b,c,d,e"},
            "POST /v1/messages": {"id": "m-1"},
        },
        events=[
            event("session.connected"),
            event("message.sent", message_id="m-0"),
            event("message.sent", message_id="m-1"),
            event("message.delivered", message_id="m-1"),
            event("message.read", message_id="m-1"),
            event("message.received", text={"body": "Oba!"}),
        ],
    )


def simulator() -> FakeRest:
    return FakeRest(
        {
            "POST /phones": {},
            f"POST /phones/{COMPANY_NUMBER}:scan": {},
            f"GET /phones/{CUSTOMER_NUMBER}/messages": [{"text": "Bom dia"}],
            f"POST /phones/{CUSTOMER_NUMBER}:read": {},
            f"POST /phones/{CUSTOMER_NUMBER}:send": {},
        }
    )


async def tell_against(rest: FakeRest, phones: FakeRest, output: io.StringIO) -> Told:
    async with (
        running_rest(rest),
        running_rest(phones),
        aiohttp.ClientSession() as http,
        PonteClient.connect(rest.url, "admin key") as client,
    ):
        return await tell(client, VirtualPhones(http, phones.url), screen_on(output))


async def test_the_story_links_sends_and_is_answered_with_a_time_for_each_step() -> None:
    rest, phones, output = ponte(), simulator(), io.StringIO()
    told = await tell_against(rest, phones, output)
    assert told == Told("company key", "s-1")
    lines = [line for line in output.getvalue().splitlines() if " ms  " in line]
    assert "answered: event message.received  “Oba!”" in lines[-1]
    assert all(line.strip()[0].isdigit() for line in lines)
    assert ("POST /v1/messages", "Bearer company key") in {(call, key) for call, _, key in rest.calls}
    assert [call for call, _, _ in phones.calls][-2:] == [
        f"POST /phones/{CUSTOMER_NUMBER}:read",
        f"POST /phones/{CUSTOMER_NUMBER}:send",
    ]


async def test_a_refused_call_ends_the_story_with_its_sentence() -> None:
    rest = ponte()
    del rest.answers["POST /v1/messages"]
    with pytest.raises(StartupError, match="NOT_FOUND"):
        await tell_against(rest, simulator(), io.StringIO())


async def test_a_phone_that_gets_nothing_or_is_refused_ends_it() -> None:
    silent = simulator()
    silent.answers[f"GET /phones/{CUSTOMER_NUMBER}/messages"] = []
    with pytest.raises(StartupError, match="No message arrived"):
        await tell_against(ponte(), silent, io.StringIO())
    with pytest.raises(StartupError, match="The simulator refused /phones"):
        await tell_against(ponte(), FakeRest(), io.StringIO())


async def test_a_stream_that_is_refused_is_said_where_it_is_waited_for() -> None:
    async with PonteClient.connect("http://127.0.0.1:1", "key") as client:
        watch = EventWatch(client)
        async with watch.running():
            with pytest.raises(aiohttp.ClientError):
                await watch.expect("message.sent")


async def test_what_does_not_happen_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.cli.demo.story.STEP_S", 0.05)
    async with running_rest(FakeRest()) as fake, PonteClient.connect(fake.url, "key") as client:
        watch = EventWatch(client)
        async with watch.running():
            with pytest.raises(asyncio.TimeoutError):
                await watch.expect("message.sent")


def test_what_to_try_is_shown_whole() -> None:
    output = io.StringIO()
    screen = screen_on(output)
    screen.try_by_hand({"REST": "http://127.0.0.1:8080", "company key": "k" * 100}, "curl " + "x" * 300)
    screen.success("fine")
    screen.failure("[not] markup")
    text = output.getvalue()
    assert "x" * 300 in text, "a command to paste is not wrapped"
    assert "k" * 100 in text
    assert "fine" in text
    assert "[not] markup" in text
