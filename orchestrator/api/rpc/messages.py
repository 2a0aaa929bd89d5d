"""ponte.v1.MessageService."""

from orchestrator._generated.ponte.v1 import message_pb2
from orchestrator.api.caller import Caller
from orchestrator.api.rpc import content, decode, encode
from orchestrator.domain.errors import INVALID_ARGUMENT, WAIT_TIMED_OUT, PonteError, invalid_field
from orchestrator.domain.message import Direction, Lane, Message, MessageStatus
from orchestrator.services.messages import FailedFilter, MessageFilter, MessageService, SubmitText

DEFAULT_WAIT_S = 10
LONGEST_WAIT_S = 60
_AWAITABLE = frozenset({MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ})
_Message = message_pb2.Message


class MessageMethods:
    """Messages of the caller's company."""

    service = "ponte.v1.MessageService"

    def __init__(self, messages: MessageService) -> None:
        self._messages = messages

    async def send_message(
        self, caller: Caller, request: message_pb2.SendMessageRequest
    ) -> message_pb2.Message:
        """Queue a message; with `wait` answer when it has got there. A request that is not valid queues nothing."""
        awaited = _awaited(request)
        wait_s = _wait_s(request)
        message = await self._messages.submit(caller.scope, _submission(request))
        if awaited is not None:
            message = await self._wait(caller, message.id, awaited, wait_s)
        return encode.message(message)

    async def get_message(
        self, caller: Caller, request: message_pb2.GetMessageRequest
    ) -> message_pb2.Message:
        """Look a message up."""
        return encode.message(await self._messages.get(caller.scope, request.message_id))

    async def list_messages(
        self, caller: Caller, request: message_pb2.ListMessagesRequest
    ) -> message_pb2.ListMessagesResponse:
        """List messages that match, newest first."""
        page = await self._messages.list(caller.scope, _filter(request), decode.page(request))
        return message_pb2.ListMessagesResponse(
            messages=[encode.message(message) for message in page.items], next_page_token=page.next_token
        )

    async def list_message_receipts(
        self, caller: Caller, request: message_pb2.ListMessageReceiptsRequest
    ) -> message_pb2.ListMessageReceiptsResponse:
        """List who has a message that was sent, and has read or played it."""
        found = await self._messages.receipts(caller.scope, request.message_id, decode.page(request))
        return message_pb2.ListMessageReceiptsResponse(
            receipts=[encode.receipt(receipt) for receipt in found.page.items],
            next_page_token=found.page.next_token,
            awaited=found.counts.awaited,
            delivered=found.counts.delivered,
            read=found.counts.read,
            played=found.counts.played,
        )

    async def cancel_message(
        self, caller: Caller, request: message_pb2.CancelMessageRequest
    ) -> message_pb2.Message:
        """Take a queued message back."""
        return encode.message(await self._messages.cancel(caller.scope, request.message_id))

    async def retry_message(
        self, caller: Caller, request: message_pb2.RetryMessageRequest
    ) -> message_pb2.Message:
        """Queue a failed message again."""
        return encode.message(await self._messages.retry(caller.scope, request.message_id))

    async def retry_messages(
        self, caller: Caller, request: message_pb2.RetryMessagesRequest
    ) -> message_pb2.RetryMessagesResponse:
        """Queue failed messages that match again."""
        wanted = FailedFilter(
            request.error_code,
            request.session_id,
            request.campaign_id,
            decode.optional_moment(request, "failed_after"),
            decode.optional_moment(request, "failed_before"),
        )
        retried, more = await self._messages.retry_failed(caller.scope, wanted)
        return message_pb2.RetryMessagesResponse(retried=retried, more=more)

    async def _wait(self, caller: Caller, message_id: str, status: MessageStatus, timeout_s: int) -> Message:
        try:
            return await self._messages.wait_for(caller.scope, message_id, status, timeout_s)
        except PonteError as error:
            if error.code is not WAIT_TIMED_OUT:
                raise
            # The message is queued: whoever waited must be able to look it up instead of sending it again.
            raise PonteError(
                WAIT_TIMED_OUT,
                f"Message {message_id} is queued but was not {status} within {timeout_s} s; look it up later.",
                metadata={"message_id": message_id},
            ) from error


def _submission(request: message_pb2.SendMessageRequest) -> SubmitText:
    if request.WhichOneof("content") is None:
        raise invalid_field(INVALID_ARGUMENT, "text", "Give the content of the message, for instance text.")
    lane = decode.choice(request.lane, _Message.Lane.Name, Lane, "lane")
    return SubmitText(
        session_id=request.session_id,
        to=request.to,
        body=request.text.body,
        content=content.decode_request(request),
        forward=request.forward.message_id,
        send_at=decode.optional_moment(request, "send_at"),
        lane=lane or Lane.TRANSACTIONAL,
        idempotency_key=decode.idempotency_key(request),
    )


def _awaited(request: message_pb2.SendMessageRequest) -> MessageStatus | None:
    status = decode.choice(request.wait, _Message.Status.Name, MessageStatus, "wait")
    if status is not None and status not in _AWAITABLE:
        raise invalid_field(INVALID_ARGUMENT, "wait", "Give one of SENT, DELIVERED, READ.")
    return status


def _wait_s(request: message_pb2.SendMessageRequest) -> int:
    timeout_s = request.timeout_s or DEFAULT_WAIT_S
    if not 1 <= timeout_s <= LONGEST_WAIT_S:
        raise invalid_field(INVALID_ARGUMENT, "timeout_s", f"Give 1 to {LONGEST_WAIT_S} seconds.")
    return timeout_s


def _filter(request: message_pb2.ListMessagesRequest) -> MessageFilter:
    return MessageFilter(
        session_id=request.session_id,
        chat=request.chat,
        status=decode.choice(request.status, _Message.Status.Name, MessageStatus, "status"),
        direction=decode.choice(request.direction, _Message.Direction.Name, Direction, "direction"),
        created_after=decode.optional_moment(request, "created_after"),
        created_before=decode.optional_moment(request, "created_before"),
        error_code=request.error_code,
        campaign_id=request.campaign_id,
    )
