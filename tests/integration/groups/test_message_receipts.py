"""Who has a message to a group, by all names that are known of them when somebody asks."""

from orchestrator.domain.group import Participant
from orchestrator.domain.jid import ContactId
from orchestrator.domain.page import PageRequest
from orchestrator.services.contacts import ContactBook, Sighting
from orchestrator.store.messages import lock_company
from tests.support.desk import Desk
from tests.support.groups import EVA, GROUP, ME, group_of, known_group


async def test_a_member_who_was_known_by_the_hidden_id_is_named_by_the_number_later(desk: Desk) -> None:
    hidden = ContactId(lid_jid=EVA.lid_jid)
    group = group_of(Participant(hidden), Participant(ME))
    await known_group(desk.context, desk.scope, desk.session_id, group)
    message_id = await desk.submit("Lunch", to=GROUP)
    await desk.send_all()
    book = ContactBook(desk.context)
    async with desk.context.database.transaction(desk.scope) as tx:
        await lock_company(tx, desk.scope)
        await book.learn(tx, desk.scope, [Sighting(EVA)])

    found = await desk.messages.receipts(desk.scope, message_id, PageRequest())

    assert [receipt.contact for receipt in found.page.items] == [EVA]
    assert found.counts.awaited == 1
