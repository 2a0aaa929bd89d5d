"""Linking a number: a session is put on show, and the caller waits for the first QR or code."""

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError, invalid_field, not_found
from orchestrator.domain.imports import HistoryWish
from orchestrator.domain.session import DesiredState, QrCode, SessionState, Signal
from orchestrator.services.context import Context
from orchestrator.services.phone_numbers import check_phone_number
from orchestrator.services.ports import GatewayPort
from orchestrator.services.session_life import NO_FAILURES, Step, lock_session, take_step, wish_columns
from orchestrator.store import sessions
from orchestrator.store.database import Transaction
from orchestrator.store.sessions import SessionRecord

FIRST_QR_S = 10.0
"""How long a caller waits for the first QR; it takes about 0.3 s where gateway and WhatsApp are there."""

CODE_VALID_S = 120.0
"""How long a code is offered: WhatsApp ends a pairing 160 s after it began."""

NOTICE = (
    "Ponte uses an unofficial client, which is against WhatsApp's terms: the number may be banned. "
    "Message only people who agreed to it; for volume, WhatsApp's Cloud API is the right tool."
)

MOST_DAYS = 3650

_NOTHING = HistoryWish()
_LOOK_EVERY_S = 0.05
_CUSTOM_CODE = re.compile(r"[A-Z0-9]{8}")


class PairingMethod(StrEnum):
    """How the phone links itself: it scans a QR, or a person types a code."""

    QR = "QR"
    CODE = "CODE"


@dataclass(frozen=True, slots=True)
class PairingOffer:
    """What to show: the text of a QR or a code, the other is empty; and what to know before."""

    qr: str
    code: str
    expires_at: datetime
    notice: str = NOTICE


class SessionPairing:
    """Puts sessions on show for linking."""

    def __init__(self, context: Context, gateway: GatewayPort) -> None:
        self._context = context
        self._gateway = gateway

    async def pair(
        self,
        scope: CompanyScope,
        session_id: str,
        method: PairingMethod,
        phone_number: str,
        custom_code: str = "",
        wish: HistoryWish = _NOTHING,
    ) -> PairingOffer:
        """Begin to link a number, or go on; answers the QR on show, waiting for the first one.

        `custom_code` replaces the code that would be drawn: eight of A-Z and 0-9. `wish` is what of the phone's history
        is to be imported; it counts until the number is linked anew.

        Raises PonteError: SESSION_ALREADY_LINKED; INVALID_PHONE_NUMBER where a code has none to go with;
        INVALID_ARGUMENT where the custom code is none, or the days of the wish
        are out of bounds; GATEWAY_UNAVAILABLE where no QR comes.
        """
        _check_custom_code(method, custom_code)
        _check_wish(wish)
        number = _number_for_code(phone_number) if method is PairingMethod.CODE else ""
        await self._begin(scope, session_id, wish)
        qr = await self._first_qr(scope, session_id)
        if method is PairingMethod.QR:
            return PairingOffer(qr.data, "", qr.expires_at)
        expires_at = self._context.clock() + self._context.tempo.span(CODE_VALID_S)
        code = await self._gateway.request_pairing_code(scope, session_id, number, custom_code)
        return PairingOffer("", code, expires_at)

    async def qr(self, scope: CompanyScope, session_id: str) -> QrCode:
        """The QR on show; raises PonteError(QR_NOT_AVAILABLE) where there is none."""
        async with self._context.database.reading(scope) as tx:
            record = await sessions.find_record(tx, scope, session_id)
        if record is None:
            raise not_found()
        qr = self._on_show(record)
        if qr is None:
            raise PonteError(errors.QR_NOT_AVAILABLE)
        return qr

    async def _begin(self, scope: CompanyScope, session_id: str, wish: HistoryWish) -> None:
        async def begin(tx: Transaction) -> None:
            record = await lock_session(tx, scope, session_id)
            if record is None:
                raise not_found()
            if record.session.is_linked:
                raise PonteError(errors.SESSION_ALREADY_LINKED)
            columns: dict[str, object] = {"desired_state": str(DesiredState.RUN)}
            step = Step(columns | NO_FAILURES | wish_columns(wish))
            await take_step(tx, self._context, scope, record, Signal.PAIR_REQUESTED, step)
            tx.after_commit(lambda: self._context.bells.session_changed(scope, session_id))

        await self._context.database.shared_transaction(scope, begin)

    async def _first_qr(self, scope: CompanyScope, session_id: str) -> QrCode:
        deadline = asyncio.get_running_loop().time() + FIRST_QR_S
        while True:
            async with self._context.database.reading(scope) as tx:
                record = await sessions.find_record(tx, scope, session_id)
            if record is None:
                raise not_found()
            if record.session.is_linked:
                raise PonteError(errors.SESSION_ALREADY_LINKED)
            if record.session.state is not SessionState.PAIRING:
                raise PonteError(errors.GATEWAY_UNAVAILABLE, _why_not(record))
            if qr := self._on_show(record):
                return qr
            if asyncio.get_running_loop().time() >= deadline:
                raise PonteError(
                    errors.GATEWAY_UNAVAILABLE,
                    f"No QR came in {FIRST_QR_S:g} s; see that a gateway runs and reaches WhatsApp, then try again.",
                )
            await asyncio.sleep(_LOOK_EVERY_S)

    def _on_show(self, record: SessionRecord) -> QrCode | None:
        if record.session.state is not SessionState.PAIRING or record.qr is None:
            return None
        return record.qr if record.qr.expires_at > self._context.clock() else None


def _check_custom_code(method: PairingMethod, custom_code: str) -> None:
    if not custom_code:
        return
    if method is not PairingMethod.CODE:
        raise invalid_field(errors.INVALID_ARGUMENT, "custom_code", "Only the method CODE takes a code.")
    if not _CUSTOM_CODE.fullmatch(custom_code):
        raise invalid_field(
            errors.INVALID_ARGUMENT, "custom_code", "Give exactly eight characters of A-Z and 0-9."
        )


def _check_wish(wish: HistoryWish) -> None:
    if wish != _NOTHING and not 1 <= wish.days <= MOST_DAYS:
        raise invalid_field(errors.INVALID_ARGUMENT, "history.days", f"Give 1 to {MOST_DAYS} days.")


def _number_for_code(phone_number: str) -> str:
    if not phone_number:
        raise invalid_field(
            errors.INVALID_PHONE_NUMBER, "phone_number", "A code needs the number that it is for."
        )
    return check_phone_number(phone_number, "phone_number")


def _why_not(record: SessionRecord) -> str:
    close = record.session.last_close
    if close is None:
        return "The pairing was ended; ask again."
    return f"WhatsApp ended the pairing ({close.reason}, code {close.code}); try again in a moment."
