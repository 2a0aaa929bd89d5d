"""Whether a campaign may write to someone: the suppression list and the opt-ins, asked for many at once."""

from collections.abc import Sequence
from datetime import datetime

from orchestrator.domain.campaign.reasons import PassedOver
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.jid import ContactId, phone_number_to_jid
from orchestrator.domain.number_spelling import all_names
from orchestrator.store import consent as consent_store
from orchestrator.store.database import Transaction


async def objections(
    tx: Transaction, scope: CompanyScope, phone_numbers: Sequence[str], now: datetime
) -> dict[str, PassedOver]:
    """Give why campaigns pass some of these numbers (E.164) over; those that they may write to are left out."""
    contacts = {number: ContactId(pn_jid=phone_number_to_jid(number)) for number in phone_numbers}
    found = await contact_objections(tx, scope, list(contacts.values()), now)
    return {number: found[contact] for number, contact in contacts.items() if contact in found}


async def contact_objections(
    tx: Transaction, scope: CompanyScope, contacts: Sequence[ContactId], now: datetime
) -> dict[ContactId, PassedOver]:
    """As `objections`, by both names of each contact."""
    if not contacts:
        return {}
    suppressed = await consent_store.find_suppressed(tx, scope, contacts, now)
    opted_in = await consent_store.find_opted_in(tx, scope, contacts)
    found: dict[ContactId, PassedOver] = {}
    for contact in contacts:
        names = all_names([contact])
        if names & suppressed.keys():
            found[contact] = PassedOver.SUPPRESSED
        elif not names & opted_in:
            found[contact] = PassedOver.NOT_OPTED_IN
    return found
