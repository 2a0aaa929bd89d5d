"""Contacts: which phone number and which lid are one person, and which numbers are on WhatsApp."""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import invalid_field
from orchestrator.domain.ids import make_id
from orchestrator.domain.jid import (
    LID_SERVER,
    PHONE_NUMBER_SERVER,
    ContactId,
    person_named,
    phone_number_to_jid,
)
from orchestrator.domain.number_spelling import all_names, other_jid
from orchestrator.domain.page import Page, PageRequest
from orchestrator.services.context import Context
from orchestrator.services.number_checks import Questions, keep_answers, take_questions
from orchestrator.services.phone_numbers import check_phone_number
from orchestrator.services.ports import GatewayPort, NumberCheck
from orchestrator.services.session_choice import linked_session
from orchestrator.store import chat_names
from orchestrator.store import contacts as contact_store
from orchestrator.store.contacts import StoredContact
from orchestrator.store.database import Transaction
from orchestrator.store.messages import lock_company

MOST_CHECKED = 50
"""Numbers in one check; WhatsApp limits how many an account asks for."""

_CACHED_CONTACTS = 50_000
_CACHED_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A contact as a gateway named it just now; `push_name` is the name that the contact gives itself, where told."""

    contact: ContactId
    push_name: str = ""


@dataclass(frozen=True, slots=True)
class KnownContact:
    """A contact as the company knows it; `push_name` is the name that it gives itself."""

    id: str
    contact: ContactId
    push_name: str


class ContactBook:
    """The company's contacts, with a bounded memory: what is known already costs no statement."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._cache: OrderedDict[tuple[str, str], tuple[StoredContact | None, datetime]] = OrderedDict()

    async def complete(
        self, tx: Transaction, scope: CompanyScope, contacts: Sequence[ContactId]
    ) -> list[ContactId]:
        """Fill in the other name of each contact where it is known; a number gets the spelling that is WhatsApp's."""
        known = await self._known(tx, scope, contacts)
        return [_merged(_respelt(contact, known), _matches(contact, known)) for contact in contacts]

    async def known_persons(
        self, tx: Transaction, scope: CompanyScope, pn_jids: Collection[str]
    ) -> dict[str, ContactId]:
        """Give those contacts that are known by these numbers, in either spelling, by the number given."""
        asked = [ContactId(pn_jid=jid) for jid in pn_jids]
        self._doubt(asked, scope)
        known = await self._known(tx, scope, asked)
        found = {one.pn_jid: known.get(one.pn_jid) or known.get(other_jid(one.pn_jid)) for one in asked}
        return {jid: stored.contact for jid, stored in found.items() if stored is not None}

    async def chat_name(self, tx: Transaction, scope: CompanyScope, jid: str) -> str:
        """The name of the chat that is meant by any jid: a person's is that of the number, as WhatsApp spells it."""
        if not jid.endswith((f"@{PHONE_NUMBER_SERVER}", f"@{LID_SERVER}")):
            return jid
        [contact] = await self.complete(tx, scope, [person_named(jid)])
        return contact.jid

    async def learn(
        self, tx: Transaction, scope: CompanyScope, sightings: Sequence[Sighting]
    ) -> list[ContactId]:
        """Store what is new in the sightings, and give each contact with both names where they are known.

        Only people are kept: the names of groups and channels are given back as they came. The company is locked
        (`lock_company`), so that no other process stores the same contact.
        """
        self._doubt([sighting.contact for sighting in sightings], scope)
        known = await self._known(tx, scope, [sighting.contact for sighting in sightings])
        complete: list[ContactId] = []
        for sighting in sightings:
            contact = await self._learn_one(tx, scope, sighting, known)
            complete.append(contact)
        return complete

    async def _learn_one(
        self, tx: Transaction, scope: CompanyScope, sighting: Sighting, known: dict[str, StoredContact]
    ) -> ContactId:
        if not _names_person(sighting.contact):
            return sighting.contact
        matches = _matches(sighting.contact, known)
        merged = _merged(sighting.contact, matches)
        push_name = sighting.push_name or next((match.push_name for match in matches if match.push_name), "")
        if len(matches) == 1 and (matches[0].contact, matches[0].push_name) == (merged, push_name):
            return merged
        now = self._context.clock()
        contact_id = matches[0].id if matches else make_id(now, self._context.rng)
        stored = StoredContact(contact_id, merged, push_name)
        await contact_store.put(tx, scope, stored, matches, now)
        for name in _left_names(merged, matches):
            await chat_names.merge(tx, scope, name, merged)
        for jid in (merged.pn_jid, merged.lid_jid):
            if jid:
                known[jid] = stored

        async def remember() -> None:
            self._remember(scope, stored)

        tx.after_commit(remember)
        return merged

    async def _known(
        self, tx: Transaction, scope: CompanyScope, contacts: Sequence[ContactId]
    ) -> dict[str, StoredContact]:
        """The stored contacts by name. A number that is not known is looked for in its other spelling too."""
        jids = {jid for contact in contacts for jid in (contact.pn_jid, contact.lid_jid)} - {""}
        known = await self._find(tx, scope, jids)
        respelt = {other_jid(contact.pn_jid) for contact in contacts if contact.pn_jid not in known} - {""}
        return known | await self._find(tx, scope, respelt - jids) if respelt else known

    def _doubt(self, contacts: Sequence[ContactId], scope: CompanyScope) -> None:
        """Forget that names were unknown: another process may have stored them since."""
        for jid in all_names(contacts):
            entry = self._cache.get((scope.company_id, jid))
            if entry is not None and entry[0] is None:
                del self._cache[scope.company_id, jid]

    async def _find(
        self, tx: Transaction, scope: CompanyScope, jids: Collection[str]
    ) -> dict[str, StoredContact]:
        now = self._context.clock()
        known: dict[str, StoredContact] = {}
        missing: set[str] = set()
        for jid in jids:
            entry = self._cache.get((scope.company_id, jid))
            if entry is None or entry[1] < now:
                missing.add(jid)
            elif entry[0] is not None:
                known[jid] = entry[0]
        if not missing:
            return known
        found: dict[str, StoredContact] = {}
        for stored in await contact_store.find(tx, scope, missing):
            found |= {jid: stored for jid in (stored.contact.pn_jid, stored.contact.lid_jid) if jid}

        async def remember() -> None:
            for jid in missing:
                self._keep(scope, jid, found.get(jid))

        tx.after_commit(remember)
        return known | found

    def _remember(self, scope: CompanyScope, stored: StoredContact) -> None:
        for jid in (stored.contact.pn_jid, stored.contact.lid_jid):
            if jid:
                self._keep(scope, jid, stored)

    def _keep(self, scope: CompanyScope, jid: str, stored: StoredContact | None) -> None:
        self._cache[scope.company_id, jid] = (stored, self._context.clock() + _CACHED_FOR)
        self._cache.move_to_end((scope.company_id, jid))
        while len(self._cache) > _CACHED_CONTACTS:
            self._cache.popitem(last=False)


