"""Every public method, found by reflection, over gRPC and REST: no one gets in who should not.

A new method is walked by itself; one whose request names a new kind of thing fails here until `owned` makes one.
"""

import asyncio
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import grpc
import pytest
from aiohttp import FormData
from google.protobuf.json_format import MessageToDict
from google.protobuf.message_factory import GetMessageClass
from grpc_status import rpc_status

from orchestrator.api.rpc.permissions import REQUIRED
from orchestrator.domain.company import CompanyScope, Scope
from tests.integration.api.harness import ADMIN_KEY, RestClient, RunningApi
from tests.integration.api.walk import Outcome, Resources, WalkedMethod, walk
from tests.support.factories import Factories

STREAM_S = 0.4
"""How long a stream that should stay silent is listened to."""


@dataclass(frozen=True)
class Owner:
    """A company with one thing of every kind."""

    client: RestClient
    resources: Resources
    secret_text: str

    @property
    def traces(self) -> list[str]:
        """What must not be seen by others."""
        return [*self.resources.values(), self.secret_text]


async def make_owner(api: RunningApi, make: Factories, name: str, number: str) -> Owner:
    """Make a company that has everything: a linked session, a message, events, a webhook, a delivery, a key."""
    company_id, client = await api.company(name)
    scope = CompanyScope(company_id)
    session = await make.linked_session(scope, number)
    message = await make.message(scope, session, text=f"secret of {name}")
    hook = await client.ask("POST", "/v1/webhooks", {"url": "https://example.com/hook"})
    webhook_id = hook.body["webhook"]["id"]
    delivery = await client.ask("POST", f"/v1/webhooks/{webhook_id}:test", {})
    keys = await api.admin.ask("GET", f"/v1/companies/{company_id}/keys")
    file = await client.ask("POST", "/v1/media", data=FormData({"file": BytesIO(name.encode())}))
    people = await client.ask("POST", "/v1/recipient-lists", {"name": name})
    list_id = people.body["id"]
    given = {"recipients": [{"phone_number": number}]}
    taken_in = await client.ask("POST", f"/v1/recipient-lists/{list_id}:import", given)
    campaign = await client.ask(
        "POST",
        "/v1/campaigns",
        {
            "name": name,
            "recipient_list_id": list_id,
            "session_ids": [session.id],
            "variants": [{"text": f"Wording {wording}"} for wording in range(5)],
        },
    )
    group_jid = f"120363{number.removeprefix('+')}@g.us"
    await make.group(scope, session, group_jid)
    resources = {
        "group_id": group_jid,
        "company_id": company_id,
        "recipient_list_id": list_id,
        "import_id": taken_in.body["id"],
        "conversation_import_id": await make.conversation_import(scope, session),
        "campaign_id": campaign.body["id"],
        "session_id": session.id,
        "message_id": message.id,
        "webhook_id": webhook_id,
        "delivery_id": delivery.body["id"],
        "media_id": file.body["id"],
        "key_id": keys.body["keys"][0]["id"],
    }
    return Owner(client, resources, f"secret of {name}")


@pytest.fixture
async def owned(api: RunningApi, make: Factories) -> Owner:
    """The company that others try to get at."""
    return await make_owner(api, make, "Acme", "+5511900000001")


@pytest.fixture
async def stranger(api: RunningApi, make: Factories) -> Owner:
    """Another company, with things of its own."""
    return await make_owner(api, make, "Other", "+5511900000002")


@pytest.fixture
async def methods(api: RunningApi) -> Sequence[WalkedMethod]:
    """All public methods of the running server."""
    return await walk(api.channel)


async def over_grpc(api: RunningApi, method: WalkedMethod, key: str | None, resources: Resources) -> Outcome:
    """Call a method over gRPC; of a stream, what came within STREAM_S."""
    descriptor = method.descriptor
    answer_class = GetMessageClass(descriptor.output_type)
    request, metadata = method.request(resources), api.metadata(key)
    path = f"/{method.name}"
    try:
        if descriptor.server_streaming:
            stream = api.channel.unary_stream(path, _serialize, answer_class.FromString)(
                request, metadata=metadata
            )
            return "ok", await _first_of_stream(stream)
        call = api.channel.unary_unary(path, _serialize, answer_class.FromString)
        return "ok", MessageToDict(await call(request, metadata=metadata), preserving_proto_field_name=True)
    except grpc.aio.AioRpcError as error:
        status: Any = rpc_status.from_call(error)
        details = [MessageToDict(detail) for detail in status.details if "RequestInfo" not in detail.type_url]
        return "refused", (error.code().name, error.details(), json.dumps(details, sort_keys=True))


