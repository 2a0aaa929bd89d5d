import pytest

from orchestrator.cli.client import CallFailedError, PonteClient
from orchestrator.startup import StartupError
from tests.unit.cli.fake_rest import FakeRest, running_rest


async def test_calls_carry_the_key_and_give_the_answer() -> None:
    fake = FakeRest({"POST /v1/things": {"id": "t-1"}})
    async with running_rest(fake), PonteClient.connect(fake.url, "first") as client:
        assert await client.post("/v1/things", {"name": "a"}) == {"id": "t-1"}
        await client.with_key("second").post("/v1/things")
    assert fake.calls == [
        ("POST /v1/things", {"name": "a"}, "Bearer first"),
        ("POST /v1/things", {}, "Bearer second"),
    ]


async def test_a_refusal_is_the_problems_sentence_and_code() -> None:
    async with running_rest(FakeRest()) as fake, PonteClient.connect(fake.url, "key") as client:
        with pytest.raises(CallFailedError, match=r"Nothing at GET /v1/none\. \(NOT_FOUND\)") as error:
            await client.get("/v1/none")
    assert (error.value.status, error.value.code) == (404, "NOT_FOUND")


async def test_nobody_there_is_said_with_what_to_do() -> None:
    async with PonteClient.connect("http://127.0.0.1:1", "key") as client:
        with pytest.raises(StartupError, match=r"No Ponte answers at .*: start one with 'ponte up'"):
            await client.get("/v1/things")


async def test_events_are_read_from_the_stream() -> None:
    fake = FakeRest(events=[{"sequence": 1, "type": "a"}, {"sequence": 2, "type": "b"}])
    async with running_rest(fake), PonteClient.connect(fake.url, "key") as client:
        assert [event["type"] async for event in client.events(after=0)] == ["a", "b"]
