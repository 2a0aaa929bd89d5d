"""What every call between processes carries: the shared secret, the company, and errors by their code."""

import hmac
from collections.abc import Iterable

import grpc
from grpc.aio import AioRpcError

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import ErrorKind, PonteError

_AUTHORIZATION = "authorization"
_COMPANY = "ponte-company-id"
ERROR_CODE = "ponte-error-code"

_MAX_MESSAGE_BYTES = 64 * 1024 * 1024

SERVER_OPTIONS = (
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.so_reuseport", 0),
    # Callers ping every 20 s while a call runs; by default more than one in 5 minutes ends the connection.
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
)
CLIENT_OPTIONS = (
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # A gateway whose machine is gone answers no ping: its calls fail after 30 s instead of never.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
)

STATUSES = {kind: grpc.StatusCode[kind.value] for kind in ErrorKind}

Metadata = tuple[tuple[str, str], ...]

BEGUN_METADATA = (("ponte-begun", "1"),)
"""First thing that a gateway answers once it has taken messages: a call that fails without it has sent nothing."""


def call_metadata(secret: str, scope: CompanyScope) -> Metadata:
    """What a caller sends."""
    return ((_AUTHORIZATION, f"Bearer {secret}"), (_COMPANY, scope.company_id))


def admit(secret: str, metadata: Iterable[tuple[str, str | bytes]]) -> CompanyScope:
    """The company that a call is for; raises PonteError(CREDENTIAL_INVALID) where the secret is not ours."""
    sent = {name: value.decode() if isinstance(value, bytes) else value for name, value in metadata}
    expected = f"Bearer {secret}".encode()
    if not secret or not hmac.compare_digest(sent.get(_AUTHORIZATION, "").encode(), expected):
        raise PonteError(errors.CREDENTIAL_INVALID)
    return CompanyScope(sent.get(_COMPANY, ""))


def to_ponte_error(error: AioRpcError) -> PonteError:
    """The error that the other process raised, or GATEWAY_UNAVAILABLE where it was not reached."""
    for name, value in error.trailing_metadata() or ():
        if name == ERROR_CODE and str(value) in errors.CODES:
            return PonteError(errors.CODES[str(value)], error.details() or "")
    return PonteError(errors.GATEWAY_UNAVAILABLE)
