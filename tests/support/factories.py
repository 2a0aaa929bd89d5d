"""Companies, sessions and messages as rows, made without the services under test."""

from datetime import timedelta
from typing import Any

from sqlalchemy import insert
from sqlmodel import SQLModel

from orchestrator.domain.company import Company, CompanyScope
from orchestrator.domain.events import EventType, NewEvent
from orchestrator.domain.group import Group, GroupSettings, KnownGroup, SessionGroup
from orchestrator.domain.ids import make_id, make_whatsapp_message_id
from orchestrator.domain.imports import HistoryWish, Import, ImportKind, ImportState
from orchestrator.domain.jid import phone_number_to_jid
from orchestrator.domain.message import Direction, Lane, MessageStatus
from orchestrator.domain.session import DesiredState, SessionState
from orchestrator.services.context import Context
from orchestrator.store import companies, events, groups, imports
from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.imports import StoredImport
from orchestrator.store.models import MessageRow, SessionRow

OWN_NUMBER = "+5511900000001"
CUSTOMER = "+5511987654321"


class Factories:
    """Makes what a test starts from. Keyword arguments replace a row's columns."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def company(self, name: str = "Acme", max_sessions: int = 10) -> CompanyScope:
        """A company, as the scope to work in."""
        company = Company(self._id(), name, max_sessions, self._context.clock())
        async with self._context.database.transaction(SystemScope()) as tx:
            await companies.add(tx, SystemScope(), company)
        return CompanyScope(company.id)

    async def session(self, scope: CompanyScope, **columns: Any) -> SessionRow:
        """A new session that was never linked."""
        row = SessionRow(
            **{
                "id": self._id(),
                "company_id": scope.company_id,
                "name": "Sales",
                "state": SessionState.NEW.value,
                "desired_state": DesiredState.STOP.value,
                "created_at": self._context.clock(),
                **columns,
            }
        )
        async with self._context.database.transaction(scope) as tx:
            await _insert(tx, row)
        return row

    async def linked_session(
        self, scope: CompanyScope, phone_number: str = OWN_NUMBER, **columns: Any
    ) -> SessionRow:
        """A session whose number is linked and connected."""
        linked = {
            "state": SessionState.CONNECTED.value,
            "desired_state": DesiredState.RUN.value,
            "pn_jid": phone_number_to_jid(phone_number),
            "lid_jid": f"9{phone_number.removeprefix('+')}@lid",
            "push_name": "Acme",
            "connected_at": self._context.clock(),
        }
        return await self.session(scope, **{**linked, **columns})

    async def conversation_import(self, scope: CompanyScope, session: SessionRow) -> str:
        """An import that waits for its phone to tell more; gives its id."""
        now = self._context.clock()
        value = Import(
            id=self._id(),
            company_id=scope.company_id,
            session_id=session.id,
            kind=ImportKind.PAIRING,
            state=ImportState.WAITING,
            wish=HistoryWish(days=30),
            created_at=now,
            updated_at=now,
        )
        async with self._context.database.transaction(scope) as tx:
            await imports.add(tx, scope, StoredImport(value, next_step_at=now + timedelta(days=1)))
        return value.id

    async def group(self, scope: CompanyScope, session: SessionRow, jid: str) -> SessionGroup:
        """A group that a session's number is in."""
        now = self._context.clock()
        group = Group(jid, GroupSettings(subject="Ponte"), size=1)
        stored = SessionGroup(self._id(), session.id, KnownGroup(group, read_at=now))
        async with self._context.database.transaction(scope) as tx:
            await groups.save(tx, scope, None, stored, now)
        return stored

    async def message(
        self,
        scope: CompanyScope,
        session: SessionRow,
        text: str = "Hello",
        to: str = CUSTOMER,
        **columns: Any,
    ) -> MessageRow:
        """A queued outbound text, with its event."""
        now, chat_jid = self._context.clock(), phone_number_to_jid(to)
        async with self._context.database.transaction(scope) as tx:
            queued = NewEvent(EventType.MESSAGE_QUEUED, session.id, {"text": text}, chat_jid)
            event = (await events.append(tx, scope, [queued], now, self._context.rng))[0]
            row = MessageRow(
                **{
                    "id": self._id(),
                    "company_id": scope.company_id,
                    "session_id": session.id,
                    "sequence": event.sequence,
                    "chat_jid": chat_jid,
                    "wa_message_id": make_whatsapp_message_id(self._context.rng),
                    "pn_jid": chat_jid,
                    "direction": Direction.OUTBOUND.value,
                    "kind": "text",
                    "text": text,
                    "status": MessageStatus.QUEUED.value,
                    "lane": Lane.TRANSACTIONAL.value,
                    "created_at": now,
                    "due_at": now,
                    **columns,
                }
            )
            await _insert(tx, row)
        return row

    def _id(self) -> str:
        return make_id(self._context.clock(), self._context.rng)


async def _insert(tx: Transaction, row: SQLModel) -> None:
    table = type(row).__table__  # type: ignore[attr-defined]  # SQLModel adds it
    await tx.connection.execute(insert(table), row.model_dump())
