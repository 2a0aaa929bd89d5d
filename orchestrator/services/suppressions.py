"""The suppression list and opt-ins as callers see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.consent import OptIn, Suppression, SuppressionCause
from orchestrator.domain.errors import invalid_field
from orchestrator.domain.ids import make_id
from orchestrator.domain.jid import ContactId, phone_number_to_jid
from orchestrator.domain.number_spelling import all_names
from orchestrator.domain.page import Page, PageRequest
from orchestrator.services.contacts import ContactBook
from orchestrator.services.context import Context
from orchestrator.services.person_names import person_names
from orchestrator.services.phone_numbers import check_phone_number
from orchestrator.services.suppressing import audit_entry, suppress
from orchestrator.store import audit, consent
from orchestrator.store.database import Transaction
from orchestrator.store.messages import lock_company

MOST_AT_ONCE = 1_000
_LONGEST = {"source": 100, "purpose": 200, "evidence": 1_000}


@dataclass(frozen=True, slots=True)
class NewOptIn:
    """A consent to record; `given_at` None is now."""

    phone_number: str
    source: str
    purpose: str = ""
    evidence: str = ""
    given_at: datetime | None = None


class SuppressionService:
    """Who a company does not write to, and who agreed to be written to."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._book = ContactBook(context)

    async def list(self, scope: CompanyScope, phone_number: str, page: PageRequest) -> Page[Suppression]:
        """List entries, newest first. Raises INVALID_PHONE_NUMBER, INVALID_ARGUMENT, INVALID_PAGE_TOKEN."""
        names = _names(phone_number)
        async with self._context.database.reading(scope) as tx:
            return await consent.list_suppressions(tx, scope, names, page)

    async def add(
        self, scope: CompanyScope, phone_numbers: Sequence[str], detail: str, actor: str
    ) -> tuple[Sequence[Suppression], int]:
        """Put numbers on the list and cancel what is queued for them; gives the new entries and how many were.

        Raises INVALID_PHONE_NUMBER, INVALID_ARGUMENT.
        """
        _check_count(len(phone_numbers), "phone_numbers")
        if len(detail) > 300:
            raise invalid_field(errors.INVALID_ARGUMENT, "detail", "Give at most 300 characters.")
        for position, number in enumerate(phone_numbers):
            check_phone_number(number, f"phone_numbers[{position}]")

        async def put(tx: Transaction) -> tuple[Sequence[Suppression], int]:
            now, rng = self._context.clock(), self._context.rng
            await lock_company(tx, scope)
            given = [ContactId(phone_number_to_jid(number)) for number in dict.fromkeys(phone_numbers)]
            contacts = await self._book.complete(tx, scope, given)
            known = await consent.find_suppressed(tx, scope, contacts, now)
            entries = [
                Suppression(make_id(now, rng), contact, SuppressionCause.MANUAL, now, detail)
                for contact in contacts
                if not _stays(known.get(contact.pn_jid) or known.get(contact.lid_jid))
            ]
            return entries, await suppress(tx, self._context, scope, entries, actor)

        return await self._context.database.shared_transaction(scope, put)

    async def remove(self, scope: CompanyScope, phone_number: str, actor: str) -> int:
        """Take a number off the list; gives how many entries were removed. Raises INVALID_PHONE_NUMBER."""
        check_phone_number(phone_number, "phone_number")

        async def take_off(tx: Transaction) -> int:
            await lock_company(tx, scope)
            given = [ContactId(phone_number_to_jid(phone_number))]
            [contact] = await self._book.complete(tx, scope, given)
            found = await consent.find_suppressed(tx, scope, [contact], self._context.clock())
            for entry_id in {entry.id for entry in found.values()}:
                await consent.remove_suppression(tx, scope, entry_id)
            entries = {entry.id: entry for entry in found.values()}
            names = await person_names(tx, self._context, scope)
            await audit.append(
                tx,
                scope,
                [
                    audit_entry(
                        self._context,
                        actor,
                        "suppression.removed",
                        names.of(entry.contact),
                        {"cause": entry.cause.value, "entry_id": entry.id},
                    )
                    for entry in entries.values()
                ],
            )
            return len(entries)

        return await self._context.database.shared_transaction(scope, take_off)

    async def record_opt_ins(
        self, scope: CompanyScope, given: Sequence[NewOptIn], actor: str
    ) -> Sequence[OptIn]:
        """Record consents. Raises INVALID_PHONE_NUMBER, INVALID_ARGUMENT."""
        _check_count(len(given), "opt_ins")
        for position, one in enumerate(given):
            check_phone_number(one.phone_number, f"opt_ins[{position}].phone_number")
            _check_words(one, position)

        async def record(tx: Transaction) -> Sequence[OptIn]:
            now, rng = self._context.clock(), self._context.rng
            numbers = [ContactId(phone_number_to_jid(one.phone_number)) for one in given]
            contacts = await self._book.complete(tx, scope, numbers)
            entries = [
                OptIn(
                    id=make_id(now, rng),
                    contact=contact,
                    source=one.source,
                    given_at=one.given_at or now,
                    created_at=now,
                    purpose=one.purpose,
                    evidence=one.evidence,
                )
                for one, contact in zip(given, contacts, strict=True)
            ]
            await consent.add_opt_ins(tx, scope, entries)
            detail: dict[str, object] = {"count": len(entries), "first_id": entries[0].id}
            await audit.append(tx, scope, [audit_entry(self._context, actor, "opt_in.recorded", "", detail)])
            return entries

        return await self._context.database.shared_transaction(scope, record)

    async def list_opt_ins(self, scope: CompanyScope, phone_number: str, page: PageRequest) -> Page[OptIn]:
        """List consents, newest first. Raises INVALID_PHONE_NUMBER, INVALID_ARGUMENT, INVALID_PAGE_TOKEN."""
        names = _names(phone_number)
        async with self._context.database.reading(scope) as tx:
            return await consent.list_opt_ins(tx, scope, names, page)


def _stays(entry: Suppression | None) -> bool:
    """An entry that ends by itself is no reason not to make one for ever."""
    return entry is not None and entry.expires_at is None


def _names(phone_number: str) -> list[str]:
    if not phone_number:
        return []
    check_phone_number(phone_number, "phone_number")
    return sorted(all_names([ContactId(phone_number_to_jid(phone_number))]))


def _check_count(count: int, field_path: str) -> None:
    if not 0 < count <= MOST_AT_ONCE:
        raise invalid_field(errors.INVALID_ARGUMENT, field_path, f"Give 1 to {MOST_AT_ONCE:,}.")


def _check_words(one: NewOptIn, position: int) -> None:
    if not one.source.strip():
        raise invalid_field(
            errors.INVALID_ARGUMENT, f"opt_ins[{position}].source", "Say where the consent came from."
        )
    for name, longest in _LONGEST.items():
        text = getattr(one, name)
        if len(text) > longest or "\0" in text:
            raise invalid_field(
                errors.INVALID_ARGUMENT,
                f"opt_ins[{position}].{name}",
                f"Give at most {longest:,} characters.",
            )
