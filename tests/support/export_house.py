"""A desk at which exported chats are taken in, and what is seen of them afterwards."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain.content import Audio, Content, Document, Image, MediaRef, Sticker, Video, Voice
from orchestrator.domain.imports import Import, ImportKind
from orchestrator.domain.inbound import InboundMessage
from orchestrator.domain.jid import ContactId
from orchestrator.domain.message import Message
from orchestrator.domain.message_filter import MessageFilter
from orchestrator.domain.page import PageRequest
from orchestrator.services.export_imports import ExportImports
from orchestrator.services.exports import ExportService, GivenExport
from orchestrator.services.import_rounds import ImportRounds
from orchestrator.services.imports import ImportService
from orchestrator.services.inbox import InboxService
from orchestrator.services.media import MediaService
from orchestrator.store import events, messages
from tests.support.desk import Desk
from tests.support.exports import text_file
from tests.support.media import make_media

ANA, ANA_LID, ANA_NUMBER = "5511911111111@s.whatsapp.net", "911@lid", "+5511911111111"
ANA_BOTH = ContactId(ANA, ANA_LID)


@dataclass
class House:
    """A desk at which exported chats are taken in."""

    desk: Desk
    media: MediaService

    async def begin(self, file: bytes, file_name: str = "", **more: Any) -> Import:
        """Upload a file and begin its import."""

        async def chunks() -> AsyncIterator[bytes]:
            yield file

        media = await self.media.add(self.desk.scope, chunks(), file_name=file_name)
        given = GivenExport(self.desk.session_id, media.id, ANA_NUMBER, "Bia")
        return await ExportService(self.desk.context, self.media).create(
            self.desk.scope, replace(given, **more)
        )

    async def work(self) -> None:
        """Work on what is due until it rests."""
        jobs = {ImportKind.EXPORT: ExportImports(self.desk.context, self.media)}
        rounds = ImportRounds(self.desk.context, jobs)
        await rounds.run_once()
        await rounds.idle()

    async def take_in(self, *lines: str, **more: Any) -> Import:
        """Import a text; gives how it ended."""
        return await self.take_in_file(text_file(*lines), **more)

    async def take_in_file(self, file: bytes, **more: Any) -> Import:
        """Import a file; gives how it ended."""
        begun = await self.begin(file, **more)
        await self.work()
        return await self.look(begun)

    async def look(self, value: Import) -> Import:
        """An import as it stands now."""
        return await ImportService(self.desk.context).get(self.desk.scope, value.id)

    async def stored(self) -> list[Message]:
        """All messages, newest first."""
        async with self.desk.context.database.reading(self.desk.scope) as tx:
            wanted, page = MessageFilter(), PageRequest(500)
            return list((await messages.list_page(tx, self.desk.scope, wanted, page)).items)

    async def texts(self) -> list[str]:
        """What all messages say, oldest first."""
        return [message.text for message in reversed(await self.stored())]

    async def receive(
        self, text: str, sent_at: datetime, contact: ContactId = ANA_BOTH, content: Content | None = None
    ) -> None:
        """Record a message that comes in now."""
        inbound = InboundMessage(
            wa_message_id=f"3EB0{len(await self.stored())}",
            chat_jid=contact.lid_jid,
            chat=contact,
            sender=contact,
            from_me=False,
            is_group=False,
            push_name="Ana herself",
            sent_at=sent_at,
            offline=False,
            message_proto=b"raw",
            kind=content.kind if content else "text",
            text=text,
            content=content,
        )
        desk = self.desk
        await InboxService(desk.context).record(desk.scope, desk.session_id, 0, inbound)

    async def event_types(self) -> list[str]:
        """What was told, in order."""
        async with self.desk.context.database.reading(self.desk.scope) as tx:
            return [str(event.type) for event in await events.list_after(tx, self.desk.scope, 0, 500)]


def file_of(message: Message) -> MediaRef:
    """The file of a message."""
    assert message.content is not None
    body = message.content.body
    assert isinstance(body, Image | Video | Audio | Voice | Document | Sticker)
    return body.media


@pytest.fixture
async def house(desk: Desk, tmp_path: Path) -> AsyncIterator[House]:
    media = make_media(desk.context, tmp_path)
    yield House(desk, media)
    await media.close()
