"""The contract and what serves it belong together: files, handlers, enums, routes."""

from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from orchestrator._generated.ponte.v1 import message_pb2, session_pb2, webhook_pb2
from orchestrator.api.application import public_handlers
from orchestrator.api.http.success import success_status
from orchestrator.api.methods import PUBLIC_FILES, public_methods
from orchestrator.api.rpc.registry import handler_name, handlers_of
from orchestrator.domain.message import Direction, Lane, MessageStatus
from orchestrator.domain.session import DesiredState, SessionState
from orchestrator.domain.webhook import DeliveryStatus
from orchestrator.services.session_pairing import PairingMethod

PROTO = Path(__file__).resolve().parents[3] / "proto"


def test_every_file_of_the_public_contract_is_served() -> None:
    files = {str(path.relative_to(PROTO)) for path in (PROTO / "ponte" / "v1").glob("*.proto")}
    assert {file.name for file in PUBLIC_FILES} == files


def test_every_method_has_a_handler(api_services: Any) -> None:
    assert set(public_handlers(api_services)) == {method.full_name for method in public_methods()}


def test_missing_handler_keeps_the_api_from_starting() -> None:
    with pytest.raises(LookupError, match=r"ponte\.v1\.\w+/\w+ has no handler"):
        handlers_of(())


def test_handler_names() -> None:
    assert handler_name("SendMessage") == "send_message"
    assert handler_name("Subscribe") == "subscribe"


def test_no_two_methods_share_a_route() -> None:
    routes = [(method.http_verb, method.http_path) for method in public_methods()]
    assert len(set(routes)) == len(routes)


@pytest.mark.parametrize(
    ("values", "enum"),
    [
        (MessageStatus, message_pb2.Message.Status),
        (Direction, message_pb2.Message.Direction),
        (Lane, message_pb2.Message.Lane),
        (SessionState, session_pb2.Session.State),
        (DesiredState, session_pb2.Session.DesiredState),
        (PairingMethod, session_pb2.PairSessionRequest.Method),
        (DeliveryStatus, webhook_pb2.Delivery.Status),
    ],
)
def test_enums_of_domain_and_contract_have_the_same_names(values: type[StrEnum], enum: Any) -> None:
    names = {name for name in enum.keys() if not name.endswith("_UNSPECIFIED")}  # noqa: SIM118 - no dict
    assert {value.value for value in values} == names


def test_statuses_of_good_answers() -> None:
    statuses = {method.name: success_status(method) for method in public_methods()}
    assert statuses["SendMessage"] == 202
    assert statuses["CreateSession"] == statuses["CreateKey"] == 201
    assert statuses["DeleteWebhook"] == 204
    assert statuses["GetSession"] == statuses["PairSession"] == 200
