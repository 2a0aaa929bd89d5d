"""Events from protobuf: the one place that reads the bridge's contract."""

from collections.abc import Callable
from datetime import UTC, datetime

from orchestrator._generated.ponte.bridge.v1 import bridge_pb2 as pb
from orchestrator._generated.ponte.bridge.v1 import call_pb2, chat_pb2, standing_pb2
from orchestrator.bridge.contents import received_content
from orchestrator.bridge.groups import decode_change
from orchestrator.bridge.history import decode_chunk
from orchestrator.bridge.messages import (
    AuthRead,
    AuthWrite,
    BridgeEvent,
    BridgeStatus,
    CallTold,
    CheckedNumber,
    ContactsMapped,
    HeldSession,
    InboundArrived,
    Linked,
    MessageWanted,
    Opened,
    PresenceTold,
    ReceiptArrived,
    SendResult,
    StandingTold,
)
from orchestrator.domain.auth_state import AuthKey
from orchestrator.domain.call import CallStep, CallUpdate
from orchestrator.domain.closing import Closed
from orchestrator.domain.inbound import InboundMessage, Receipt, ReceiptKind
from orchestrator.domain.jid import ContactId
from orchestrator.domain.policy.signals import (
    CappingChanged,
    CappingLevel,
    RateLimited,
    ReachOutLocked,
    ReachOutUnlocked,
)
from orchestrator.domain.presence import Presence, ShownPresence
from orchestrator.domain.retry import Outcome, SendReport
from orchestrator.domain.session import QrCode

_OUTCOMES = {
    pb.SEND_OUTCOME_ACKNOWLEDGED: Outcome.ACKNOWLEDGED,
    pb.SEND_OUTCOME_REJECTED: Outcome.REJECTED,
    pb.SEND_OUTCOME_NOT_SENT: Outcome.NOT_SENT,
}
_RECEIPT_KINDS = {
    pb.RECEIPT_KIND_DELIVERED: ReceiptKind.DELIVERED,
    pb.RECEIPT_KIND_READ: ReceiptKind.READ,
    pb.RECEIPT_KIND_PLAYED: ReceiptKind.PLAYED,
    pb.RECEIPT_KIND_SERVER_ACK: ReceiptKind.SERVER_ACK,
    pb.RECEIPT_KIND_ERROR: ReceiptKind.ERROR,
}
_PRESENCES = {
    chat_pb2.PRESENCE_AVAILABLE: Presence.AVAILABLE,
    chat_pb2.PRESENCE_UNAVAILABLE: Presence.UNAVAILABLE,
    chat_pb2.PRESENCE_TYPING: Presence.TYPING,
    chat_pb2.PRESENCE_RECORDING: Presence.RECORDING,
}
_CALL_STEPS = {
    call_pb2.CALL_STEP_OFFERED: CallStep.OFFERED,
    call_pb2.CALL_STEP_ACCEPTED: CallStep.ACCEPTED,
    call_pb2.CALL_STEP_REJECTED: CallStep.REJECTED,
    call_pb2.CALL_STEP_TIMED_OUT: CallStep.TIMED_OUT,
    call_pb2.CALL_STEP_TERMINATED: CallStep.TERMINATED,
}
_CAPPING_LEVELS = frozenset(level.value for level in CappingLevel) | {""}


def event(message: pb.SessionEvent) -> BridgeEvent | None:
    """Read one event that is no answer; None for one that this version does not know."""
    name = message.WhichOneof("event")
    if name is None:
        return None
    read = _READERS.get(name)
    return read(getattr(message, name)) if read else None


def send_result(result: pb.SendResult) -> SendResult:
    """Read the result of a message; an outcome that this version does not know counts as ambiguous."""
    outcome = _OUTCOMES.get(result.outcome, Outcome.AMBIGUOUS)
    return SendResult(
        report=SendReport(outcome, result.code, result.reason, result.detail),
        acknowledged_at=_time(result.acknowledged_at_ms) if result.acknowledged_at_ms else None,
        contact=_contact(result.chat),
        message_proto=result.message_proto,
    )


def checked_numbers(answer: pb.NumbersChecked) -> list[CheckedNumber]:
    """Read which numbers have an account."""
    return [
        CheckedNumber(check.phone_number, check.on_whatsapp, _contact(check.contact))
        for check in answer.checks
    ]


def status(answer: pb.StatusResponse) -> BridgeStatus:
    """Read what a bridge process is and holds."""
    return BridgeStatus(
        answer.baileys_version,
        answer.node_version,
        answer.resident_bytes,
        tuple(answer.session_ids),
        tuple(_held(session) for session in answer.sessions),
    )


def _held(session: pb.HeldSession) -> HeldSession:
    return HeldSession(session.session_id, session.company_id, session.fence, session.connected)


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _contact(contact: pb.ContactId) -> ContactId:
    return ContactId(contact.pn_jid, contact.lid_jid)


def _qr(qr: pb.QrCode) -> QrCode:
    return QrCode(qr.data, _time(qr.expires_at_ms))


def _paired(paired: pb.Paired) -> Linked:
    return Linked(_contact(paired.me), paired.platform)


def _connected(connected: pb.Connected) -> Opened:
    return Opened(_contact(connected.me), connected.push_name)


