"""Whose import has its turn, and what becomes of one whose attempts bring nothing or whose session is deleted."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

import pytest

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.imports import Import, ImportKind, ImportState
from orchestrator.domain.media import Media
from orchestrator.media.storage import FolderStorage
from orchestrator.services import export_imports, exports, import_rounds
from orchestrator.services.companies import CompanyService
from orchestrator.services.export_imports import ExportImports
from orchestrator.services.exports import ExportService, GivenExport
from orchestrator.services.import_progress import HELD, MOST_FAULTS, ImportProgress
from orchestrator.services.import_rounds import ImportRounds
from orchestrator.services.media import MediaService
from orchestrator.services.sessions import SessionService
from orchestrator.store import imported_messages
from orchestrator.store import imports as import_store
from orchestrator.store.database import SystemScope, Transaction
from orchestrator.store.imported_messages import Sent
from tests.support.clock import ManualClock
from tests.support.export_house import ANA_NUMBER, House, file_of
from tests.support.exports import picture, text_file, zip_file
from tests.support.factories import Factories
from tests.support.simulator import eventually

HELLO = "[13/01/2025, 12:00:00] Bia: Hello"


class Waiting:
    """A job that has begun what it was given, and goes on until it may end."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.may_end = asyncio.Event()

    async def run(self, scope: CompanyScope, import_id: str) -> None:
        self.begun.append(import_id)
        await self.may_end.wait()


async def test_one_companys_many_imports_do_not_hold_up_anothers(
    house: House, make: Factories, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_rounds, "AT_ONCE", 3)
    mine = []
    for _ in range(3):
        mine.append(await house.begin(text_file(HELLO)))
        clock.advance(1)
    other = await make.company()
    theirs = replace(mine[0], id=mine[0].id[:-1] + "z", company_id=other.company_id)
    async with house.desk.context.database.transaction(other) as tx:
        await import_store.add(tx, other, import_store.StoredImport(theirs, next_step_at=clock()))

    job = Waiting()
    rounds = ImportRounds(house.desk.context, {ImportKind.EXPORT: job})
    for _ in range(2):
        await rounds.run_once()
    job.may_end.set()
    await rounds.idle()
    assert job.begun == [mine[0].id, theirs.id]


