"""What is wrong with a request is said with a stable code, the field, and nothing else."""

import io
import json
from dataclasses import dataclass
from typing import Any

import grpc
import pytest

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.content.checks import MAX_TEXT_CHARACTERS
from orchestrator.domain.session import SessionState
from tests.integration.api.harness import GrpcError, RestAnswer, RestClient, RunningApi, read_grpc_error
from tests.support.factories import CUSTOMER, Factories

GOOD = {"to": CUSTOMER, "text": {"body": "Hello"}}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def client(api: RunningApi, make: Factories) -> RestClient:
    """A client of a company with one linked session."""
    company_id, client = await api.company()
    await make.linked_session(CompanyScope(company_id))
    return client


def assert_problem(answer: RestAnswer, status: int, code: str, *fields: str) -> None:
    """The answer is a whole problem document with this status, code and these fields."""
    assert (answer.status, answer.body and answer.body.get("code")) == (status, code), answer.raw[:300]
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [violation["field"] for violation in answer.body["field_violations"]] == list(fields), answer.body
    assert answer.body["status"] == status
    assert answer.body["type"] == f"/docs#{code}"
    assert answer.body["request_id"] == answer.headers["X-Request-Id"]
    assert answer.body["title"]
    assert answer.body["detail"]


@dataclass(frozen=True)
class Case:
    """A body for POST /v1/messages and what is answered."""

    body: Any
    code: str
    fields: tuple[str, ...] = ()
    status: int = 400


BODIES = {
    "number with letters": Case({**GOOD, "to": "+55119x"}, "INVALID_PHONE_NUMBER", ("to",)),
    "number without plus": Case({**GOOD, "to": "5511987654321"}, "INVALID_PHONE_NUMBER", ("to",)),
    "what is no channel": Case({**GOOD, "to": "news@newsletter"}, "INVALID_ARGUMENT", ("to",)),
    "a broadcast list": Case({**GOOD, "to": "1700000000@broadcast"}, "RECIPIENT_NOT_SUPPORTED", status=501),
    "a status for nobody": Case({**GOOD, "to": "status@broadcast"}, "INVALID_ARGUMENT", ("audience",)),
    "number missing": Case({"text": {"body": "x"}}, "INVALID_PHONE_NUMBER", ("to",)),
    "no content": Case({"to": CUSTOMER}, "INVALID_ARGUMENT", ("text",)),
    "empty text": Case({**GOOD, "text": {"body": ""}}, "TEXT_EMPTY", ("text.body",)),
    "blank text": Case({**GOOD, "text": {"body": " \n\t"}}, "TEXT_EMPTY", ("text.body",)),
    "long text": Case(
        {**GOOD, "text": {"body": "x" * (MAX_TEXT_CHARACTERS + 1)}}, "TEXT_TOO_LONG", ("text.body",)
    ),
    "unknown field": Case({**GOOD, "colour": 1}, "UNKNOWN_FIELD", ("colour",)),
    "unknown field inside": Case(
        {**GOOD, "text": {"body": "x", "font": "y"}}, "UNKNOWN_FIELD", ("text.font",)
    ),
    "two unknown fields": Case({**GOOD, "b": 1, "a": 2}, "UNKNOWN_FIELD", ("b", "a")),
    "text for a number": Case({**GOOD, "timeout_s": "soon"}, "INVALID_ARGUMENT", ("timeout_s",)),
    "number for a text": Case({**GOOD, "to": 5511987654321}, "INVALID_ARGUMENT", ("to",)),
    "list for an object": Case({**GOOD, "text": ["x"]}, "INVALID_ARGUMENT", ("text",)),
    "unknown lane": Case({**GOOD, "lane": "FAST"}, "INVALID_ARGUMENT", ("lane",)),
    "lane without a name": Case({**GOOD, "lane": 77}, "INVALID_ARGUMENT", ("lane",)),
    "no time": Case({**GOOD, "send_at": "tomorrow"}, "INVALID_ARGUMENT", ("send_at",)),
    "too far a time": Case({**GOOD, "send_at": "9999-01-01T00:00:00Z"}, "INVALID_ARGUMENT", ("send_at",)),
    "status to wait for": Case({**GOOD, "wait": "QUEUED"}, "INVALID_ARGUMENT", ("wait",)),
    "too long a wait": Case({**GOOD, "wait": "SENT", "timeout_s": 61}, "INVALID_ARGUMENT", ("timeout_s",)),
    "nul character": Case({**GOOD, "text": {"body": "a\0b"}}, "INVALID_ARGUMENT", ("text.body",)),
    "half a surrogate pair": Case({**GOOD, "text": {"body": "\ud800"}}, "INVALID_ARGUMENT", ("text.body",)),
    "session that is none": Case({**GOOD, "session_id": "x"}, "NOT_FOUND", (), 404),
    "long idempotency key": Case(
        {**GOOD, "idempotency_key": "k" * 256}, "INVALID_ARGUMENT", ("idempotency_key",)
    ),
}


