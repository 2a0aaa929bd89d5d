"""Names of persons in the audit log."""

import asyncio
import hashlib
from dataclasses import replace

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.jid import ContactId, phone_number_to_jid
from orchestrator.services.context import Context
from orchestrator.services.key_rotation import KeyRotation
from orchestrator.services.person_names import person_names
from orchestrator.store.vault import Vault
from tests.support.factories import CUSTOMER, Factories

OLD, NEW = b"o" * 32, b"n" * 32
PERSON = ContactId(phone_number_to_jid(CUSTOMER))


async def name_of(context: Context, scope: CompanyScope, contact: ContactId = PERSON) -> str:
    async with context.database.transaction(scope) as tx:
        return (await person_names(tx, context, scope)).of(contact)


async def test_a_person_has_one_name_in_a_company_and_another_elsewhere(
    context: Context, make: Factories
) -> None:
    mine, other = await make.company(), await make.company()
    name = await name_of(context, mine)

    assert await name_of(context, mine) == name
    assert await name_of(context, mine, ContactId(phone_number_to_jid("+5511987654322"))) != name
    assert await name_of(context, other) != name


async def test_a_name_is_not_found_by_hashing_all_numbers(context: Context, make: Factories) -> None:
    name = await name_of(context, await make.company())

    assert len(name) == 32
    assert not hashlib.sha256(PERSON.jid.encode()).hexdigest().startswith(name)


async def test_names_stay_when_the_encryption_key_is_rotated(context: Context, make: Factories) -> None:
    scope = await make.company()
    before = replace(context, vault=Vault({"old": OLD}, "old"))
    name = await name_of(before, scope)

    rotation = KeyRotation(context.database, Vault({"old": OLD, "new": NEW}, "new"))
    await rotation.re_encrypt(lambda _rows: None)

    after = replace(context, vault=Vault({"new": NEW}, "new"))
    assert await name_of(after, scope) == name


async def test_those_who_need_the_key_first_at_the_same_time_get_the_same(
    context: Context, make: Factories
) -> None:
    scope = await make.company()
    names = await asyncio.gather(*(name_of(context, scope) for _ in range(4)))
    assert len(set(names)) == 1
