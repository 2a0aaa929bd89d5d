"""How the bridge fails: its own error codes and gRPC's, as errors and closures of the domain."""

from grpc.aio import AioRpcError

from orchestrator.domain import errors
from orchestrator.domain.closing import Closed
from orchestrator.domain.errors import PonteError

BRIDGE_LOST = "bridge_lost"
"""Reason of a closure when the stream broke before the bridge said why: mostly its process died."""

NOT_CONNECTED = "not_connected"
"""Reason of a message that was not handed to the bridge, since the stream had ended."""

STREAM_ENDED = "stream_ended"
"""Reason of a message that was handed to the bridge and not answered before the stream ended."""

NO_ANSWER = "no_answer"
"""Reason of a message that the bridge did not answer in time."""


def stream_lost(error: AioRpcError | None) -> Closed:
    """The closure for a stream that ended without one; `error` is None where it ended in good order."""
    if error is None:
        return Closed(0, BRIDGE_LOST, "the stream ended without a reason")
    return Closed(0, BRIDGE_LOST, f"{error.code().name}: {error.details()}")


def stream_ended() -> PonteError:
    """The error of a question whose stream ended before the answer."""
    return PonteError(
        errors.GATEWAY_UNAVAILABLE, "The connection to WhatsApp was lost; try again in a moment."
    )


def answer_late(seconds: float) -> PonteError:
    """The error of a question that was not answered in time."""
    return PonteError(
        errors.GATEWAY_UNAVAILABLE, f"WhatsApp did not answer in {seconds:g} s; try again in a moment."
    )


def refused(code: str, detail: str) -> PonteError:
    """The error of a question that the bridge answered with one of its codes (commands/query-error.ts)."""
    if code == "RATE_LIMITED":
        return PonteError(errors.WHATSAPP_RATE_LIMITED)
    if code == "QUERY_FAILED":
        return PonteError(errors.GATEWAY_UNAVAILABLE, f"WhatsApp refused the question: {detail}")
    if code == "TIMED_OUT":
        return PonteError(
            errors.GATEWAY_UNAVAILABLE, "WhatsApp did not answer in time; try again in a moment."
        )
    return PonteError(errors.GATEWAY_UNAVAILABLE)
