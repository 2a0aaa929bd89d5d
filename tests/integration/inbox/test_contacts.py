"""Which number and which lid are one person."""

import pytest

from orchestrator.domain import errors
from orchestrator.domain.errors import PonteError
from orchestrator.domain.jid import ContactId
from orchestrator.services.contacts import ContactBook, ContactService, Sighting
from orchestrator.store import contacts
from orchestrator.store.contacts import StoredContact
from tests.support.desk import Desk
from tests.support.factories import Factories

PN, LID = "5511987654321@s.whatsapp.net", "777@lid"


async def _learn(desk: Desk, book: ContactBook, *sightings: Sighting) -> list[ContactId]:
    return await desk.context.database.shared_transaction(
        desk.scope, lambda tx: book.learn(tx, desk.scope, sightings)
    )


async def _stored(desk: Desk) -> list[StoredContact]:
    async with desk.context.database.reading(desk.scope) as tx:
        return await contacts.find(tx, desk.scope, [PN, LID, "888@lid", "5511900000009@s.whatsapp.net"])


async def test_what_is_told_apart_comes_together(desk: Desk) -> None:
    book = ContactBook(desk.context)
    assert await _learn(desk, book, Sighting(ContactId(pn_jid=PN), "Ana")) == [ContactId(PN)]
    assert await _learn(desk, book, Sighting(ContactId(lid_jid=LID))) == [ContactId(lid_jid=LID)]
    assert await _learn(desk, book, Sighting(ContactId(PN, LID))) == [ContactId(PN, LID)]
    assert await _learn(desk, ContactBook(desk.context), Sighting(ContactId(lid_jid=LID))) == [
        ContactId(PN, LID)
    ]
    [contact] = await _stored(desk)
    assert (contact.contact, contact.push_name) == (ContactId(PN, LID), "Ana")


async def test_a_number_with_a_new_lid_has_only_the_new_one(desk: Desk) -> None:
    book = ContactBook(desk.context)
    await _learn(desk, book, Sighting(ContactId(PN, LID)))
    await _learn(desk, book, Sighting(ContactId(PN, "888@lid")))
    assert [contact.contact for contact in await _stored(desk)] == [ContactId(PN, "888@lid")]


async def test_one_batch_may_name_a_contact_twice(desk: Desk) -> None:
    book = ContactBook(desk.context)
    learned = await _learn(
        desk,
        book,
        Sighting(ContactId(PN, LID)),
        Sighting(ContactId(lid_jid=LID), "Ana"),
        Sighting(ContactId(PN)),
    )
    assert learned == [ContactId(PN, LID)] * 3
    [contact] = await _stored(desk)
    assert contact.push_name == "Ana"


async def test_groups_are_not_contacts(desk: Desk) -> None:
    book = ContactBook(desk.context)
    group = ContactId(pn_jid="120@g.us")
    assert await _learn(desk, book, Sighting(group), Sighting(ContactId())) == [group, ContactId()]
    async with desk.context.database.reading(desk.scope) as tx:
        assert await contacts.find(tx, desk.scope, ["120@g.us"]) == []
        assert await contacts.find(tx, desk.scope, []) == []


async def test_contacts_are_the_companys_own(desk: Desk, make: Factories) -> None:
    await _learn(desk, ContactBook(desk.context), Sighting(ContactId(PN, LID)))
    stranger = await make.company()
    async with desk.context.database.reading(stranger) as tx:
        assert await contacts.find(tx, stranger, [PN, LID]) == []


async def test_a_check_answers_in_order_and_keeps_what_it_learned(desk: Desk) -> None:
    desk.gateway.not_on_whatsapp.add("+5511987654322")
    service = ContactService(desk.context, desk.gateway)
    numbers = ["+5511987654322", "+5511987654321"]
    absent, present = await service.check(desk.scope, "", numbers)
    assert (absent.phone_number, absent.on_whatsapp) == (numbers[0], False)
    assert (present.on_whatsapp, present.contact.pn_jid) == (True, PN)
    assert [contact.contact for contact in await _stored(desk)] == [present.contact]


@pytest.mark.parametrize("numbers", [[], ["+5511987654321"] * 51])
async def test_a_check_takes_1_to_50_numbers(desk: Desk, numbers: list[str]) -> None:
    with pytest.raises(PonteError) as refused:
        await ContactService(desk.context, desk.gateway).check(desk.scope, desk.session_id, numbers)
    assert refused.value.code is errors.INVALID_ARGUMENT


async def test_a_check_names_the_number_that_is_wrong(desk: Desk) -> None:
    with pytest.raises(PonteError) as refused:
        await ContactService(desk.context, desk.gateway).check(desk.scope, "", ["+5511987654321", "12"])
    assert refused.value.violations[0].field == "phone_numbers[1]"


async def test_a_check_needs_a_linked_session_that_is_known(desk: Desk, make: Factories) -> None:
    service = ContactService(desk.context, desk.gateway)
    unlinked = await make.session(desk.scope)
    for session_id, code in ((unlinked.id, errors.SESSION_NOT_LINKED), ("unknown", errors.NOT_FOUND)):
        with pytest.raises(PonteError) as refused:
            await service.check(desk.scope, session_id, ["+5511987654321"])
        assert refused.value.code is code
