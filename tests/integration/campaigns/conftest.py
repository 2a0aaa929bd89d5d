"""Lists with people who opted in."""

from collections.abc import Sequence

import pytest

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.consent import OptIn, Suppression, SuppressionCause
from orchestrator.domain.ids import make_id
from orchestrator.domain.jid import ContactId, phone_number_to_jid
from orchestrator.services.context import Context
from orchestrator.services.recipient_imports import RecipientImports
from orchestrator.services.recipient_lists import RecipientListService
from orchestrator.store import consent as consent_store
from tests.support.factories import Factories


class Consents:
    """Records opt-ins and suppressions as rows."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def opt_in(self, scope: CompanyScope, numbers: Sequence[str]) -> None:
        """These people want messages."""
        now, rng = self._context.clock(), self._context.rng
        entries = [
            OptIn(make_id(now, rng), ContactId(phone_number_to_jid(number)), "form", now, now)
            for number in numbers
        ]
        async with self._context.database.transaction(scope) as tx:
            await consent_store.add_opt_ins(tx, scope, entries)

    async def suppress(self, scope: CompanyScope, number: str) -> None:
        """This person does not."""
        now = self._context.clock()
        contact = ContactId(phone_number_to_jid(number))
        entry = Suppression(make_id(now, self._context.rng), contact, SuppressionCause.OPTED_OUT, now)
        async with self._context.database.transaction(scope) as tx:
            await consent_store.add_suppressions(tx, scope, [entry])


@pytest.fixture
async def scope(make: Factories) -> CompanyScope:
    return await make.company()


@pytest.fixture
def lists(context: Context) -> RecipientListService:
    return RecipientListService(context)


@pytest.fixture
def imports(context: Context) -> RecipientImports:
    return RecipientImports(context)


@pytest.fixture
def consents(context: Context) -> Consents:
    return Consents(context)
