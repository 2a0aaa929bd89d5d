"""Imports of exported chats over both doors: what is asked for and answered."""

from io import BytesIO

import grpc
import pytest
from aiohttp import FormData

from orchestrator._generated.ponte.v1 import import_pb2, import_pb2_grpc
from orchestrator.domain.company import CompanyScope
from tests.integration.api.harness import RestClient, RunningApi, read_grpc_error
from tests.support.exports import text_file
from tests.support.factories import Factories

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])
CHAT = {"chat": "+5511911111111", "own_name": "Bia", "time_zone": "America/Sao_Paulo"}


@pytest.fixture
async def client(api: RunningApi, make: Factories) -> RestClient:
    """A company with one session and an uploaded chat."""
    company_id, client = await api.company()
    await make.linked_session(CompanyScope(company_id))
    return client


async def upload(client: RestClient) -> str:
    file = BytesIO(text_file("[31/12/2024, 23:59:01] Ana: Hello"))
    answer = await client.ask("POST", "/v1/media", data=FormData({"file": file}))
    return str(answer.body["id"])


async def test_an_import_is_answered_at_once_and_found_again(api: RunningApi, client: RestClient) -> None:
    wanted = {**CHAT, "media_id": await upload(client), "date_order": "DAY_FIRST"}
    made = await client.ask("POST", "/v1/imports", wanted)
    assert made.status == 201, made.body
    assert (made.body["kind"], made.body["state"], made.body["percent"]) == ("EXPORT", "WAITING", 0)
    assert made.body["export"] == {**wanted, "chat": "5511911111111@s.whatsapp.net"}
    stub = import_pb2_grpc.ImportServiceStub(api.channel)
    found = await stub.GetImport(
        import_pb2.GetImportRequest(conversation_import_id=made.body["id"]),
        metadata=api.metadata(client.key),
    )
    assert found.export.date_order == import_pb2.DAY_FIRST
    ended = await client.ask("POST", f"/v1/imports/{made.body['id']}:cancel", {})
    assert ended.body["state"] == "CANCELLED"


async def test_what_cannot_be_is_refused_over_both_doors(api: RunningApi, client: RestClient) -> None:
    media_id = await upload(client)
    order = await client.ask("POST", "/v1/imports", {**CHAT, "media_id": media_id, "date_order": "NO_ORDER"})
    assert order.status == 400
    unknown = await client.ask("POST", "/v1/imports", {**CHAT, "media_id": client.url})
    assert (unknown.status, unknown.body["code"]) == (404, "NOT_FOUND")
    stub = import_pb2_grpc.ImportServiceStub(api.channel)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.CreateImport(
            import_pb2.CreateImportRequest(media_id=media_id, chat="+5511911111111"),
            metadata=api.metadata(client.key),
        )
    assert read_grpc_error(refused.value).fields == ("own_name",)
