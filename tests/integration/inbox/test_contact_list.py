"""The list of contacts: by both names, page by page, one company's only."""

import pytest

from orchestrator.domain.errors import PonteError
from orchestrator.domain.jid import ContactId
from orchestrator.domain.page import PageRequest
from orchestrator.services.contacts import ContactBook, ContactService, Sighting
from orchestrator.store.messages import lock_company
from tests.support.desk import Desk
from tests.support.factories import Factories

ANA = ContactId("5511987650001@s.whatsapp.net", "95511987650001@lid")
BIA = ContactId("", "95511987650002@lid")


@pytest.fixture
async def service(desk: Desk) -> ContactService:
    """Ana is known, then Bia."""
    book = ContactBook(desk.context)
    async with desk.context.database.transaction(desk.scope) as tx:
        await lock_company(tx, desk.scope)
        await book.learn(tx, desk.scope, [Sighting(ANA, "Ana"), Sighting(BIA)])
    return ContactService(desk.context, desk.gateway)


async def test_contacts_are_listed_page_by_page_with_both_names(desk: Desk, service: ContactService) -> None:
    first = await service.list_known(desk.scope, "", PageRequest(1))
    last = await service.list_known(desk.scope, "", PageRequest(1, first.next_token))
    assert last.next_token == ""
    listed = {(known.contact, known.push_name) for page in (first, last) for known in page.items}
    assert listed == {(ANA, "Ana"), (BIA, "")}


async def test_one_number_is_looked_up(desk: Desk, service: ContactService) -> None:
    found = await service.list_known(desk.scope, "+5511987650001", PageRequest())
    assert [known.contact for known in found.items] == [ANA]
    assert (await service.list_known(desk.scope, "+5511987650009", PageRequest())).items == []
    with pytest.raises(PonteError, match="INVALID_PHONE_NUMBER"):
        await service.list_known(desk.scope, "0", PageRequest())


async def test_another_company_sees_none_of_them(
    desk: Desk, service: ContactService, make: Factories
) -> None:
    assert (await service.list_known(await make.company(), "", PageRequest())).items == []