async def _first_of_stream(stream: Any) -> list[Any]:
    seen: list[Any] = []
    try:
        async with asyncio.timeout(STREAM_S):
            async for message in stream:
                seen.append(MessageToDict(message, preserving_proto_field_name=True))  # noqa: PERF401 - kept at the time-out
    except TimeoutError:
        stream.cancel()
    return seen


def _serialize(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return data


async def over_rest(client: RestClient, method: WalkedMethod, resources: Resources) -> Outcome:
    """Call a method over REST; of a stream, what came within STREAM_S."""
    path, body = method.rest(resources)
    if method.descriptor.server_streaming:
        return await _over_sse(client, path)
    answer = await client.ask(method.verb, path, body)
    if answer.status < 400:
        return "ok", answer.body
    problem = {name: value for name, value in answer.body.items() if name != "request_id"}
    return "refused", (answer.status, json.dumps(problem, sort_keys=True))


async def _over_sse(client: RestClient, path: str) -> Outcome:
    async with client.http.get(client.url + path, headers=client.headers) as answer:
        if answer.status >= 400:
            problem = await answer.json(content_type=None)
            del problem["request_id"]
            return "refused", (answer.status, json.dumps(problem, sort_keys=True))
        seen = b""
        try:
            async with asyncio.timeout(STREAM_S):
                async for chunk in answer.content.iter_any():
                    seen += chunk
        except TimeoutError:
            pass
        return "ok", seen.decode()


async def both_doors(
    api: RunningApi, method: WalkedMethod, key: str | None, resources: Resources
) -> tuple[Outcome, Outcome]:
    """Call a method over gRPC, then over REST."""
    by_grpc = await over_grpc(api, method, key, resources)
    by_rest = await over_rest(api.admin.with_key(key), method, resources)
    return by_grpc, by_rest


def assert_refused(
    method: WalkedMethod, outcomes: tuple[Outcome, Outcome], grpc_status: str, http: int, code: str
) -> None:
    """Both doors refuse with this status and code."""
    (grpc_kind, grpc_error), (rest_kind, rest_error) = outcomes
    assert grpc_kind == "refused", f"{method.name} let someone in over gRPC: {grpc_error}"
    assert rest_kind == "refused", f"{method.name} let someone in over REST: {rest_error}"
    assert grpc_error[0] == grpc_status, (method.name, grpc_error)
    assert f'"{code}"' in grpc_error[2], (method.name, grpc_error)
    assert rest_error[0] == http, (method.name, rest_error)
    assert json.loads(rest_error[1])["code"] == code, (method.name, rest_error)


async def test_every_method_of_the_contract_is_walked(methods: Sequence[WalkedMethod]) -> None:
    assert {method.name for method in methods} == set(REQUIRED)


async def test_no_key_is_refused(api: RunningApi, methods: Sequence[WalkedMethod], owned: Owner) -> None:
    for method in methods:
        outcomes = await both_doors(api, method, None, owned.resources)
        assert_refused(method, outcomes, "UNAUTHENTICATED", 401, "CREDENTIAL_MISSING")


async def test_wrong_key_is_refused(api: RunningApi, methods: Sequence[WalkedMethod], owned: Owner) -> None:
    assert owned.client.key
    wrong = owned.client.key[:-1] + ("A" if owned.client.key[-1] != "A" else "B")
    for method in methods:
        outcomes = await both_doors(api, method, wrong, owned.resources)
        assert_refused(method, outcomes, "UNAUTHENTICATED", 401, "CREDENTIAL_INVALID")


async def test_revoked_key_is_refused_at_once(
    api: RunningApi, methods: Sequence[WalkedMethod], owned: Owner
) -> None:
    company_id = owned.resources["company_id"]
    used = await owned.client.ask("GET", "/v1/sessions")
    assert used.status == 200
    await api.admin.ask("POST", f"/v1/companies/{company_id}/keys/{owned.resources['key_id']}:revoke", {})
    for method in methods:
        outcomes = await both_doors(api, method, owned.client.key, owned.resources)
        assert_refused(method, outcomes, "UNAUTHENTICATED", 401, "CREDENTIAL_INVALID")


async def test_key_of_a_deleted_company_is_refused(
    api: RunningApi, methods: Sequence[WalkedMethod], owned: Owner
) -> None:
    await owned.client.ask("GET", "/v1/sessions")
    gone = await api.admin.ask("DELETE", f"/v1/companies/{owned.resources['company_id']}")
    assert gone.status == 204
    for method in methods:
        outcomes = await both_doors(api, method, owned.client.key, owned.resources)
        assert_refused(method, outcomes, "UNAUTHENTICATED", 401, "CREDENTIAL_INVALID")


async def test_key_without_the_scope_is_refused(
    api: RunningApi, methods: Sequence[WalkedMethod], owned: Owner
) -> None:
    keys: dict[Scope, str] = {}
    for scope in Scope:
        made = await api.admin.ask(
            "POST",
            f"/v1/companies/{owned.resources['company_id']}/keys",
            {"name": scope.value, "scopes": [scope.value]},
        )
        keys[scope] = made.body["key"]
    for method in methods:
        for scope, key in keys.items():
            if scope is REQUIRED[method.name]:
                continue
            outcomes = await both_doors(api, method, key, owned.resources)
            assert_refused(method, outcomes, "PERMISSION_DENIED", 403, "SCOPE_MISSING")


async def test_administrator_reads_nothing_of_a_company(
    api: RunningApi, methods: Sequence[WalkedMethod], owned: Owner
) -> None:
    for method in methods:
        if not method.is_administrators:
            outcomes = await both_doors(api, method, ADMIN_KEY, owned.resources)
            assert_refused(method, outcomes, "PERMISSION_DENIED", 403, "SCOPE_MISSING")


async def test_another_companys_things_are_as_unknown_as_things_that_never_were(
    api: RunningApi, methods: Sequence[WalkedMethod], owned: Owner, stranger: Owner
) -> None:
    before = await everything(api, owned)
    for method in methods:
        if method.is_administrators:
            outcomes = await both_doors(api, method, stranger.client.key, owned.resources)
            assert_refused(method, outcomes, "PERMISSION_DENIED", 403, "SCOPE_MISSING")
            continue
        # One thing of the other company at a time, the rest one's own; and all of them.
        for foreign in [*([name] for name in method.id_fields), method.id_fields]:
            await assert_tells_nothing(api, method, foreign, owned, stranger)
    assert await everything(api, owned) == before


async def assert_tells_nothing(
    api: RunningApi, method: WalkedMethod, foreign: Sequence[str], owned: Owner, stranger: Owner
) -> None:
    """The answer to a foreign id is word for word that to an id that never was, and shows nothing of its owner."""
    theirs = {**stranger.resources, **{name: owned.resources[name] for name in foreign}}
    nobodys = {**stranger.resources, **{name: str(uuid.uuid4()) for name in foreign}}
    to_theirs = await both_doors(api, method, stranger.client.key, theirs)
    to_nobodys = await both_doors(api, method, stranger.client.key, nobodys)
    for answer, reference in zip(to_theirs, to_nobodys, strict=True):
        if foreign:
            assert answer == reference, f"{method.name} tells foreign {foreign} from unknown"
        shown = json.dumps(answer, ensure_ascii=False)
        for trace in owned.traces:
            assert trace not in shown, f"{method.name} shows {trace} of another company"
    if any(f"{{{name}}}" in method.path for name in foreign):
        assert_refused(method, to_theirs, "NOT_FOUND", 404, "NOT_FOUND")


async def test_administrator_finds_a_key_under_its_own_company_only(
    api: RunningApi, owned: Owner, stranger: Owner
) -> None:
    path = f"/v1/companies/{stranger.resources['company_id']}/keys/{owned.resources['key_id']}:revoke"
    refused = await api.admin.ask("POST", path, {})
    assert refused.status == 404
    assert (await owned.client.ask("GET", "/v1/sessions")).status == 200


async def test_lists_and_streams_show_ones_own(
    api: RunningApi, methods: Sequence[WalkedMethod], owned: Owner, stranger: Owner
) -> None:
    """The walk above proves nothing if lists are empty for everybody."""
    shown = json.dumps(await everything(api, stranger), ensure_ascii=False)
    unlisted = {stranger.resources["key_id"], stranger.resources["media_id"]}
    for trace in stranger.traces:
        assert trace in shown or trace in unlisted
    for trace in owned.traces:
        assert trace not in shown


async def everything(api: RunningApi, owner: Owner) -> list[Any]:
    """All that a company can read of its own."""
    ids = owner.resources
    paths = [
        f"/v1/sessions/{ids['session_id']}",
        "/v1/sessions",
        f"/v1/messages/{ids['message_id']}",
        "/v1/messages",
        f"/v1/webhooks/{ids['webhook_id']}",
        "/v1/webhooks",
        f"/v1/webhooks/{ids['webhook_id']}/deliveries",
        "/v1/campaigns",
        f"/v1/campaigns/{ids['campaign_id']}/recipients",
        "/v1/recipient-lists",
        "/v1/groups?include_left=true",
        "/v1/imports",
        f"/v1/recipient-lists/{ids['recipient_list_id']}/imports",
        "/v1/events?page_size=500",
    ]
    answers = [await owner.client.ask("GET", path) for path in paths]
    assert [answer.status for answer in answers] == [200] * len(paths)
    stream = await _over_sse(owner.client, "/v1/events/stream?after=0")
    return [*(answer.body for answer in answers), stream]
