"""Domain values to messages of the public contract."""

from datetime import datetime
from typing import Any, cast

from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from orchestrator._generated.ponte.v1 import (
    company_pb2,
    contact_pb2,
    event_pb2,
    message_pb2,
    session_pb2,
    webhook_pb2,
)
from orchestrator.api.rpc import content
from orchestrator.domain.company import ApiKey, Company
from orchestrator.domain.content import Poll
from orchestrator.domain.content.marks import Marks, poll_results
from orchestrator.domain.events import Event
from orchestrator.domain.group.receipts import MemberReceipt
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import Direction, Lane, Message, MessageStatus
from orchestrator.domain.session import DesiredState, QrCode, Session, SessionState
from orchestrator.domain.webhook import Delivery, DeliveryStatus, Webhook
from orchestrator.services.ports import NumberCheck

_STATUS = {status: message_pb2.Message.Status.Value(status.value) for status in MessageStatus}
_DIRECTION = {direction: message_pb2.Message.Direction.Value(direction.value) for direction in Direction}
_LANE = {lane: message_pb2.Message.Lane.Value(lane.value) for lane in Lane}
_STATE = {state: session_pb2.Session.State.Value(state.value) for state in SessionState}
_DESIRED_STATE = {state: session_pb2.Session.DesiredState.Value(state.value) for state in DesiredState}
_DELIVERY_STATUS = {status: webhook_pb2.Delivery.Status.Value(status.value) for status in DeliveryStatus}


def moment(value: datetime | None) -> Timestamp | None:
    """Encode a point in time, None where there is none."""
    # Messages take a datetime as it is, which costs less than making a Timestamp; their type stubs do not know.
    return cast(Timestamp | None, value)


def company(value: Company) -> company_pb2.Company:
    """Encode a company."""
    return company_pb2.Company(
        id=value.id, name=value.name, max_sessions=value.max_sessions, created_at=moment(value.created_at)
    )


def key(value: ApiKey) -> company_pb2.Key:
    """Encode a key as it is listed, without its secret."""
    return company_pb2.Key(
        id=value.id,
        company_id=value.company_id,
        name=value.name,
        prefix=value.prefix,
        scopes=sorted(scope.value for scope in value.scopes),
        created_at=moment(value.created_at),
        revoked_at=moment(value.revoked_at),
        last_used_at=moment(value.last_used_at),
    )


def session(value: Session) -> session_pb2.Session:
    """Encode a session."""
    encoded = session_pb2.Session(
        id=value.id,
        company_id=value.company_id,
        name=value.name,
        state=_STATE[value.state],
        desired_state=_DESIRED_STATE[value.desired_state],
        phone_number=value.me.phone_number,
        jid=value.me.pn_jid,
        lid=value.me.lid_jid,
        push_name=value.push_name,
        created_at=moment(value.created_at),
        connected_at=moment(value.connected_at),
        reconnect_at=moment(value.reconnect_at),
    )
    if value.last_close is not None:
        last = value.last_close
        encoded.last_close.MergeFrom(
            session_pb2.LastClose(
                code=last.code,
                reason=last.reason,
                permanent=last.permanent,
                at=moment(last.at),
                advice=last.advice,
                start_not_before=moment(last.start_not_before),
            )
        )
    return encoded


def qr(value: QrCode) -> session_pb2.Qr:
    """Encode a QR on show."""
    return session_pb2.Qr(qr=value.data, expires_at=moment(value.expires_at))


def contact(value: ContactId) -> message_pb2.Contact:
    """Encode a contact's names."""
    return message_pb2.Contact(phone_number=value.phone_number, jid=value.pn_jid, lid=value.lid_jid)


def message(value: Message) -> message_pb2.Message:
    """Encode a message of either direction."""
    times = value.times
    error = value.error
    marks = value.marks
    said = value.whole_content
    waiting = value.waiting_for
    return message_pb2.Message(
        id=value.id,
        wa_message_id=value.wa_message_id,
        session_id=value.session_id,
        chat=value.chat_jid,
        contact=contact(value.contact),
        direction=_DIRECTION[value.direction],
        type=value.kind,
        text=message_pb2.Text(body=value.text) if value.text else None,
        status=_STATUS[value.status],
        lane=_LANE[value.lane],
        error=message_pb2.MessageError(code=error.code, detail=error.detail) if error else None,
        attempts=value.attempts,
        created_at=moment(times.created_at),
        send_at=moment(times.send_at),
        sent_at=moment(times.sent_at),
        delivered_at=moment(times.delivered_at),
        read_at=moment(times.read_at),
        failed_at=moment(times.failed_at),
        offline=value.offline,
        push_name=value.push_name,
        imported=value.imported,
        content=content.encode(said) if said else None,
        edited_at=moment(marks.edited_at),
        deleted_at=moment(marks.deleted_at),
        pinned_until=moment(marks.pinned_until),
        reactions=_reactions(marks),
        poll_results=_poll_results(value),
        waiting_for=message_pb2.WaitingFor(code=waiting.code, detail=waiting.detail) if waiting else None,
    )


def receipt(value: MemberReceipt) -> message_pb2.MessageReceipt:
    """Encode what somebody has done with a message."""
    return message_pb2.MessageReceipt(
        contact=contact(value.contact),
        delivered_at=moment(value.delivered_at),
        read_at=moment(value.read_at),
        played_at=moment(value.played_at),
        awaited=value.awaited,
    )


def _reactions(marks: Marks) -> list[message_pb2.MessageReaction]:
    return [
        message_pb2.MessageReaction(
            emoji=reaction.emoji, from_me=reaction.from_me, sender=reaction.sender, at=moment(reaction.at)
        )
        for reaction in marks.reactions
    ]


def _poll_results(value: Message) -> list[message_pb2.PollResult]:
    if value.content is None or not isinstance(value.content.body, Poll):
        return []
    return [
        message_pb2.PollResult(option=result.option, votes=result.votes, voters=result.voters)
        for result in poll_results(value.content.body.options, value.marks.votes)
    ]


def event(value: Event) -> event_pb2.Event:
    """Encode an event; `data` is JSON-like."""
    data = Struct()
    data.update(cast(dict[str, Any], value.data))
    return event_pb2.Event(
        id=value.id,
        sequence=value.sequence,
        company_id=value.company_id,
        session_id=value.session_id,
        type=value.type,
        at=moment(value.at),
        data=data,
    )


def webhook(value: Webhook) -> webhook_pb2.Webhook:
    """Encode an endpoint, without its secret."""
    return webhook_pb2.Webhook(
        id=value.id,
        url=value.url,
        events=value.events,
        enabled=not value.disabled_reason,
        disabled_reason=value.disabled_reason,
        created_at=moment(value.created_at),
    )


def delivery(value: Delivery) -> webhook_pb2.Delivery:
    """Encode a delivery."""
    return webhook_pb2.Delivery(
        id=value.id,
        webhook_id=value.webhook_id,
        event_id=value.event_id,
        event_type=value.event_type,
        sequence=value.sequence,
        status=_DELIVERY_STATUS[value.status],
        attempts=value.attempts,
        next_attempt_at=moment(value.next_attempt_at),
        last_status_code=value.last_status_code,
        last_error=value.last_error,
        created_at=moment(value.created_at),
        delivered_at=moment(value.delivered_at),
    )


def number_check(value: NumberCheck) -> contact_pb2.ContactCheck:
    """Encode what WhatsApp said of a number."""
    return contact_pb2.ContactCheck(
        phone_number=value.phone_number,
        on_whatsapp=value.on_whatsapp,
        jid=value.contact.pn_jid,
        lid=value.contact.lid_jid,
    )
