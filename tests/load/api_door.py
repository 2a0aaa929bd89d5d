"""What the API layer itself costs: CPU per request against a message service in memory.

    python -m tests.load.api_door [--door rest|grpc] [--requests N] [--clients N] [--profile]

The server runs in a process of its own, so that its CPU time is not mixed with the clients'.
"""

import argparse
import asyncio
import cProfile
import multiprocessing
import pstats
import resource
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any, cast

import aiohttp
import grpc
from loguru import logger
from prometheus_client import CollectorRegistry

from orchestrator._generated.ponte.v1 import message_pb2, message_pb2_grpc
from orchestrator.api.application import Api
from orchestrator.api.services import ApiServices
from orchestrator.api.settings import ApiSettings
from orchestrator.domain.company import ALL_SCOPES, CompanyScope, Principal
from orchestrator.domain.jid import ContactId, phone_number_to_jid
from orchestrator.domain.message import Direction, Message, MessageStatus, MessageTimes
from orchestrator.services.policy_services import PolicyServices
from orchestrator.services.submission import SubmitText

_ID = "01900000-0000-7000-8000-000000000000"


class InMemoryMessages:
    """Takes any text."""

    async def submit(self, scope: CompanyScope, command: SubmitText) -> Message:
        return Message(
            id=_ID,
            wa_message_id="3EB0AAAAAAAAAAAAAAAAAA",
            company_id=scope.company_id,
            session_id=command.session_id,
            chat_jid=phone_number_to_jid(command.to),
            contact=ContactId(phone_number_to_jid(command.to)),
            direction=Direction.OUTBOUND,
            kind="text",
            text=command.body,
            status=MessageStatus.QUEUED,
            lane=command.lane,
            attempts=0,
            times=MessageTimes(created_at=datetime.now(UTC)),
        )


class InMemoryKeys:
    """Lets every key in."""

    async def authenticate(self, secret: str) -> Principal:
        return Principal("key", "company", ALL_SCOPES)


def serve(pipe: Connection, with_profile: bool) -> None:
    """Serve until the pipe says so; tells the addresses first and the CPU seconds last."""
    logger.remove()
    logger.add(open("/dev/null", "w"), level="INFO")  # noqa: SIM115 - as much work as a real sink, kept open
    asyncio.run(_serve(pipe, with_profile))


async def _serve(pipe: Connection, with_profile: bool) -> None:
    nothing = cast(Any, object())
    services = ApiServices(
        companies=nothing,
        keys=cast(Any, InMemoryKeys()),
        sessions=nothing,
        messages=cast(Any, InMemoryMessages()),
        contacts=nothing,
        chats=nothing,
        channels=nothing,
        groups=nothing,
        events=nothing,
        webhooks=nothing,
        media=nothing,
        imports=nothing,
        exports=nothing,
        older_messages=nothing,
        campaigns=nothing,
        policies=PolicyServices(nothing, nothing, nothing),
    )
    settings = ApiSettings(
        http=("127.0.0.1", 0),
        grpc=("127.0.0.1", 0),
        requests_per_second_per_key=1e9,
        request_burst_per_key=10**9,
    )
    api = Api(services, settings, {}, CollectorRegistry())
    addresses = await api.start()
    pipe.send((addresses.http, addresses.grpc))
    profiler = cProfile.Profile()
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, pipe.recv)
    before = resource.getrusage(resource.RUSAGE_SELF)
    if with_profile:
        profiler.enable()
    await loop.run_in_executor(None, pipe.recv)
    profiler.disable()
    after = resource.getrusage(resource.RUSAGE_SELF)
    pipe.send((after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime))
    await api.stop(1.0)
    if with_profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(45)


async def post_by_rest(address: str, requests: int, clients: int) -> list[float]:
    """Post messages; gives each one's seconds."""
    seconds: list[float] = []
    headers = {"Authorization": "Bearer ponte_x"}
    body = {
        "session_id": _ID,
        "to": "+5511987654321",
        "text": {"body": "Hello, this is a text of a usual length."},
    }
    async with aiohttp.ClientSession(headers=headers) as http:

        async def client() -> None:
            for _ in range(requests // clients):
                started = time.perf_counter()
                async with http.post(f"http://{address}/v1/messages", json=body) as answer:
                    await answer.read()
                    assert answer.status == 202
                seconds.append(time.perf_counter() - started)

        await asyncio.gather(*(client() for _ in range(clients)))
    return seconds


async def post_by_grpc(address: str, requests: int, clients: int) -> list[float]:
    """Send messages over gRPC; gives each one's seconds."""
    seconds: list[float] = []
    text = message_pb2.Text(body="Hello, this is a text of a usual length.")
    request = message_pb2.SendMessageRequest(session_id=_ID, to="+5511987654321", text=text)
    async with grpc.aio.insecure_channel(address) as channel:
        stub = message_pb2_grpc.MessageServiceStub(channel)

        async def client() -> None:
            for _ in range(requests // clients):
                started = time.perf_counter()
                await stub.SendMessage(request, metadata=(("authorization", "Bearer ponte_x"),))
                seconds.append(time.perf_counter() - started)

        await asyncio.gather(*(client() for _ in range(clients)))
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--door", choices=["rest", "grpc"], default="rest")
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    post = post_by_rest if arguments.door == "rest" else post_by_grpc
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, arguments.profile))
    server.start()
    try:
        http, grpc_address = ours.recv()
        address = http if arguments.door == "rest" else grpc_address
        asyncio.run(post(address, 200, 4))
        ours.send("begin")
        started = time.perf_counter()
        seconds = sorted(asyncio.run(post(address, arguments.requests, arguments.clients)))
        took = time.perf_counter() - started
        ours.send("end")
        user, system = ours.recv()
    finally:
        server.join(30)
        if server.is_alive():
            server.terminate()
    count = len(seconds)
    user_ms, system_ms = user / count * 1000, system / count * 1000
    print(
        f"{arguments.door}: {count} requests, {count / took:.0f}/s; "
        f"server CPU per request {user_ms + system_ms:.3f} ms ({user_ms:.3f} user, {system_ms:.3f} system); "
        f"latency p50 {seconds[count // 2] * 1000:.2f} ms, p95 {seconds[int(count * 0.95)] * 1000:.2f} ms"
    )


if __name__ == "__main__":
    main()