class ContactService:
    """Asks WhatsApp about numbers."""

    def __init__(self, context: Context, gateway: GatewayPort) -> None:
        self._context = context
        self._gateway = gateway
        self._book = ContactBook(context)

    async def check(
        self, scope: CompanyScope, session_id: str, phone_numbers: Sequence[str]
    ) -> list[NumberCheck]:
        """Say which of at most 50 numbers have an account, in the order given; names that are new are kept.

        Answers are good for 30 days; WhatsApp is asked about 20 numbers an hour and session (`sending-policy.md`).
        Raises PonteError: INVALID_ARGUMENT, INVALID_PHONE_NUMBER, NOT_FOUND, SESSION_NOT_LINKED, GATEWAY_UNAVAILABLE,
        NUMBER_CHECK_LIMIT_REACHED.
        """
        if not 0 < len(phone_numbers) <= MOST_CHECKED:
            raise invalid_field(
                errors.INVALID_ARGUMENT, "phone_numbers", f"Give 1 to {MOST_CHECKED} numbers."
            )
        for position, number in enumerate(phone_numbers):
            check_phone_number(number, f"phone_numbers[{position}]")
        session_id = await linked_session(self._context, scope, session_id)
        numbers = list(dict.fromkeys(phone_numbers))

        async def take(tx: Transaction) -> Questions:
            return await take_questions(tx, self._context, scope, session_id, numbers)

        questions = await self._context.database.shared_transaction(scope, take)
        answered = questions.known | await self._ask(scope, session_id, questions.open)
        absent = ContactId()
        return [answered.get(number, NumberCheck(number, False, absent)) for number in phone_numbers]

    async def list_known(
        self, scope: CompanyScope, phone_number: str, page: PageRequest
    ) -> Page[KnownContact]:
        """List contacts, the latest known first; only that of a number where one is given.

        Raises PonteError: INVALID_PHONE_NUMBER, INVALID_ARGUMENT, INVALID_PAGE_TOKEN.
        """
        if phone_number:
            check_phone_number(phone_number, "phone_number")
        names = all_names([ContactId(phone_number_to_jid(phone_number))]) if phone_number else set()
        async with self._context.database.reading(scope) as tx:
            found = await contact_store.list_contacts(tx, scope, names, page)
        known = [KnownContact(stored.id, stored.contact, stored.push_name) for stored in found.items]
        return Page(known, found.next_token)

    async def _ask(
        self, scope: CompanyScope, session_id: str, phone_numbers: Sequence[str]
    ) -> dict[str, NumberCheck]:
        if not phone_numbers:
            return {}
        checks = await self._gateway.check_numbers(scope, session_id, list(phone_numbers))
        sightings = [Sighting(check.contact) for check in checks if check.on_whatsapp]

        async def keep(tx: Transaction) -> None:
            await lock_company(tx, scope)
            await self._book.learn(tx, scope, sightings)
            await keep_answers(tx, scope, checks, self._context.clock())

        await self._context.database.shared_transaction(scope, keep)
        return {check.phone_number: check for check in checks}


