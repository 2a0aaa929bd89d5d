"""The doors themselves: start, probes, metrics, health, reflection, pictures, limits, faults."""

import asyncio
import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client.parser import text_string_to_metric_families

from orchestrator._generated.ponte.v1 import session_pb2, session_pb2_grpc
from orchestrator.api.readiness import CheckResult
from orchestrator.api.services import ApiServices
from orchestrator.api.settings import ApiSettings
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.session import SessionState
from orchestrator.startup import StartupError
from tests.integration.api.harness import SETTINGS, RunningApi, read_grpc_error, running_api
from tests.support.clock import ManualClock
from tests.support.factories import CUSTOMER, Factories

# About the doors, not the database.
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port of the loopback interface on which something else listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def with_port(door: str, port: int) -> ApiSettings:
    """Settings with this port for one door."""
    address: Any = ("127.0.0.1", port)
    return replace(SETTINGS, **{door: address})


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("door", ["http", "grpc", "metrics"])
async def test_taken_port_is_one_sentence_and_leaves_nothing_open(
    services: ApiServices, taken_port: int, door: str
) -> None:
    settings = with_port(door, taken_port)
    with pytest.raises(StartupError, match=rf"127\.0\.0\.1:{taken_port} .*PONTE_{door.upper()}_ADDR"):
        async with running_api(services, settings):
            pass


@pytest.mark.usefixtures("no_tasks_left")
async def test_two_servers_never_share_a_port(services: ApiServices) -> None:
    async with running_api(services) as first:
        for door, address in (("http", first.addresses.http), ("grpc", first.addresses.grpc)):
            port = int(address.rpartition(":")[2])
            with pytest.raises(StartupError):
                async with running_api(services, with_port(door, port)):
                    pass


async def test_port_is_free_again_after_a_stop(services: ApiServices) -> None:
    async with running_api(services) as first:
        ports = [int(address.rpartition(":")[2]) for address in (first.addresses.http, first.addresses.grpc)]
    again = replace(SETTINGS, http=("127.0.0.1", ports[0]), grpc=("127.0.0.1", ports[1]))
    async with running_api(services, again) as second:
        assert (await second.anonymous.ask("GET", "/healthz")).status == 200


async def test_probes_tell_what_the_checks_found(services: ApiServices) -> None:
    found = {"database": CheckResult(True), "redis": CheckResult(False, "no connection")}

    async def database() -> CheckResult:
        return found["database"]

    async def redis() -> CheckResult:
        return found["redis"]

    async def bridge() -> CheckResult:
        raise RuntimeError("the secret password is 1234")

    async with running_api(
        services, readiness={"database": database, "redis": redis, "bridge": bridge}
    ) as api:
        assert (await api.anonymous.ask("GET", "/healthz")).body == {"status": "ok"}
        answer = await api.anonymous.ask("GET", "/readyz")
        assert answer.status == 503
        assert answer.body == {
            "status": "not ready",
            "checks": {
                "database": {"ok": True, "detail": ""},
                "redis": {"ok": False, "detail": "no connection"},
                "bridge": {"ok": False, "detail": "RuntimeError"},
            },
        }
        health = health_pb2_grpc.HealthStub(api.channel)
        assert await serving_status(health, "") == health_pb2.HealthCheckResponse.NOT_SERVING


async def serving_status(health: Any, service: str) -> int:
    """Ask grpc.health.v1 until it has looked once."""
    async with asyncio.timeout(10):
        while True:
            answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
            if answer.status != health_pb2.HealthCheckResponse.UNKNOWN:
                status: int = answer.status
                return status
            await asyncio.sleep(0.02)


async def test_check_that_hangs_is_not_ready(services: ApiServices) -> None:
    async def hangs() -> CheckResult:
        await asyncio.Event().wait()
        return CheckResult(True)

    settings = replace(SETTINGS, readiness_timeout_s=0.05)
    async with running_api(services, settings, readiness={"database": hangs}) as api:
        answer = await api.anonymous.ask("GET", "/readyz")
        assert answer.status == 503
        assert answer.body["checks"]["database"]["detail"] == "no answer in 0.05 s"


