"""The one error tree. A code is stable and means one cause; gRPC, REST and logs carry the same code."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.domain.error_code import CODES as CODES
from orchestrator.domain.error_code import ErrorCode as ErrorCode
from orchestrator.domain.error_code import ErrorKind as ErrorKind
from orchestrator.domain.error_code import new_code as _code


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """What is wrong with one field of a request; `field` is the path in proto names."""

    field: str
    description: str


_K = ErrorKind
INVALID_ARGUMENT = _code(
    "INVALID_ARGUMENT", _K.INVALID_ARGUMENT, "The request is not valid; see field_violations."
)
INVALID_PHONE_NUMBER = _code(
    "INVALID_PHONE_NUMBER",
    _K.INVALID_ARGUMENT,
    "Give the phone number in E.164 form, for instance +5511987654321.",
)
TEXT_EMPTY = _code(
    "TEXT_EMPTY", _K.INVALID_ARGUMENT, "The text is empty; give at least one visible character."
)
TEXT_TOO_LONG = _code(
    "TEXT_TOO_LONG", _K.INVALID_ARGUMENT, "The text is longer than 65536 characters; split it."
)
INVALID_JSON = _code("INVALID_JSON", _K.INVALID_ARGUMENT, "The body is not valid JSON for this method.")
UNKNOWN_FIELD = _code(
    "UNKNOWN_FIELD", _K.INVALID_ARGUMENT, "The request has a field that this method does not know."
)
INVALID_PAGE_TOKEN = _code(
    "INVALID_PAGE_TOKEN",
    _K.INVALID_ARGUMENT,
    "The page token is not one that this list gave; start without one.",
)
INVALID_URL = _code("INVALID_URL", _K.INVALID_ARGUMENT, "The URL is not a usable http or https address.")
URL_NOT_ALLOWED = _code(
    "URL_NOT_ALLOWED",
    _K.INVALID_ARGUMENT,
    "The URL leads to a private or local address; PONTE_WEBHOOK_ALLOW_PRIVATE_NETWORKS=true (webhooks) or "
    "PONTE_MEDIA_ALLOW_PRIVATE_NETWORKS=true (media) allows that for local use.",
)
UNSUPPORTED_CONTENT_TYPE = _code(
    "UNSUPPORTED_CONTENT_TYPE",
    _K.INVALID_ARGUMENT,
    "Send the body as JSON with the header Content-Type: application/json.",
)
BODY_TOO_LARGE = _code("BODY_TOO_LARGE", _K.RESOURCE_EXHAUSTED, "The body is larger than the limit.")
MEDIA_TOO_LARGE = _code(
    "MEDIA_TOO_LARGE", _K.INVALID_ARGUMENT, "The file is larger than what is sent this way may be."
)
MEDIA_EMPTY = _code("MEDIA_EMPTY", _K.INVALID_ARGUMENT, "The file has no bytes.")
MEDIA_TYPE_NOT_ALLOWED = _code(
    "MEDIA_TYPE_NOT_ALLOWED",
    _K.INVALID_ARGUMENT,
    "The file cannot be sent as this kind of message; what counts is its contents, not its name.",
)
MEDIA_NOT_USABLE = _code(
    "MEDIA_NOT_USABLE",
    _K.INVALID_ARGUMENT,
    "The file is damaged, or unpacks to far more than a file of its size should.",
)
MEDIA_URL_FAILED = _code(
    "MEDIA_URL_FAILED",
    _K.FAILED_PRECONDITION,
    "The URL did not give the whole file; check that it is public.",
)
MEDIA_URL_TIMED_OUT = _code(
    "MEDIA_URL_TIMED_OUT", _K.DEADLINE_EXCEEDED, "The URL's host took too long to give the file."
)
MEDIA_NOT_STORED = _code("MEDIA_NOT_STORED", _K.NOT_FOUND, "The bytes of the file are not kept any more.")
MEDIA_STORE_FAILED = _code(
    "MEDIA_STORE_FAILED", _K.UNAVAILABLE, "The store of media does not answer; try again in a moment."
)
RANGE_NOT_SATISFIABLE = _code(
    "RANGE_NOT_SATISFIABLE", _K.INVALID_ARGUMENT, "The file has no bytes in the range that was asked for."
)
CREDENTIAL_MISSING = _code(
    "CREDENTIAL_MISSING", _K.UNAUTHENTICATED, "Send the header Authorization: Bearer <key>."
)
CREDENTIAL_INVALID = _code(
    "CREDENTIAL_INVALID",
    _K.UNAUTHENTICATED,
    "The key is unknown or revoked; ask an administrator for a new one.",
)
SCOPE_MISSING = _code(
    "SCOPE_MISSING", _K.PERMISSION_DENIED, "The key lacks the scope that this method needs."
)
NOT_FOUND = _code("NOT_FOUND", _K.NOT_FOUND, "There is no such thing, or it is not yours.")
UNKNOWN_PATH = _code("UNKNOWN_PATH", _K.NOT_FOUND, "No method has this path; /docs lists them all.")
METHOD_NOT_ALLOWED = _code(
    "METHOD_NOT_ALLOWED",
    _K.UNIMPLEMENTED,
    "The path does not take this HTTP method; the header Allow has those it takes.",
)
IDEMPOTENCY_KEY_REUSED = _code(
    "IDEMPOTENCY_KEY_REUSED",
    _K.ALREADY_EXISTS,
    "This idempotency key was used with another body in the last 24 hours; use a new key.",
)
CONTENT_NOT_SUPPORTED = _code(
    "CONTENT_NOT_SUPPORTED", _K.UNIMPLEMENTED, "This kind of content cannot be sent."
)
RECIPIENT_NOT_SUPPORTED = _code(
    "RECIPIENT_NOT_SUPPORTED",
    _K.UNIMPLEMENTED,
    "Ponte cannot send to broadcast lists; give phone numbers.",
)
SESSION_NOT_LINKED = _code(
    "SESSION_NOT_LINKED", _K.FAILED_PRECONDITION, "The session has no linked number; pair it first."
)
SESSION_ALREADY_LINKED = _code(
    "SESSION_ALREADY_LINKED",
    _K.FAILED_PRECONDITION,
    "The session is linked; log it out before pairing again.",
)
SESSION_RUNNING = _code(
    "SESSION_RUNNING",
    _K.FAILED_PRECONDITION,
    "The session is running; stop it first: two connections with the same credentials throw each other out.",
)
SESSION_BANNED = _code(
    "SESSION_BANNED",
    _K.FAILED_PRECONDITION,
    "WhatsApp banned the number for a time; start it a day after the ban has ended.",
)
SESSION_AMBIGUOUS = _code(
    "SESSION_AMBIGUOUS",
    _K.FAILED_PRECONDITION,
    "The company has more than one session; name one in session_id.",
)
SESSION_NOT_RUNNING = _code(
    "SESSION_NOT_RUNNING", _K.FAILED_PRECONDITION, "The session is stopped; start it first."
)
QR_NOT_AVAILABLE = _code(
    "QR_NOT_AVAILABLE", _K.FAILED_PRECONDITION, "No QR is on show; call :pair on the session first."
)
MESSAGE_NOT_CANCELLABLE = _code(
    "MESSAGE_NOT_CANCELLABLE", _K.FAILED_PRECONDITION, "Only a message that is still queued can be cancelled."
)
MESSAGE_NOT_RETRYABLE = _code(
    "MESSAGE_NOT_RETRYABLE", _K.FAILED_PRECONDITION, "Only a failed message can be sent again."
)
SESSION_LIMIT_REACHED = _code(
    "SESSION_LIMIT_REACHED", _K.RESOURCE_EXHAUSTED, "The company has as many sessions as it may have."
)
WEBHOOK_LIMIT_REACHED = _code(
    "WEBHOOK_LIMIT_REACHED",
    _K.RESOURCE_EXHAUSTED,
    "The company has as many webhooks as it may have; delete one.",
)
WEBHOOK_DISABLED = _code(
    "WEBHOOK_DISABLED",
    _K.FAILED_PRECONDITION,
    "The webhook is switched off; update it with enabled true first.",
)
SUBSCRIBER_LIMIT_REACHED = _code(
    "SUBSCRIBER_LIMIT_REACHED",
    _K.RESOURCE_EXHAUSTED,
    "The company follows its events as often as it may; close one.",
)
RATE_LIMITED = _code(
    "RATE_LIMITED", _K.RESOURCE_EXHAUSTED, "Too many requests with this key; wait and try again."
)
NUMBER_CHECK_LIMIT_REACHED = _code(
    "NUMBER_CHECK_LIMIT_REACHED",
    _K.RESOURCE_EXHAUSTED,
    "WhatsApp was asked about as many numbers in this hour as is safe; ask again later, or about fewer.",
)
QUEUE_FULL = _code(
    "QUEUE_FULL",
    _K.RESOURCE_EXHAUSTED,
    "The session has too many messages waiting; wait until some have left.",
)
WAIT_TIMED_OUT = _code(
    "WAIT_TIMED_OUT",
    _K.DEADLINE_EXCEEDED,
    "The message is queued but was not sent in the time given; look it up later.",
)
DEADLINE_EXCEEDED = _code(
    "DEADLINE_EXCEEDED",
    _K.DEADLINE_EXCEEDED,
    "The request took longer than it may; it may have been done nevertheless.",
)
GATEWAY_UNAVAILABLE = _code(
    "GATEWAY_UNAVAILABLE", _K.UNAVAILABLE, "The session is not connected just now; try again in a moment."
)
STALE_FENCE = _code("STALE_FENCE", _K.FAILED_PRECONDITION, "Another gateway holds this session now.")
VARIANTS_TOO_FEW = _code(
    "VARIANTS_TOO_FEW",
    _K.INVALID_ARGUMENT,
    "A campaign needs at least 5 different variants; write more of them.",
)
TEMPLATE_INVALID = _code(
    "TEMPLATE_INVALID",
    _K.INVALID_ARGUMENT,
    "The text's variables cannot be read; write them as {name}, or as {name|friend} with a default.",
)
TEMPLATE_VARIABLE_MISSING = _code(
    "TEMPLATE_VARIABLE_MISSING",
    _K.FAILED_PRECONDITION,
    "A recipient has no value for a variable; give the variable a default as in {name|friend}, or fill in the list.",
)
RECIPIENTS_MISSING = _code(
    "RECIPIENTS_MISSING",
    _K.FAILED_PRECONDITION,
    "The recipient list is empty; import recipients into it first.",
)
CAMPAIGN_STATE = _code(
    "CAMPAIGN_STATE", _K.FAILED_PRECONDITION, "The campaign's state does not allow this; look it up first."
)
RECIPIENT_LIST_IN_USE = _code(
    "RECIPIENT_LIST_IN_USE",
    _K.FAILED_PRECONDITION,
    "A campaign that has begun uses this list; make a new list.",
)
IMPORT_UNREADABLE = _code(
    "IMPORT_UNREADABLE",
    _K.INVALID_ARGUMENT,
    "The file cannot be read as CSV in UTF-8 or as XLSX with a column phone_number.",
)
GROUP_NOT_MEMBER = _code(
    "GROUP_NOT_MEMBER",
    _K.FAILED_PRECONDITION,
    "The session's number is not in this group; join it, or let an admin add the number.",
)
GROUP_NOT_ADMIN = _code(
    "GROUP_NOT_ADMIN",
    _K.PERMISSION_DENIED,
    "WhatsApp lets only admins of the group do this; let an admin promote the session's number.",
)
GROUP_FULL = _code(
    "GROUP_FULL",
    _K.FAILED_PRECONDITION,
    "The group has as many participants as WhatsApp allows; remove someone first, or use another group.",
)
GROUP_GONE = _code(
    "GROUP_GONE",
    _K.FAILED_PRECONDITION,
    "WhatsApp has no such group any more; list the groups to see those that are left.",
)
GROUP_INVITE_INVALID = _code(
    "GROUP_INVITE_INVALID", _K.INVALID_ARGUMENT, "WhatsApp knows no such invite link; check it."
)
GROUP_INVITE_REVOKED = _code(
    "GROUP_INVITE_REVOKED", _K.FAILED_PRECONDITION, "The invite link was revoked; ask an admin for a new one."
)
GROUP_JOIN_REFUSED = _code(
    "GROUP_JOIN_REFUSED",
    _K.FAILED_PRECONDITION,
    "WhatsApp does not let the session's number into this group by link; an admin has to add it.",
)
GROUP_ALREADY_MEMBER = _code(
    "GROUP_ALREADY_MEMBER", _K.ALREADY_EXISTS, "The session's number is in this group already."
)
GROUP_REFUSED = _code(
    "GROUP_REFUSED",
    _K.FAILED_PRECONDITION,
    "WhatsApp refused this for the group; refresh it, check what the session's number may do there, and try again.",
)
CHANNEL_NOT_FOUND = _code(
    "CHANNEL_NOT_FOUND", _K.NOT_FOUND, "WhatsApp knows no such channel; check its jid or link."
)
CHAT_HAS_NO_MESSAGE = _code(
    "CHAT_HAS_NO_MESSAGE", _K.FAILED_PRECONDITION, "No message of the chat is here to ask before."
)
IMPORT_ALREADY_OPEN = _code(
    "IMPORT_ALREADY_OPEN", _K.FAILED_PRECONDITION, "The phone was asked already; cancel that, or wait."
)
PHONE_SILENT = _code(
    "PHONE_SILENT", _K.UNAVAILABLE, "The number's own phone did not answer; ask again when it is online."
)
IMPORT_ENDED = _code(
    "IMPORT_ENDED",
    _K.FAILED_PRECONDITION,
    "The import has ended; only one that waits or runs can be cancelled.",
)
EXPORT_UNREADABLE = _code(
    "EXPORT_UNREADABLE",
    _K.INVALID_ARGUMENT,
    "The file is neither the .txt nor the .zip that WhatsApp exports, or it is damaged; export the chat anew.",
)
EXPORT_ENCODING = _code(
    "EXPORT_ENCODING",
    _K.INVALID_ARGUMENT,
    "The chat's text is not UTF-8; give the file as WhatsApp exported it, not saved anew by another program.",
)
EXPORT_WITHOUT_CHAT = _code(
    "EXPORT_WITHOUT_CHAT",
    _K.INVALID_ARGUMENT,
    "The .zip has no chat in it; give the one that WhatsApp exported, with its _chat.txt or 'WhatsApp Chat ...txt'.",
)
EXPORT_WITHOUT_MESSAGES = _code(
    "EXPORT_WITHOUT_MESSAGES",
    _K.INVALID_ARGUMENT,
    "No line of the file begins a message as WhatsApp exports them; give the file unchanged, and check date_order.",
)
EXPORT_DATES_AMBIGUOUS = _code(
    "EXPORT_DATES_AMBIGUOUS",
    _K.INVALID_ARGUMENT,
    "The file's dates can be read with the day or the month first; give date_order DAY_FIRST or MONTH_FIRST.",
)
EXPORT_OWN_NAME_UNKNOWN = _code(
    "EXPORT_OWN_NAME_UNKNOWN",
    _K.INVALID_ARGUMENT,
    "Nobody in the file is named so; give as own_name how the person who exported the chat is named in it.",
)
EXPORTED_MESSAGE = _code(
    "EXPORTED_MESSAGE",
    _K.FAILED_PRECONDITION,
    "The message comes from an exported chat, which does not tell WhatsApp's id of it; name another message.",
)
NOT_IMPLEMENTED = _code("NOT_IMPLEMENTED", _K.UNIMPLEMENTED, "This is not available.")
SHUTTING_DOWN = _code("SHUTTING_DOWN", _K.UNAVAILABLE, "The server is stopping; try again in a moment.")
INTERNAL = _code("INTERNAL", _K.INTERNAL, "Something went wrong on our side; the log has the request's id.")
RECIPIENT_SUPPRESSED = _code(
    "RECIPIENT_SUPPRESSED",
    _K.FAILED_PRECONDITION,
    "The recipient is on the suppression list: take the entry off the list first, where the person agrees.",
)

# Why a message failed for good or is waiting: these stand in Message.error.code, not in an answer's status.
NOT_ON_WHATSAPP = _code("NOT_ON_WHATSAPP", _K.FAILED_PRECONDITION, "The number is not on WhatsApp.")
REACHOUT_LOCKED = _code(
    "REACHOUT_LOCKED",
    _K.FAILED_PRECONDITION,
    "WhatsApp does not let this number write first to this contact now (463).",
)
WHATSAPP_RATE_LIMITED = _code(
    "WHATSAPP_RATE_LIMITED", _K.RESOURCE_EXHAUSTED, "WhatsApp limits this number's rate (429)."
)
STALE_DEVICE_SESSION = _code(
    "STALE_DEVICE_SESSION", _K.UNAVAILABLE, "The recipient's devices changed while it was sent (479)."
)
STALE_GROUP_ADDRESSING = _code(
    "STALE_GROUP_ADDRESSING", _K.UNAVAILABLE, "The group's members changed while it was sent (421)."
)
PAYLOAD_NOT_SUPPORTED = _code(
    "PAYLOAD_NOT_SUPPORTED", _K.INVALID_ARGUMENT, "WhatsApp does not take this kind of message (405)."
)
REJECTED_BY_WHATSAPP = _code("REJECTED_BY_WHATSAPP", _K.UNAVAILABLE, "WhatsApp refused the message.")
ENCRYPTION_FAILED = _code(
    "ENCRYPTION_FAILED", _K.UNAVAILABLE, "No device of the recipient could be encrypted for."
)
MEDIA_UPLOAD_FAILED = _code(
    "MEDIA_UPLOAD_FAILED", _K.UNAVAILABLE, "The file of the message could not be uploaded to WhatsApp."
)
NETWORK = _code("NETWORK", _K.UNAVAILABLE, "The connection to WhatsApp was lost.")
OUTCOME_UNKNOWN = _code(
    "OUTCOME_UNKNOWN",
    _K.UNAVAILABLE,
    "It is not known whether the message left; it is sent again with the same id.",
)
SESSION_CLOSED = _code(
    "SESSION_CLOSED",
    _K.FAILED_PRECONDITION,
    "The session was logged out, replaced or banned before the message left.",
)


@dataclass(eq=False)
class PonteError(Exception):
    """Every error that a caller may see.

    `detail` replaces the code's own sentence, `violations` name fields, `retry_after_s` says when another try makes
    sense, `metadata` carries what a program needs to go on, such as the id of a message that was made before the error.
    """

    code: ErrorCode
    detail: str = ""
    violations: tuple[FieldViolation, ...] = field(default_factory=tuple)
    retry_after_s: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code.name}: {self.sentence}"

    @property
    def sentence(self) -> str:
        """What the user reads."""
        return self.detail or self.code.sentence


def not_found() -> PonteError:
    """The same words for an unknown, a deleted and another company's id."""
    return PonteError(NOT_FOUND)


def invalid_field(code: ErrorCode, field_path: str, description: str = "") -> PonteError:
    """An error about one field of the request."""
    return PonteError(code, violations=(FieldViolation(field_path, description or code.sentence),))