@pytest.mark.parametrize("name", BODIES)
async def test_bad_message_is_refused_with_its_code(client: RestClient, name: str) -> None:
    case = BODIES[name]
    answer = await client.ask("POST", "/v1/messages", data=json.dumps(case.body).encode(), headers=JSON)
    assert_problem(answer, case.status, case.code, *case.fields)
    assert (await client.ask("GET", "/v1/messages")).body["messages"] == []


BROKEN_JSON = {
    "cut off": (b'{"to": "x", ', "line 1, column 13"),
    "second line": (b'{"to":\n oops}', "line 2, column 2"),
    "not utf-8": (b'{"to": "\xff"}', "byte 9"),
    "a list": (b"[1]", "object"),
    "a word": (b"null", "object"),
    "nan": (b'{"timeout_s": NaN}', "NaN"),
    "a name twice": (b'{"to": "1", "to": "2"}', "twice"),
    "nested deeply": (b'{"a":' * 60_000, "nested"),
    "a number of 5000 digits": (b'{"timeout_s": ' + b"9" * 5000 + b"}", "not valid JSON"),
}


@pytest.mark.parametrize("name", BROKEN_JSON)
async def test_broken_json_says_where(client: RestClient, name: str) -> None:
    data, hint = BROKEN_JSON[name]
    answer = await client.ask("POST", "/v1/messages", data=data, headers=JSON)
    assert_problem(answer, 400, "INVALID_JSON")
    assert hint in answer.body["detail"]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"]
)
async def test_other_content_type_is_refused(client: RestClient, content_type: str) -> None:
    answer = await client.ask(
        "POST", "/v1/messages", data=json.dumps(GOOD).encode(), headers={"Content-Type": content_type}
    )
    assert_problem(answer, 415, "UNSUPPORTED_CONTENT_TYPE")


async def test_body_over_the_limit_is_refused_whether_its_length_is_told_or_not(client: RestClient) -> None:
    data = b'{"to": "' + b"1" * (1024 * 1024) + b'"}'

    async def chunks() -> Any:
        for start in range(0, len(data), 65536):
            yield data[start : start + 65536]

    told = await client.ask("POST", "/v1/messages", data=io.BytesIO(data), headers=JSON)
    untold = await client.ask("POST", "/v1/messages", data=chunks(), headers=JSON)
    assert_problem(told, 413, "BODY_TOO_LARGE")
    assert_problem(untold, 413, "BODY_TOO_LARGE")


async def test_longest_text_is_taken(client: RestClient) -> None:
    answer = await client.ask("POST", "/v1/messages", {**GOOD, "text": {"body": "x" * MAX_TEXT_CHARACTERS}})
    assert answer.status == 202


async def test_unlinked_session_refuses_and_an_offline_one_queues(api: RunningApi, make: Factories) -> None:
    company_id, client = await api.company()
    scope = CompanyScope(company_id)
    fresh = await make.session(scope)
    refused = await client.ask("POST", "/v1/messages", {**GOOD, "session_id": fresh.id})
    assert_problem(refused, 409, "SESSION_NOT_LINKED")
    offline = await make.linked_session(scope, state=SessionState.RECONNECTING.value)
    queued = await client.ask("POST", "/v1/messages", {**GOOD, "session_id": offline.id})
    assert (queued.status, queued.body["status"]) == (202, "QUEUED")
    unnamed = await client.ask("POST", "/v1/messages", GOOD)
    assert_problem(unnamed, 409, "SESSION_AMBIGUOUS")