def _store_auth(write: pb.StoreAuth) -> AuthWrite:
    keys = tuple(
        AuthKey(key.type, key.id, key.value_json if key.HasField("value_json") else None)
        for key in write.keys
    )
    credentials = write.credentials_json if write.HasField("credentials_json") else None
    return AuthWrite(write.request_id, credentials, keys)


def _get_auth(read: pb.GetAuth) -> AuthRead:
    return AuthRead(read.request_id, read.type, tuple(read.ids))


def _inbound(inbound: pb.InboundMessage) -> InboundArrived:
    message = InboundMessage(
        wa_message_id=inbound.wa_message_id,
        chat_jid=inbound.chat_jid,
        chat=_contact(inbound.chat),
        sender=_contact(inbound.sender),
        from_me=inbound.from_me,
        is_group=inbound.is_group,
        push_name=inbound.push_name,
        sent_at=_time(inbound.sent_at_ms),
        offline=inbound.offline,
        message_proto=inbound.message_proto,
        kind=inbound.kind,
        text=inbound.text,
        content=received_content(inbound),
    )
    return InboundArrived(inbound.request_id, inbound.company_id, inbound.session_id, message)


def _receipt(receipt: pb.Receipt) -> ReceiptArrived | None:
    kind = _RECEIPT_KINDS.get(receipt.kind)
    if kind is None:
        return None
    value = Receipt(
        wa_message_ids=tuple(receipt.wa_message_ids),
        chat_jid=receipt.chat_jid,
        participant_jid=receipt.participant_jid,
        kind=kind,
        at=_time(receipt.at_ms),
        code=receipt.code,
    )
    return ReceiptArrived(receipt.company_id, receipt.session_id, value, receipt.request_id)


def _get_message(wanted: pb.GetMessage) -> MessageWanted:
    return MessageWanted(wanted.request_id, wanted.wa_message_id)


def _contact_mapping(mapping: pb.ContactMapping) -> ContactsMapped:
    return ContactsMapped(tuple(_contact(contact) for contact in mapping.contacts))


def _call(call: call_pb2.Call) -> CallTold | None:
    step = _CALL_STEPS.get(call.step)
    if step is None:
        return None
    update = CallUpdate(
        wa_call_id=call.wa_call_id,
        caller=ContactId(call.caller_pn_jid, call.caller_lid_jid),
        group_jid=call.group_jid,
        video=call.video,
        step=step,
        at=_time(call.at_ms),
        offline=call.offline,
    )
    return CallTold(call.request_id, call.company_id, call.session_id, update)


def _presence(told: chat_pb2.PresenceTold) -> PresenceTold | None:
    presence = _PRESENCES.get(told.presence)
    if presence is None:
        return None
    contact = ContactId(told.contact_pn_jid, told.contact_lid_jid)
    last_seen_at = _time(told.last_seen_at_ms) if told.last_seen_at_ms > 0 else None
    shown = ShownPresence(told.chat_jid, contact, presence, last_seen_at)
    return PresenceTold(told.company_id, told.session_id, shown)


def _account_standing(standing: standing_pb2.AccountStanding) -> StandingTold:
    signals: list[ReachOutLocked | ReachOutUnlocked | CappingChanged] = []
    if standing.HasField("reach_out_lock"):
        lock = standing.reach_out_lock
        signals.append(ReachOutLocked(_end(lock.ends_at_ms)) if lock.is_active else ReachOutUnlocked())
    if standing.HasField("new_chat_capping"):
        signals.append(_capping(standing.new_chat_capping))
    return StandingTold(tuple(signals))


def _capping(capping: standing_pb2.NewChatCapping) -> CappingChanged:
    """Read the capping; a status that this version does not know is taken for the gravest."""
    known = capping.status in _CAPPING_LEVELS
    level = CappingLevel(capping.status or "NONE") if known else CappingLevel.CAPPED
    left = None if capping.total_quota < 0 else max(0, capping.total_quota - capping.used_quota)
    return CappingChanged(level, _end(capping.cycle_ends_at_ms), left)


def _rate_limited(limited: standing_pb2.RateLimited) -> StandingTold:
    del limited
    return StandingTold((RateLimited(),))


def _end(milliseconds: int) -> datetime | None:
    """A time that WhatsApp says; None where it says none, or one that no calendar has."""
    try:
        return _time(milliseconds) if milliseconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def _closed(closed: pb.Closed) -> Closed:
    return Closed(
        closed.code,
        closed.reason,
        closed.detail,
        closed.intentional,
        closed.expires_in_s,
        closed.ban_code,
    )


_READERS: dict[str, Callable[..., BridgeEvent | None]] = {
    "qr": _qr,
    "paired": _paired,
    "connected": _connected,
    "store_auth": _store_auth,
    "get_auth": _get_auth,
    "inbound": _inbound,
    "history_chunk": decode_chunk,
    "receipt": _receipt,
    "call": _call,
    "presence_told": _presence,
    "get_message": _get_message,
    "contact_mapping": _contact_mapping,
    "account_standing": _account_standing,
    "rate_limited": _rate_limited,
    "group_changed": decode_change,
    "closed": _closed,
}