async def test_ready_server_says_so_over_grpc(api: RunningApi) -> None:
    health = health_pb2_grpc.HealthStub(api.channel)
    for service in ("", "ponte.v1.MessageService"):
        assert await serving_status(health, service) == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await health.Check(health_pb2.HealthCheckRequest(service="ponte.v1.Nothing"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert (await api.anonymous.ask("GET", "/readyz")).body["status"] == "ready"


async def test_metrics_count_requests_by_method_and_code(api: RunningApi) -> None:
    await api.admin.ask("GET", "/v1/companies")
    await api.anonymous.ask("GET", "/v1/companies")
    text = (await api.anonymous.ask("GET", "/metrics")).raw.decode()
    counted = {
        (sample.labels["method"], sample.labels["door"], sample.labels["code"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "ponte_requests_total"
    }
    listing = "ponte.v1.CompanyService/ListCompanies"
    assert counted[listing, "rest", "OK"] == 1
    assert counted[listing, "rest", "CREDENTIAL_MISSING"] == 1
    assert 'ponte_request_seconds_count{door="rest",method="' + listing in text


async def test_metrics_move_to_their_own_address(services: ApiServices) -> None:
    async with running_api(services, replace(SETTINGS, metrics=("127.0.0.1", 0))) as api:
        assert api.addresses.metrics != api.addresses.http
        operators = replace(api.anonymous, url=f"http://{api.addresses.metrics}")
        assert (await operators.ask("GET", "/metrics")).status == 200
        assert (await operators.ask("GET", "/readyz")).status == 200
        assert (await operators.ask("GET", "/v1/companies")).status == 404
        assert (await api.anonymous.ask("GET", "/metrics")).status == 404


async def test_qr_is_text_svg_and_png(api: RunningApi, make: Factories, clock: ManualClock) -> None:
    company_id, client = await api.company()
    expires_at = clock.advance(0).replace(year=clock.now.year + 1)
    session = await make.session(
        CompanyScope(company_id),
        state=SessionState.PAIRING.value,
        qr_data="2@abc,def",
        qr_expires_at=expires_at,
    )
    path = f"/v1/sessions/{session.id}/qr"
    assert (await client.ask("GET", path)).body["qr"] == "2@abc,def"
    svg = await client.ask("GET", f"{path}.svg")
    assert svg.headers["Content-Type"] == "image/svg+xml"
    assert svg.raw.startswith(b"<?xml")
    png = await client.ask("GET", f"{path}.png")
    assert png.raw.startswith(b"\x89PNG\r\n")
    assert png.headers["Cache-Control"] == "no-store"


async def test_qr_picture_needs_the_same_key_as_the_qr(api: RunningApi, make: Factories) -> None:
    company_id, client = await api.company()
    _, stranger = await api.company("Other")
    session = await make.session(CompanyScope(company_id))
    for extension in ("svg", "png"):
        path = f"/v1/sessions/{session.id}/qr.{extension}"
        assert (await api.anonymous.ask("GET", path)).status == 401
        assert (await stranger.ask("GET", path)).status == 404
        nothing = await client.ask("GET", path)
        assert (nothing.status, nothing.body["code"]) == (409, "QR_NOT_AVAILABLE")


async def test_too_many_requests_of_a_key_are_told_when_to_come_back(services: ApiServices) -> None:
    settings = replace(SETTINGS, requests_per_second_per_key=0.5, request_burst_per_key=4)
    async with running_api(services, settings) as api:
        _, client = await api.company()
        answers = [await client.ask("GET", "/v1/sessions") for _ in range(5)]
        assert [answer.status for answer in answers] == [200, 200, 200, 200, 429]
        refused = answers[-1]
        assert refused.body["code"] == "RATE_LIMITED"
        assert 0 < refused.body["retry_after_s"] <= 2
        assert refused.headers["Retry-After"] in ("1", "2")
        stub = session_pb2_grpc.SessionServiceStub(api.channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.ListSessions(session_pb2.ListSessionsRequest(), metadata=api.metadata(client.key))
        error = read_grpc_error(caught.value)
        assert (error.code, error.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED")
        assert error.retry_after_s is not None
        assert 0 < error.retry_after_s <= 2
        _, other = await api.company("Other")
        assert (await other.ask("GET", "/v1/sessions")).status == 200


async def test_request_id_of_the_caller_is_kept_and_a_bad_one_replaced(api: RunningApi) -> None:
    kept = await api.anonymous.ask("GET", "/v1/sessions", headers={"X-Request-Id": "order-7.a_b"})
    assert kept.headers["X-Request-Id"] == kept.body["request_id"] == "order-7.a_b"
    replaced = await api.anonymous.ask("GET", "/v1/sessions", headers={"X-Request-Id": "<script>"})
    assert re.fullmatch(r"[0-9a-f]{16}", replaced.body["request_id"])


async def test_fault_tells_nothing_but_the_requests_id(
    services: ApiServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("password=hunter2 in /etc/ponte")

    monkeypatch.setattr(services.sessions, "get", broken)
    async with running_api(services) as api:
        _, client = await api.company()
        answer = await client.ask("GET", "/v1/sessions/x", headers={"X-Request-Id": "abc"})
        assert (answer.status, answer.body["code"]) == (500, "INTERNAL")
        assert b"hunter2" not in answer.raw
        assert "abc" in answer.body["detail"]
        stub = session_pb2_grpc.SessionServiceStub(api.channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetSession(
                session_pb2.GetSessionRequest(session_id="x"), metadata=api.metadata(client.key)
            )
        assert read_grpc_error(caught.value).reason == "INTERNAL"
        assert "hunter2" not in str(caught.value)


async def test_request_ends_at_its_deadline(
    api: RunningApi, services: ApiServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(services.sessions, "get", hangs)
    # Made where there is time for it.
    _, customer = await api.company()
    async with running_api(services, replace(SETTINGS, request_timeout_s=0.1)) as hurried:
        answer = await hurried.anonymous.with_key(customer.key).ask("GET", "/v1/sessions/x")
        assert (answer.status, answer.body["code"]) == (504, "DEADLINE_EXCEEDED")


async def test_wait_that_ends_without_an_ack_names_the_message(api: RunningApi, make: Factories) -> None:
    company_id, client = await api.company()
    await make.linked_session(CompanyScope(company_id))
    body = {"to": CUSTOMER, "text": {"body": "Hello"}}
    answer = await client.ask("POST", "/v1/messages?wait=SENT&timeout_s=1", body)
    assert (answer.status, answer.body["code"]) == (504, "WAIT_TIMED_OUT")
    message_id = answer.body["metadata"]["message_id"]
    assert (await client.ask("GET", f"/v1/messages/{message_id}")).body["status"] == "QUEUED"


async def test_pages_and_openapi_need_no_key_and_nothing_from_elsewhere(api: RunningApi) -> None:
    for path in ("/", "/docs"):
        page = await api.anonymous.ask("GET", path)
        assert page.status == 200
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not re.search(rb"(src|href)=[\"']?https?:", page.raw)
    openapi = await api.anonymous.ask("GET", "/openapi.json")
    assert openapi.body["openapi"].startswith("3.1")


async def test_answers_do_not_name_the_software(api: RunningApi) -> None:
    for path in ("/", "/v1/sessions", "/nothing", "/metrics"):
        assert (await api.anonymous.ask("GET", path)).headers["Server"] == "ponte"


async def test_delete_answers_204_without_a_body(api: RunningApi, make: Factories) -> None:
    company_id, client = await api.company()
    session = await make.session(CompanyScope(company_id))
    answer = await client.ask("DELETE", f"/v1/sessions/{session.id}")
    assert (answer.status, answer.raw) == (204, b"")
    assert (await client.ask("GET", f"/v1/sessions/{session.id}")).status == 404


async def test_post_without_a_body_is_an_empty_one(api: RunningApi, make: Factories) -> None:
    company_id, client = await api.company()
    session = await make.linked_session(CompanyScope(company_id))
    answer = await client.ask("POST", f"/v1/sessions/{session.id}:stop")
    assert (answer.status, answer.body["state"]) == (200, "STOPPED")