async def test_a_store_that_does_not_answer_is_asked_again_later_each_time_and_at_last_given_up(
    house: House, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    async def fail(*_: object) -> None:
        nonlocal asked
        asked += 1
        raise PonteError(errors.MEDIA_STORE_FAILED)

    lines = text_file("[13/01/2025, 12:00:00] Bia: \u200e<attached: 1.png>")
    begun = await house.begin(zip_file(lines, {"1.png": picture()}))
    monkeypatch.setattr(FolderStorage, "keep", fail)
    await house.work()
    for attempt in range(MOST_FAULTS):
        assert (await house.look(begun)).state is ImportState.RUNNING
        clock.advance(5 * 2**attempt - 1)
        await house.work()
        assert asked == attempt + 1
        clock.advance(1)
        await house.work()
        assert asked == attempt + 2
    assert (await house.look(begun)).error_code == errors.MEDIA_STORE_FAILED.name


async def test_an_import_whose_process_dies_each_time_is_given_up(house: House, clock: ManualClock) -> None:
    begun = await house.begin(text_file(HELLO))
    for _ in range(MOST_FAULTS + 1):
        assert (await house.look(begun)).state is ImportState.WAITING
        await take_up_and_die(house, begun)
        clock.advance(HELD.total_seconds())
    await house.work()
    ended = await house.look(begun)
    assert (ended.state, ended.error_code) == (ImportState.FAILED, errors.INTERNAL.name)


async def take_up_and_die(house: House, begun: Import) -> None:
    """Be gone before anything came of it."""
    context, scope = house.desk.context, house.desk.scope
    async with context.database.transaction(scope) as tx:
        assert await ImportProgress(context).take_up(tx, scope, begun.id) is not None


async def test_a_step_that_takes_long_does_not_let_another_take_the_import_up(
    house: House, monkeypatch: pytest.MonkeyPatch, clock: ManualClock
) -> None:
    monkeypatch.setattr(export_imports, "_HOLD_EVERY", HELD / 500)
    begun = await house.begin(text_file(HELLO))
    asked, may_go_on = asyncio.Event(), asyncio.Event()
    get = MediaService.get

    async def slow(media: MediaService, scope: CompanyScope, media_id: str) -> Media:
        asked.set()
        await may_go_on.wait()
        return await get(media, scope, media_id)

    async def is_held() -> bool:
        """Whether nobody else would take the import up now."""
        async with house.desk.context.database.reading(SystemScope()) as tx:
            return not await import_store.due(tx, SystemScope(), list(ImportKind), clock(), 10)

    monkeypatch.setattr(MediaService, "get", slow)
    working = asyncio.create_task(
        ExportImports(house.desk.context, house.media).run(house.desk.scope, begun.id)
    )
    async with asyncio.timeout(20):
        await asked.wait()
    clock.advance(HELD.total_seconds())
    await eventually(is_held)
    may_go_on.set()
    await working
    assert (await house.look(begun)).state is ImportState.COMPLETED


async def test_a_deleted_session_s_imports_end(house: House) -> None:
    begun = await house.begin(text_file(HELLO))
    await SessionService(house.desk.context, house.desk.gateway).delete(
        house.desk.scope, house.desk.session_id
    )
    await house.work()
    assert (await house.look(begun)).state is ImportState.CANCELLED
    assert await house.stored() == []
    assert (await house.event_types())[-1] == "import.cancelled"


async def test_a_deleted_company_s_imports_end(house: House) -> None:
    begun = await house.begin(text_file(HELLO))
    await CompanyService(house.desk.context).delete(house.desk.scope.company_id)
    await house.work()
    assert (await house.look(begun)).state is ImportState.CANCELLED
    assert await house.stored() == []


async def test_a_company_has_so_many_waiting_and_no_more(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "MOST_OPEN", 2)
    for _ in range(2):
        await house.begin(text_file(HELLO))
    with pytest.raises(PonteError) as refused:
        await house.begin(text_file(HELLO))
    assert refused.value.code is errors.QUEUE_FULL
    assert "cancel" in str(refused.value)
    await house.work()
    await house.begin(text_file(HELLO))


async def test_a_repeated_request_has_its_answer_also_when_the_file_is_gone(house: House) -> None:
    uploaded = (await house.begin(text_file(HELLO))).export
    assert uploaded is not None
    given = GivenExport("", uploaded.media_id, ANA_NUMBER, "Bia")
    service, scope = ExportService(house.desk.context, house.media), house.desk.scope
    first = await service.create(scope, given, "key")
    await house.media.delete(scope, uploaded.media_id)
    assert await service.create(scope, given, "key") == first
    with pytest.raises(PonteError) as refused:
        await service.create(scope, given, "another key")
    assert refused.value.code is errors.NOT_FOUND


async def test_a_file_that_many_messages_name_is_stored_once(house: House) -> None:
    lines = [f"[13/01/2025, 12:00:{second:02}] Bia: \u200e<attached: 1.png>" for second in range(5)]
    ended = await house.take_in_file(zip_file(text_file(*lines), {"1.png": picture()}))
    assert ended.counts.added == 5
    assert len({file_of(message).media_id for message in await house.stored()}) == 1


async def test_a_line_that_looks_years_old_does_not_ask_for_all_messages_since(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_s: list[float] = []
    sent_between = imported_messages.sent_between

    async def noted(
        tx: Transaction,
        scope: CompanyScope,
        session_id: str,
        chats: Collection[str],
        since: datetime,
        until: datetime,
        *,
        imported_only: bool,
    ) -> list[Sent]:
        asked_s.append((until - since).total_seconds())
        return await sent_between(tx, scope, session_id, chats, since, until, imported_only=imported_only)

    monkeypatch.setattr(imported_messages, "sent_between", noted)
    old = "[01/02/2015, 09:00:00] Ana: old"
    ended = await house.take_in(HELLO, old, HELLO.replace("12:00", "12:30"))
    again = await house.take_in(HELLO, old, HELLO.replace("12:00", "12:30"))
    assert (ended.counts.added, again.counts.known) == (3, 3)
    assert max(asked_s) < 3600
