"""Putting persons on the suppression list: what waits for them is cancelled in the same transaction."""

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.domain.company import CompanyScope
from orchestrator.domain.consent import AuditEntry, Suppression
from orchestrator.domain.events import EventType
from orchestrator.domain.ids import make_id
from orchestrator.domain.message import MessageStatus
from orchestrator.services.context import Context
from orchestrator.services.message_data import message_event
from orchestrator.services.person_names import person_names
from orchestrator.store import audit, consent, waiting_for_contact
from orchestrator.store import events as event_store
from orchestrator.store import messages as message_store
from orchestrator.store.database import Transaction

PONTE = "ponte"
"""The actor of what Ponte does by itself."""


def audit_entry(
    context: Context, actor: str, action: str, subject: str, detail: dict[str, object]
) -> AuditEntry:
    """Make an entry of now."""
    now = context.clock()
    return AuditEntry(make_id(now, context.rng), now, actor, action, subject, detail)


async def suppress(
    tx: Transaction, context: Context, scope: CompanyScope, entries: Sequence[Suppression], actor: str
) -> int:
    """Put persons on the list, cancel what is queued for them, and note it; gives how many messages were cancelled.

    The company is locked (`lock_company`). A confirmation of an entry is not queued yet, so that it is not cancelled.
    """
    await consent.add_suppressions(tx, scope, entries)
    names = await person_names(tx, context, scope)
    await audit.append(
        tx,
        scope,
        [
            audit_entry(
                context,
                actor,
                "suppression.added",
                names.of(entry.contact),
                {"cause": entry.cause.value, "campaign_id": entry.campaign_id, "entry_id": entry.id},
            )
            for entry in entries
        ],
    )
    waiting = await waiting_for_contact.lock_queued(tx, scope, [entry.contact for entry in entries])
    cancelled = [
        replace(
            stored,
            message=replace(stored.message, status=MessageStatus.CANCELLED, waiting_for=None),
            due_at=None,
        )
        for stored in waiting
    ]
    await message_store.save(tx, scope, cancelled)
    new_events = [message_event(EventType.MESSAGE_CANCELLED, stored.message) for stored in cancelled]
    if new_events:
        await event_store.append(tx, scope, new_events, context.clock(), context.rng)
    return len(cancelled)
