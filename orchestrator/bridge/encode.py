"""Commands as protobuf: the one place that writes to the bridge's contract."""

from collections.abc import Sequence
from pathlib import Path

from google.protobuf import json_format

from orchestrator._generated.ponte.bridge.v1 import bridge_pb2 as pb
from orchestrator._generated.ponte.bridge.v1 import call_pb2, chat_pb2, media_pb2
from orchestrator.bridge.messages import Opening
from orchestrator.domain.auth_state import AuthKey
from orchestrator.domain.chat import ChatAction
from orchestrator.domain.content import Content, as_sent, to_values
from orchestrator.domain.media import FileAtHand


def open_session(opening: Opening) -> pb.SessionCommand:
    """The first command of a stream."""
    return pb.SessionCommand(
        open=pb.OpenSession(
            session_id=opening.session_id,
            company_id=opening.company_id,
            fence=opening.fence,
            credentials_json=opening.credentials_json,
            whatsapp_url=opening.whatsapp_url,
            browser_name=opening.browser_name,
            connect_timeout_ms=opening.connect_timeout_ms,
            ack_timeout_ms=opening.ack_timeout_ms,
            keep_alive_ms=opening.keep_alive_ms,
            silence_timeout_ms=opening.silence_timeout_ms,
            qr_lifetime_ms=opening.qr_lifetime_ms,
            qr_codes=opening.qr_codes,
            holder=opening.holder,
            history=opening.history,
        )
    )


def send_message(
    request_id: int,
    wa_message_id: str,
    chat_jid: str,
    content: Content | str,
    fresh_recipient: bool,
    files: Sequence[FileAtHand] = (),
) -> pb.SessionCommand:
    """Send a content (a `str` is a plain text) with an id assigned before, and its `files` in their order."""
    message = pb.SendMessage(
        request_id=request_id, wa_message_id=wa_message_id, chat_jid=chat_jid, fresh_recipient=fresh_recipient
    )
    if isinstance(content, str):
        message.text.body = content
    else:
        json_format.ParseDict(to_values(as_sent(content)), message.composed)
    for file in files:
        message.files.add(file_path=str(file.path), thumbnail=file.thumbnail)
    return pb.SessionCommand(send_message=message)


def check_numbers(request_id: int, phone_numbers: Sequence[str]) -> pb.SessionCommand:
    """Ask which numbers (E.164) have an account."""
    return pb.SessionCommand(
        check_numbers=pb.CheckNumbers(request_id=request_id, phone_numbers=phone_numbers)
    )


def mark_read(
    request_id: int, chat_jid: str, participant_jid: str, wa_message_ids: Sequence[str]
) -> pb.SessionCommand:
    """Show messages as read."""
    return pb.SessionCommand(
        mark_read=pb.MarkRead(
            request_id=request_id,
            chat_jid=chat_jid,
            participant_jid=participant_jid,
            wa_message_ids=wa_message_ids,
        )
    )


def act_on_chat(request_id: int, chat_jid: str, action: ChatAction) -> pb.SessionCommand:
    """Show typing in a chat, or block its contact."""
    number = chat_pb2.ChatAction.Value(f"CHAT_ACTION_{action.value}")
    return pb.SessionCommand(
        act_on_chat=chat_pb2.ActOnChat(request_id=request_id, chat_jid=chat_jid, action=number)
    )


def download_media(
    request_id: int,
    message_proto: bytes,
    wa_message_id: str,
    chat_jid: str,
    participant_jid: str,
    path: Path,
    *,
    from_me: bool,
    max_bytes: int,
) -> pb.SessionCommand:
    """Write the file of a received message to a path."""
    return pb.SessionCommand(
        download_media=media_pb2.DownloadMedia(
            request_id=request_id,
            message_proto=message_proto,
            wa_message_id=wa_message_id,
            chat_jid=chat_jid,
            participant_jid=participant_jid,
            file_path=str(path),
            from_me=from_me,
            max_bytes=max_bytes,
        )
    )


def request_pairing_code(request_id: int, phone_number: str, custom_code: str) -> pb.SessionCommand:
    """Ask for a code to type on the phone; a custom code is used where it is not empty."""
    return pb.SessionCommand(
        request_pairing_code=pb.RequestPairingCode(
            request_id=request_id, phone_number=phone_number, custom_code=custom_code
        )
    )


def logout() -> pb.SessionCommand:
    """Remove this device at WhatsApp."""
    return pb.SessionCommand(logout=pb.Logout())


def auth_stored(request_id: int, error_code: str) -> pb.SessionCommand:
    """Answer a write of auth state; an empty `error_code` means that it is durable."""
    return pb.SessionCommand(auth_stored=pb.AuthStored(request_id=request_id, error_code=error_code))


def auth_loaded(request_id: int, keys: Sequence[AuthKey], error_code: str) -> pb.SessionCommand:
    """Answer a read of auth state."""
    loaded = [pb.AuthKey(type=key.type, id=key.name, value_json=key.value) for key in keys]
    return pb.SessionCommand(
        auth_loaded=pb.AuthLoaded(request_id=request_id, keys=loaded, error_code=error_code)
    )


def inbound_recorded(request_id: int, error_code: str) -> pb.SessionCommand:
    """Answer an inbound message; an empty `error_code` means that it is durable."""
    return pb.SessionCommand(
        inbound_recorded=pb.InboundRecorded(request_id=request_id, error_code=error_code)
    )


def receipts_recorded(request_ids: Sequence[int], error_code: str) -> pb.SessionCommand:
    """Answer receipts; an empty `error_code` means that they are durable."""
    return pb.SessionCommand(
        receipt_recorded=pb.ReceiptRecorded(request_ids=request_ids, error_code=error_code)
    )


def call_recorded(request_id: int, error_code: str) -> pb.SessionCommand:
    """Answer a step of a call; an empty `error_code` means that it is durable."""
    return pb.SessionCommand(
        call_recorded=call_pb2.CallRecorded(request_id=request_id, error_code=error_code)
    )


def stored_message(request_id: int, message_proto: bytes | None) -> pb.SessionCommand:
    """Answer what was sent; None where it is not known."""
    return pb.SessionCommand(
        stored_message=pb.StoredMessage(request_id=request_id, message_proto=message_proto)
    )
