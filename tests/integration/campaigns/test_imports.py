"""Lists, and files that fill them."""

import asyncio
import io
from collections.abc import Iterator
from random import Random

import pytest

from orchestrator.domain.campaign.reasons import PassedOver
from orchestrator.domain.campaign.recipient_list import ImportState, ReportedLine
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.page import PageRequest
from orchestrator.services import recipient_imports
from orchestrator.services.context import Context
from orchestrator.services.recipient_files import Row
from orchestrator.services.recipient_imports import GivenRecipient, RecipientImports
from orchestrator.services.recipient_lists import RecipientListService
from orchestrator.store import recipient_lists as list_store
from tests.integration.campaigns.conftest import Consents
from tests.support.factories import Factories

ANA, BIA, CAIO = "+5511987654321", "+5511987654322", "+351912345678"


async def make_list(lists: RecipientListService, scope: CompanyScope, region: str = "BR") -> str:
    return (await lists.create(scope, "Customers", region)).id


async def test_each_line_is_taken_in_or_reported(
    lists: RecipientListService, imports: RecipientImports, consents: Consents, scope: CompanyScope
) -> None:
    await consents.opt_in(scope, [ANA, BIA])
    await consents.suppress(scope, BIA)
    list_id = await make_list(lists, scope)
    file = io.BytesIO(
        f"phone,name,city\n{ANA},Ana Silva,Recife\n(11) 98765-4321,Ana,\nsoon,,\n{BIA},,\n{CAIO},Caio,\n".encode()
    )

    done = await imports.from_file(scope, list_id, file, "people.csv")

    assert (done.state, done.lines, done.accepted, done.file_name) == (
        ImportState.COMPLETED,
        5,
        3,
        "people.csv",
    )
    assert set(done.reported.values()) == {1}
    assert await lists.reported_lines(scope, done.id, 0, 10) == [
        ReportedLine(3, "(11) 98765-4321", PassedOver.DUPLICATE),
        ReportedLine(4, "soon", PassedOver.INVALID),
        ReportedLine(5, BIA, PassedOver.SUPPRESSED),
        ReportedLine(6, CAIO, PassedOver.NOT_OPTED_IN),
    ]
    assert await lists.reported_lines(scope, done.id, 5, 10) == [
        ReportedLine(6, CAIO, PassedOver.NOT_OPTED_IN)
    ]
    filled = await lists.get(scope, list_id)
    assert filled.recipients == 3
    assert filled.field_counts == {"name": 2, "first_name": 2, "city": 1}
    assert filled.zone_counts == {"America/Sao_Paulo": 2, "Atlantic/Azores Europe/Lisbon": 1}
    assert await lists.get_import(scope, list_id, done.id) == done


async def test_the_same_file_again_adds_nobody(
    lists: RecipientListService, imports: RecipientImports, scope: CompanyScope, context: Context
) -> None:
    list_id = await make_list(lists, scope)
    numbers = [f"+55119{number:08d}" for number in range(1_200)]
    Random(1).shuffle(numbers)
    content = ("phone\n" + "\n".join(numbers)).encode()

    await imports.from_file(scope, list_id, io.BytesIO(content))
    again = await imports.from_file(scope, list_id, io.BytesIO(content))

    assert (again.accepted, again.reported[PassedOver.DUPLICATE]) == (0, 1_200)
    async with context.database.reading(scope) as tx:
        kept = await list_store.at_positions(tx, scope, list_id, [1, 1_200, 1_201])
    assert [(one.position, one.phone_number) for one in kept] == [(1, numbers[0]), (1_200, numbers[-1])]
    newest = (await lists.list_imports(scope, list_id, PageRequest())).items[0]
    assert newest == again


async def test_recipients_that_a_request_names_are_taken_in_the_same_way(
    lists: RecipientListService, imports: RecipientImports, scope: CompanyScope
) -> None:
    list_id = await make_list(lists, scope)

    done = await imports.named(
        scope, list_id, [GivenRecipient(ANA, "Ana", {"code": "7"}), GivenRecipient("x")]
    )

    assert (done.lines, done.accepted) == (2, 1)
    assert (await lists.get(scope, list_id)).field_counts == {"name": 1, "first_name": 1, "code": 1}
    for wrong in ([], [GivenRecipient(ANA)] * 1_001):
        with pytest.raises(PonteError, match="INVALID_ARGUMENT"):
            await imports.named(scope, list_id, wrong)


async def test_a_file_that_turns_bad_keeps_what_was_read_and_says_so(
    lists: RecipientListService, imports: RecipientImports, scope: CompanyScope
) -> None:
    list_id = await make_list(lists, scope)
    lines = "".join(f"+55119{number:08d}\n" for number in range(3_000))
    file = io.BytesIO(f"phone\n{lines}".encode() + b"\xff\xff\n")

    with pytest.raises(PonteError, match="IMPORT_UNREADABLE"):
        await imports.from_file(scope, list_id, file)

    (kept,) = (await lists.list_imports(scope, list_id, PageRequest())).items
    assert kept.state is ImportState.FAILED
    assert "UTF-8" in kept.error
    assert (await lists.get(scope, list_id)).recipients == kept.accepted > 0


async def test_an_import_that_is_cut_off_is_marked(
    lists: RecipientListService,
    imports: RecipientImports,
    scope: CompanyScope,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    list_id = await make_list(lists, scope)
    reached = asyncio.Event()
    loop = asyncio.get_running_loop()

    def endless(*_: object) -> Iterator[Row]:
        for number in range(10_000_000):
            if number == 1_500:
                loop.call_soon_threadsafe(reached.set)
            yield Row(number, "", f"+55119{number:08d}", "", {})

    monkeypatch.setattr(recipient_imports, "read_rows", endless)
    running = asyncio.create_task(imports.from_file(scope, list_id, io.BytesIO()))
    await reached.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    (kept,) = (await lists.list_imports(scope, list_id, PageRequest())).items
    assert (kept.state, kept.error) == (ImportState.FAILED, "It was interrupted.")


async def test_lists_are_made_once_per_idempotency_key_and_found_by_their_company_alone(
    lists: RecipientListService, imports: RecipientImports, scope: CompanyScope, make: Factories
) -> None:
    first = await lists.create(scope, "Customers", "br", "key")

    assert first.region == "BR"
    assert await lists.create(scope, "Customers", "br", "key") == first
    assert (await lists.list(scope, PageRequest())).items == [first]
    other = await make.company("Other")
    for refused in (
        lists.get(other, first.id),
        lists.delete(other, first.id),
        lists.list_imports(other, first.id, PageRequest()),
        imports.named(other, first.id, [GivenRecipient(ANA)]),
        lists.get_import(scope, first.id, "nothing"),
        lists.get(scope, "nothing"),
    ):
        with pytest.raises(PonteError, match="NOT_FOUND"):
            await refused
    with pytest.raises(PonteError, match="INVALID_ARGUMENT"):
        await lists.create(scope, "Customers", "XX")
    await lists.delete(scope, first.id)
    with pytest.raises(PonteError, match="NOT_FOUND"):
        await lists.get(scope, first.id)
