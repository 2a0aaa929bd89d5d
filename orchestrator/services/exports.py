"""Imports of exported chats as a company begins them; see export_imports.py for what follows."""

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError, invalid_field, not_found
from orchestrator.domain.exported_chat.lines import DateOrder, plain_name
from orchestrator.domain.ids import is_id, make_id
from orchestrator.domain.imports import ExportWish, HistoryWish, Import, ImportKind, ImportState
from orchestrator.domain.jid import GROUP_SERVER, LID_SERVER, PHONE_NUMBER_SERVER
from orchestrator.domain.media import Media
from orchestrator.media.sniffing import UNKNOWN
from orchestrator.services.context import Context
from orchestrator.services.media import MediaService
from orchestrator.services.phone_numbers import chat_of
from orchestrator.services.session_choice import only_session
from orchestrator.store import dispatch_leases, idempotency
from orchestrator.store import imports as import_store
from orchestrator.store.database import Transaction
from orchestrator.store.imports import StoredImport

_ARCHIVE: Final = "application/zip"
_TEXT: Final = "text/"
_CHATS: Final = frozenset({PHONE_NUMBER_SERVER, LID_SERVER, GROUP_SERVER})
_LONGEST_CHAT: Final = 100
_LONGEST_NAME: Final = 100
_METHOD: Final = "CreateImport"

MOST_OPEN: Final = 100
"""Exported chats of a company that may wait or run at once."""

_TOO_MANY: Final = f"The company has {MOST_OPEN} chats waiting to be imported; wait for some, or cancel them."


@dataclass(frozen=True, slots=True)
class GivenExport:
    """What a request says of an exported chat.

    `chat` is E.164 or a jid; `session_id` may be empty while the company has one session; no `time_zone` is UTC.
    """

    session_id: str
    media_id: str
    chat: str
    own_name: str
    time_zone: str = ""
    date_order: DateOrder | None = None


class ExportService:
    """Takes exported chats in."""

    def __init__(self, context: Context, media: MediaService) -> None:
        self._context = context
        self._media = media

    async def create(self, scope: CompanyScope, given: GivenExport, idempotency_key: str = "") -> Import:
        """Begin to import an uploaded file; what is wrong with the chat in it is told by the import itself.

        Raises PonteError: NOT_FOUND, SESSION_AMBIGUOUS, INVALID_ARGUMENT, INVALID_PHONE_NUMBER, EXPORT_UNREADABLE,
        EXPORT_ENCODING, IDEMPOTENCY_KEY_REUSED, QUEUE_FULL.
        """
        wish = _checked(given)
        refusal = await self._refusal(scope, wish.media_id)
        now = self._context.clock()
        async with self._context.database.transaction(scope) as tx:
            session_id = await _session(tx, scope, given.session_id)
            value = Import(
                id=make_id(now, self._context.rng),
                company_id=scope.company_id,
                session_id=session_id,
                kind=ImportKind.EXPORT,
                state=ImportState.WAITING,
                wish=HistoryWish(),
                created_at=now,
                updated_at=now,
                export=wish,
            )
            request = idempotency.hash_request(session_id, *_parts(wish))
            earlier = await idempotency.remember(
                tx, scope, idempotency_key, _METHOD, request, value.id, now=now
            )
            if earlier is not None:
                return await _made(tx, scope, earlier.resource_id)
            if refusal is not None:
                raise refusal
            if await import_store.count_open(tx, scope, ImportKind.EXPORT) >= MOST_OPEN:
                raise PonteError(errors.QUEUE_FULL, _TOO_MANY)
            await import_store.add(tx, scope, StoredImport(value, next_step_at=now))
        return value

    async def _refusal(self, scope: CompanyScope, media_id: str) -> PonteError | None:
        """What is wrong with the file; a request that is repeated is answered also when its file is gone."""
        try:
            _check_file(await self._media.use(scope, media_id))
        except PonteError as error:
            return error
        return None


def _check_file(media: Media) -> None:
    if media.mime_type == _ARCHIVE or media.mime_type.startswith(_TEXT):
        return
    # Only what is UTF-8 is recognised as a text.
    is_text = media.mime_type == UNKNOWN and media.file_name.lower().endswith(".txt")
    raise PonteError(errors.EXPORT_ENCODING if is_text else errors.EXPORT_UNREADABLE)


def _checked(given: GivenExport) -> ExportWish:
    chat = chat_of(given.chat, "chat")
    user, _, server = chat.partition("@")
    if not user or server not in _CHATS or len(chat) > _LONGEST_CHAT:
        raise invalid_field(
            errors.INVALID_ARGUMENT, "chat", "Give a phone number such as +5511987654321, or a group's jid."
        )
    own_name = plain_name(given.own_name)
    if not 0 < len(own_name) <= _LONGEST_NAME:
        raise invalid_field(
            errors.INVALID_ARGUMENT,
            "own_name",
            f"Give how the person who exported the chat is named in it, in 1 to {_LONGEST_NAME} characters.",
        )
    return ExportWish(given.media_id, chat, own_name, _checked_zone(given.time_zone), given.date_order)


def _checked_zone(name: str) -> str:
    try:
        return ZoneInfo(name or "UTC").key
    except (OSError, ValueError, KeyError):
        raise invalid_field(
            errors.INVALID_ARGUMENT, "time_zone", "Give an IANA time zone, such as America/Sao_Paulo."
        ) from None


def _parts(wish: ExportWish) -> tuple[object, ...]:
    return (wish.media_id, wish.chat_jid, wish.own_name, wish.time_zone, wish.date_order)


async def _session(tx: Transaction, scope: CompanyScope, session_id: str) -> str:
    session_id = session_id or await only_session(tx, scope)
    if not is_id(session_id) or not await dispatch_leases.session_facts(tx, scope, [session_id]):
        raise not_found()
    return session_id


async def _made(tx: Transaction, scope: CompanyScope, import_id: str) -> Import:
    found = await import_store.get(tx, scope, import_id)
    if found is None:
        raise not_found()
    return found.value
