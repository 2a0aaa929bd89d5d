"""What the security walk needs: every method by reflection, and real things to name in its requests."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import grpc
from google.api import annotations_pb2
from google.protobuf import json_format
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import Default
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

PUBLIC_PACKAGE = "ponte.v1."

Resources = Mapping[str, str]
"""Ids by the name of the request field that takes them."""

Outcome = tuple[str, Any]
"""How a door answered: ("ok", the answer) or ("refused", everything that the error says)."""


@dataclass(frozen=True)
class WalkedMethod:
    """A public method as a running server describes it."""

    descriptor: MethodDescriptor
    verb: str
    path: str

    @property
    def name(self) -> str:
        """The full name, in gRPC's form."""
        return f"{self.descriptor.containing_service.full_name}/{self.descriptor.name}"

    @property
    def is_administrators(self) -> bool:
        """True for methods on companies, which only the administrator has."""
        return self.descriptor.containing_service.name in (
            "CompanyService",
            "KeyService",
            "PolicyAdminService",
        )

    @property
    def id_fields(self) -> list[str]:
        """The fields of the request that name things."""
        return [field.name for field in self.descriptor.input_type.fields if field.name.endswith("_id")]

    def request(self, resources: Resources) -> Message:
        """A request that names these things, and is otherwise as good as the field's kind allows."""
        request = GetMessageClass(self.descriptor.input_type)()
        for name in self.id_fields:
            setattr(request, name, _known(resources, name))
        for name, value in _GOOD.get(self.descriptor.input_type.name, {}).items():
            _put(request, name, value)
        return request

    def rest(self, resources: Resources) -> tuple[str, dict[str, Any] | None]:
        """The path and body of the same request over REST."""
        path, rest = self.path, {}
        for name in self.id_fields:
            if f"{{{name}}}" in path:
                path = path.replace(f"{{{name}}}", _known(resources, name))
            else:
                rest[name] = _known(resources, name)
        assert "{" not in path, f"the walk has nothing to put into {path}"
        if self.verb in ("POST", "PATCH"):
            return path, {**_GOOD.get(self.descriptor.input_type.name, {}), **rest}
        return (f"{path}?{urlencode(rest)}" if rest else path), None


def _known(resources: Resources, name: str) -> str:
    assert name in resources, f"the walk has no thing for the field {name}: make one in the fixture `owned`"
    return resources[name]


_GOOD: dict[str, dict[str, Any]] = {
    "CreateCompanyRequest": {"name": "Walker"},
    "UpdateCompanyRequest": {"name": "Walker"},
    "CreateKeyRequest": {"name": "Walker"},
    "CreateSessionRequest": {"name": "Walker"},
    "SendMessageRequest": {"to": "+5511955554444", "text": {"body": "Walker"}},
    "ShowActivityRequest": {"chat": "+5511955554444", "activity": "TYPING"},
    "BlockContactRequest": {"contact": "+5511955554444"},
    "UnblockContactRequest": {"contact": "+5511955554444"},
    "WatchPresenceRequest": {"contact": "+5511955554444"},
    "ChannelRequest": {"channel": "120363000000000001@newsletter"},
    "CheckContactsRequest": {"phone_numbers": ["+5511955554444"]},
    "CreateWebhookRequest": {"url": "https://example.com/walker"},
    "UpdateWebhookRequest": {"url": "https://example.com/walker"},
    "SubscribeRequest": {"after": 0},
    "CreateCampaignRequest": {
        "name": "Walker",
        "variants": [{"text": f"Wording {number}"} for number in range(5)],
    },
    "UpdateCampaignRequest": {
        "name": "Walker",
        "variants": [{"text": f"Wording {number}"} for number in range(5)],
    },
    "CreateRecipientListRequest": {"name": "Walker"},
    "ImportRecipientsRequest": {"recipients": [{"phone_number": "+5511955554444"}]},
    "UpdatePolicyRequest": {"figures": {"limits.per_hour": "5"}},
    "RaisePolicyRequest": {
        "figures": {"limits.per_hour": "5"},
        "reason": "Walker",
        "expires_at": "2026-01-06T00:00:00Z",
    },
    "DeclareMatureRequest": {"reason": "Walker"},
    "AddSuppressionsRequest": {"phone_numbers": ["+5511955553333"]},
    "RemoveSuppressionRequest": {"phone_number": "+5511955553333"},
    "RecordOptInsRequest": {"opt_ins": [{"phone_number": "+5511955554444", "source": "Walker"}]},
    "CreateGroupRequest": {"subject": "Walker"},
    "UpdateGroupRequest": {"subject": "Walker"},
    "GroupParticipantsRequest": {"participants": ["+5511955554444"]},
    "ReadInviteRequest": {"link": "https://chat.whatsapp.com/Walker123"},
    "JoinGroupRequest": {"link": "https://chat.whatsapp.com/Walker123"},
    "RequestOlderMessagesRequest": {"chat": "+5511955554444"},
    "CreateImportRequest": {"chat": "+5511955554444", "own_name": "Walker"},
    "CreateMediaRequest": {"url": "https://example.com/walker"},
}
"""What a request needs besides ids so that nothing but the caller is wrong with it."""


def _put(request: Message, name: str, value: Any) -> None:
    json_format.ParseDict({name: value}, request)


async def walk(channel: grpc.aio.Channel) -> list[WalkedMethod]:
    """Ask a running server for all its public methods."""
    services = [name for name in await _list_services(channel) if name.startswith(PUBLIC_PACKAGE)]
    assert services, "reflection shows no public service"
    methods = []
    for service in services:
        described = Default().FindServiceByName(service)
        # What the server says, not what this process has loaded, decides which methods there are.
        assert await _served_methods(channel, service) == {method.name for method in described.methods}, (
            service
        )
        methods += [_walked(method) for method in described.methods]
    return methods


def _walked(method: MethodDescriptor) -> WalkedMethod:
    rule = method.GetOptions().Extensions[annotations_pb2.http]
    verb = rule.WhichOneof("pattern")
    assert verb, f"{method.full_name} has no REST route"
    return WalkedMethod(method, verb.upper(), getattr(rule, verb))


async def _list_services(channel: grpc.aio.Channel) -> list[str]:
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    answer = await _reflect(channel, request)
    return [service.name for service in answer.list_services_response.service]


async def _served_methods(channel: grpc.aio.Channel, service: str) -> set[str]:
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=service)
    answer = await _reflect(channel, request)
    for data in answer.file_descriptor_response.file_descriptor_proto:
        file = FileDescriptorProto.FromString(data)
        for candidate in file.service:
            if f"{file.package}.{candidate.name}" == service:
                return {method.name for method in candidate.method}
    raise AssertionError(f"reflection does not describe {service}")


async def _reflect(
    channel: grpc.aio.Channel, request: reflection_pb2.ServerReflectionRequest
) -> reflection_pb2.ServerReflectionResponse:
    async def requests() -> AsyncIterator[reflection_pb2.ServerReflectionRequest]:
        yield request

    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    async for answer in stub.ServerReflectionInfo(requests()):
        return answer
    raise AssertionError("reflection answers nothing")