CREDENTIALS = {
    "none": (None, "CREDENTIAL_MISSING"),
    "empty": ("", "CREDENTIAL_MISSING"),
    "no secret": ("Bearer ", "CREDENTIAL_MISSING"),
    "another scheme": ("Basic YTpi", "CREDENTIAL_MISSING"),
    "unknown": ("Bearer ponte_unknown", "CREDENTIAL_INVALID"),
    "not ascii": ("Bearer schlüssel", "CREDENTIAL_INVALID"),
    "very long": ("Bearer " + "x" * 4000, "CREDENTIAL_INVALID"),
}


@pytest.mark.parametrize("name", CREDENTIALS)
async def test_bad_credential_is_401(api: RunningApi, name: str) -> None:
    value, code = CREDENTIALS[name]
    headers = {} if value is None else {"Authorization": value}
    answer = await api.anonymous.ask("GET", "/v1/sessions", headers=headers)
    assert_problem(answer, 401, code)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_body_is_not_read_for_strangers(api: RunningApi) -> None:
    answer = await api.anonymous.ask("POST", "/v1/messages", data=b"{broken", headers=JSON)
    assert_problem(answer, 401, "CREDENTIAL_MISSING")


QUERIES = {
    "unknown": ("/v1/messages?colour=red", "UNKNOWN_FIELD", "colour"),
    "no number": ("/v1/messages?page_size=ten", "INVALID_ARGUMENT", "page_size"),
    "fraction": ("/v1/messages?page_size=1.5", "INVALID_ARGUMENT", "page_size"),
    "too large a page": ("/v1/messages?page_size=501", "INVALID_ARGUMENT", "page_size"),
    "negative page": ("/v1/messages?page_size=-1", "INVALID_ARGUMENT", "page_size"),
    "beyond 32 bits": ("/v1/messages?page_size=99999999999", "INVALID_ARGUMENT", "page_size"),
    "twice": ("/v1/messages?page_size=1&page_size=2", "INVALID_ARGUMENT", "page_size"),
    "unknown status": ("/v1/messages?status=GONE", "INVALID_ARGUMENT", "status"),
    "no time": ("/v1/messages?created_after=yesterday", "INVALID_ARGUMENT", "created_after"),
    "chat": ("/v1/messages?chat=hello", "INVALID_PHONE_NUMBER", "chat"),
    "negative sequence": ("/v1/events?after=-1", "INVALID_ARGUMENT", "after"),
    "beyond 64 bits": ("/v1/events?after=99999999999999999999", "INVALID_ARGUMENT", "after"),
    "unknown type": ("/v1/events?types=weather.*", "INVALID_ARGUMENT", "types[0]"),
    "event stream": ("/v1/events/stream?after=x", "INVALID_ARGUMENT", "after"),
    "nul": ("/v1/messages?chat=%00", "INVALID_ARGUMENT", "chat"),
    "path field": ("/v1/sessions/x?session_id=y", "UNKNOWN_FIELD", "session_id"),
}


@pytest.mark.parametrize("name", QUERIES)
async def test_bad_query_names_its_parameter(client: RestClient, name: str) -> None:
    path, code, field = QUERIES[name]
    assert_problem(await client.ask("GET", path), 400, code, field)


async def test_foreign_page_token_is_refused(client: RestClient) -> None:
    for path in ("/v1/messages", "/v1/sessions", "/v1/webhooks"):
        answer = await client.ask("GET", f"{path}?page_token=bm90IG91cnM")
        assert (answer.status, answer.body["code"]) == (400, "INVALID_PAGE_TOKEN"), path


PATHS = {
    "nothing there": ("GET", "/v1/nothing", 404, "UNKNOWN_PATH"),
    "trailing slash": ("GET", "/v1/sessions/", 404, "UNKNOWN_PATH"),
    "double slash": ("GET", "/v1//sessions", 404, "UNKNOWN_PATH"),
    "unknown verb of a thing": ("POST", "/v1/sessions/x:fly", 404, "UNKNOWN_PATH"),
    "method": ("PUT", "/v1/sessions", 405, "METHOD_NOT_ALLOWED"),
    "get of a custom verb": ("GET", "/v1/sessions/x:start", 405, "METHOD_NOT_ALLOWED"),
    "id that is none": ("GET", "/v1/sessions/x", 404, "NOT_FOUND"),
    "encoded slash": ("GET", "/v1/sessions/a%2Fb", 404, "NOT_FOUND"),
    "id with a nul": ("GET", "/v1/sessions/a%00b", 400, "INVALID_ARGUMENT"),
}