def _names_person(contact: ContactId) -> bool:
    servers = {jid.partition("@")[2] for jid in (contact.pn_jid, contact.lid_jid) if jid}
    return bool(servers) and servers <= {PHONE_NUMBER_SERVER, LID_SERVER}


def _matches(contact: ContactId, known: dict[str, StoredContact]) -> list[StoredContact]:
    """The stored contacts that share a name with this one; that of the phone number first."""
    found = (known.get(jid) for jid in (contact.pn_jid, other_jid(contact.pn_jid), contact.lid_jid) if jid)
    return list({stored.id: stored for stored in found if stored is not None}.values())


def _respelt(contact: ContactId, known: dict[str, StoredContact]) -> ContactId:
    """The contact by the spelling that is known, where what was written is not."""
    other = other_jid(contact.pn_jid)
    if other not in known or contact.pn_jid in known:
        return contact
    return ContactId(other, contact.lid_jid)


def _left_names(merged: ContactId, matches: Sequence[StoredContact]) -> list[str]:
    """The names of the contact's chats until now: its lid while that alone was known, its number's other spelling."""
    other = other_jid(merged.pn_jid)
    names: list[str] = []
    for match in matches:
        if other and match.contact.pn_jid == other:
            names.append(other)
        elif merged.pn_jid and match.contact == ContactId(lid_jid=merged.lid_jid):
            names.append(merged.lid_jid)
    return names


def _merged(contact: ContactId, matches: Sequence[StoredContact]) -> ContactId:
    """What was told now, completed by what was known."""
    pn_jid = contact.pn_jid or next((match.contact.pn_jid for match in matches if match.contact.pn_jid), "")
    lid_jid = contact.lid_jid or next(
        (match.contact.lid_jid for match in matches if match.contact.lid_jid), ""
    )
    return ContactId(pn_jid, lid_jid)
