"""The same request through both doors does the same and answers the same."""

import grpc
import pytest

from orchestrator._generated.ponte.v1 import company_pb2, company_pb2_grpc, message_pb2, message_pb2_grpc
from orchestrator.domain.company import CompanyScope
from tests.integration.api.harness import ADMIN_KEY, RunningApi, read_grpc_error
from tests.support.factories import CUSTOMER, Factories


async def test_rest_makes_a_company_that_grpc_finds(api: RunningApi) -> None:
    made = await api.admin.ask("POST", "/v1/companies", {"name": "Acme", "max_sessions": 3})
    assert made.status == 201
    stub = company_pb2_grpc.CompanyServiceStub(api.channel)
    found = await stub.GetCompany(
        company_pb2.GetCompanyRequest(company_id=made.body["id"]), metadata=api.metadata(ADMIN_KEY)
    )
    assert (found.name, found.max_sessions) == ("Acme", 3)
    assert made.body["created_at"] == found.created_at.ToJsonString()


async def test_message_is_accepted_with_202_and_has_a_stable_shape(api: RunningApi, make: Factories) -> None:
    company_id, client = await api.company()
    session = await make.linked_session(CompanyScope(company_id))
    answer = await client.ask("POST", "/v1/messages", {"to": CUSTOMER, "text": {"body": "Olá 👋"}})
    assert answer.status == 202, answer.body
    assert answer.headers["Content-Type"] == "application/json"
    message = answer.body
    assert message["status"] == "QUEUED"
    assert message["direction"] == "OUTBOUND"
    assert message["lane"] == "TRANSACTIONAL"
    assert message["text"] == {"body": "Olá 👋"}
    assert message["session_id"] == session.id
    assert message["attempts"] == 0
    assert message["offline"] is False
    assert "sent_at" not in message

    stub = message_pb2_grpc.MessageServiceStub(api.channel)
    same = await stub.GetMessage(
        message_pb2.GetMessageRequest(message_id=message["id"]), metadata=api.metadata(client.key)
    )
    assert same.text.body == "Olá 👋"
    listed = await client.ask("GET", "/v1/messages?status=QUEUED&page_size=5&direction=OUTBOUND")
    assert [one["id"] for one in listed.body["messages"]] == [message["id"]]


async def test_error_reads_the_same_in_both(api: RunningApi, make: Factories) -> None:
    company_id, client = await api.company()
    await make.linked_session(CompanyScope(company_id))
    rest = await client.ask("POST", "/v1/messages", {"to": "12", "text": {"body": "x"}})
    assert rest.status == 400
    assert rest.headers["Content-Type"] == "application/problem+json"
    stub = message_pb2_grpc.MessageServiceStub(api.channel)
    request = message_pb2.SendMessageRequest(to="12", text=message_pb2.Text(body="x"))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.SendMessage(request, metadata=api.metadata(client.key))
    error = read_grpc_error(caught.value)
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert error.reason == rest.body["code"] == "INVALID_PHONE_NUMBER"
    assert error.fields == ("to",)
    assert [violation["field"] for violation in rest.body["field_violations"]] == ["to"]
    assert error.message == rest.body["detail"]
