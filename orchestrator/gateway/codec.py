"""The internal gateway service's messages from and to the values of services.ports."""

import json
from datetime import UTC, datetime

from orchestrator._generated.ponte.gateway.v1 import gateway_pb2 as pb
from orchestrator.domain.content import from_values, to_values
from orchestrator.domain.imports import OlderThan
from orchestrator.domain.jid import ContactId
from orchestrator.domain.retry import Outcome, SendReport
from orchestrator.services.ports import NumberCheck, OutgoingMessage, SendAnswer

_TO_OUTCOME = {
    pb.OUTCOME_ACKNOWLEDGED: Outcome.ACKNOWLEDGED,
    pb.OUTCOME_REJECTED: Outcome.REJECTED,
    pb.OUTCOME_NOT_SENT: Outcome.NOT_SENT,
    pb.OUTCOME_AMBIGUOUS: Outcome.AMBIGUOUS,
    pb.OUTCOME_NOT_ATTEMPTED: Outcome.NOT_ATTEMPTED,
}
_FROM_OUTCOME = {outcome: number for number, outcome in _TO_OUTCOME.items()}


def encode_message(message: OutgoingMessage) -> pb.OutgoingMessage:
    """A message to send."""
    return pb.OutgoingMessage(
        message_id=message.message_id,
        wa_message_id=message.wa_message_id,
        chat_jid=message.chat_jid,
        text=message.text,
        fresh_recipient=message.fresh_recipient,
        typing_ms=message.typing_ms,
        content_json=json.dumps(to_values(message.content)) if message.content else "",
    )


def decode_message(message: pb.OutgoingMessage) -> OutgoingMessage:
    """A message to send."""
    return OutgoingMessage(
        message.message_id,
        message.wa_message_id,
        message.chat_jid,
        message.text,
        message.fresh_recipient,
        from_values(json.loads(message.content_json)) if message.content_json else None,
        message.typing_ms,
    )


def decode_older_than(request: pb.RequestHistoryRequest) -> OlderThan:
    """Before which message a phone is asked for others."""
    sent_at = datetime.fromtimestamp(request.sent_at_ms / 1000, UTC)
    return OlderThan(request.chat_jid, request.wa_message_id, request.from_me, sent_at, request.count)


def encode_answer(answer: SendAnswer) -> pb.SendMessagesResponse:
    """The result of a message."""
    at = answer.acknowledged_at
    return pb.SendMessagesResponse(
        message_id=answer.message_id,
        outcome=_FROM_OUTCOME[answer.report.outcome],
        wa_code=answer.report.wa_code,
        reason=answer.report.reason,
        detail=answer.report.detail,
        acknowledged_at_ms=round(at.timestamp() * 1000) if at else 0,
        pn_jid=answer.contact.pn_jid,
        lid_jid=answer.contact.lid_jid,
        message_proto=answer.message_proto,
    )


def decode_answer(answer: pb.SendMessagesResponse) -> SendAnswer:
    """The result of a message; an outcome that this version does not know counts as ambiguous."""
    outcome = _TO_OUTCOME.get(answer.outcome, Outcome.AMBIGUOUS)
    at = answer.acknowledged_at_ms
    return SendAnswer(
        message_id=answer.message_id,
        report=SendReport(outcome, answer.wa_code, answer.reason, answer.detail),
        acknowledged_at=datetime.fromtimestamp(at / 1000, UTC) if at else None,
        contact=ContactId(answer.pn_jid, answer.lid_jid),
        message_proto=answer.message_proto,
    )


def encode_check(check: NumberCheck) -> pb.CheckedNumber:
    """Whether a number has an account."""
    return pb.CheckedNumber(
        phone_number=check.phone_number,
        on_whatsapp=check.on_whatsapp,
        pn_jid=check.contact.pn_jid,
        lid_jid=check.contact.lid_jid,
    )


def decode_check(check: pb.CheckedNumber) -> NumberCheck:
    """Whether a number has an account."""
    return NumberCheck(check.phone_number, check.on_whatsapp, ContactId(check.pn_jid, check.lid_jid))