@pytest.mark.parametrize("name", PATHS)
async def test_bad_path_or_method(client: RestClient, name: str) -> None:
    verb, path, status, code = PATHS[name]
    answer = await client.ask(verb, path)
    assert (answer.status, answer.body["code"]) == (status, code), answer.body
    if status == 405:
        assert answer.headers["Allow"]


async def test_field_in_body_and_query_is_refused(client: RestClient) -> None:
    answer = await client.ask("POST", "/v1/messages?wait=SENT", {**GOOD, "wait": "READ"})
    assert_problem(answer, 400, "INVALID_ARGUMENT", "wait")


async def test_path_and_body_that_disagree_are_refused(client: RestClient) -> None:
    answer = await client.ask("POST", "/v1/sessions/one:start", {"session_id": "two"})
    assert_problem(answer, 400, "INVALID_ARGUMENT", "session_id")


async def test_idempotency_key_of_header_makes_one_message(client: RestClient) -> None:
    headers = {"Idempotency-Key": "order-7"}
    first = await client.ask("POST", "/v1/messages", GOOD, headers=headers)
    again = await client.ask("POST", "/v1/messages", GOOD, headers=headers)
    assert (first.status, again.status) == (202, 202)
    assert first.body["id"] == again.body["id"]
    other = await client.ask("POST", "/v1/messages", {**GOOD, "text": {"body": "Other"}}, headers=headers)
    assert_problem(other, 409, "IDEMPOTENCY_KEY_REUSED")
    disagreeing = await client.ask(
        "POST", "/v1/messages", {**GOOD, "idempotency_key": "else"}, headers=headers
    )
    assert_problem(disagreeing, 400, "INVALID_ARGUMENT", "idempotency_key")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1:9/hook", "URL_NOT_ALLOWED"),
        ("http://10.1.2.3/hook", "URL_NOT_ALLOWED"),
        ("http://[::1]/hook", "URL_NOT_ALLOWED"),
        ("ftp://example.com/", "INVALID_URL"),
        ("nonsense", "INVALID_URL"),
    ],
)
async def test_webhook_into_a_private_network_is_refused(client: RestClient, url: str, code: str) -> None:
    assert_problem(await client.ask("POST", "/v1/webhooks", {"url": url}), 400, code, "url")


async def test_unknown_scope_of_a_key_is_named(api: RunningApi) -> None:
    company_id, _ = await api.company()
    body = {"name": "k", "scopes": ["messages:send", "messages:burn"]}
    answer = await api.admin.ask("POST", f"/v1/companies/{company_id}/keys", body)
    assert_problem(answer, 400, "INVALID_ARGUMENT", "scopes[1]")


async def test_list_item_of_the_wrong_kind_is_named(client: RestClient) -> None:
    answer = await client.ask("POST", "/v1/contacts:check", {"phone_numbers": [CUSTOMER, 5]})
    assert_problem(answer, 400, "INVALID_ARGUMENT", "phone_numbers[1]")


async def raw_grpc_error(api: RunningApi, key: str | None, method: str, data: bytes) -> GrpcError:
    """Send bytes as they are and give the error."""
    send: Any = api.channel.unary_unary(method)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await send(data, metadata=api.metadata(key))
    return read_grpc_error(caught.value)


async def test_grpc_refuses_bytes_that_are_no_message(api: RunningApi, client: RestClient) -> None:
    error = await raw_grpc_error(api, client.key, "/ponte.v1.MessageService/SendMessage", b"\xff\xff\xff")
    assert (error.code, error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")


async def test_grpc_refuses_a_request_over_the_limit(api: RunningApi, client: RestClient) -> None:
    data = b"\x12" + b"\x81\x80\x80\x01" + b"1" * (2 * 1024 * 1024 + 1)
    error = await raw_grpc_error(api, client.key, "/ponte.v1.MessageService/SendMessage", data)
    assert (error.code, error.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "BODY_TOO_LARGE")


async def test_grpc_refuses_a_method_that_is_none(api: RunningApi, client: RestClient) -> None:
    error = await raw_grpc_error(api, client.key, "/ponte.v1.MessageService/Burn", b"")
    assert error.code is grpc.StatusCode.UNIMPLEMENTED
