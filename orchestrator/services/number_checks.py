"""Which numbers WhatsApp has to be asked about, and whether the sending policy lets it be asked."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.domain import errors
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import PonteError
from orchestrator.domain.number_spelling import other_spelling
from orchestrator.domain.policy.number_checks import check_objection, is_answer_good
from orchestrator.domain.policy.settings import PolicySettings
from orchestrator.services.context import Context
from orchestrator.services.policy_memory import load_policy
from orchestrator.services.policy_snapshot import read_windows
from orchestrator.services.ports import NumberCheck
from orchestrator.store import number_checks as check_store
from orchestrator.store import policy as policy_store
from orchestrator.store.database import Transaction
from orchestrator.store.messages import lock_company
from orchestrator.store.number_checks import StoredCheck
from orchestrator.store.policy import SendKind, SentAt


@dataclass(frozen=True, slots=True)
class Questions:
    """What is known of the numbers of a request by number, and which ones WhatsApp may and must be asked about."""

    known: dict[str, NumberCheck]
    open: Sequence[str]


async def take_questions(
    tx: Transaction, context: Context, scope: CompanyScope, session_id: str, phone_numbers: Sequence[str]
) -> Questions:
    """Look up what was answered before, and count the rest against the session's cap of an hour.

    What is counted stays counted when the question fails then: WhatsApp may have seen it.
    Raises NUMBER_CHECK_LIMIT_REACHED, with nothing counted, where not all of the rest may be asked now.
    """
    await lock_company(tx, scope)
    now = context.clock()
    settings = (await load_policy(tx, context, scope, session_id, now)).settings
    spellings = {*phone_numbers, *(other_spelling(number) for number in phone_numbers)} - {""}
    stored = {
        number: check
        for number, check in (await check_store.find(tx, scope, spellings)).items()
        if is_answer_good(check.checked_at, settings, now)
    }
    known: dict[str, NumberCheck] = {}
    for number in phone_numbers:
        check = stored.get(number) or stored.get(other_spelling(number))
        if check is not None:
            known[number] = NumberCheck(number, check.on_whatsapp, check.contact)
    unknown = [number for number in phone_numbers if number not in known]
    await _count(tx, scope, session_id, unknown, settings, now)
    return Questions(known, unknown)


async def keep_answers(
    tx: Transaction, scope: CompanyScope, checks: Sequence[NumberCheck], now: datetime
) -> None:
    """Remember what WhatsApp answered."""
    await check_store.keep(
        tx,
        scope,
        [StoredCheck(check.phone_number, check.on_whatsapp, check.contact, now) for check in checks],
    )


async def _count(
    tx: Transaction,
    scope: CompanyScope,
    session_id: str,
    unknown: Sequence[str],
    settings: PolicySettings,
    now: datetime,
) -> None:
    windows = await read_windows(tx, scope, session_id, now)
    for asked in range(len(unknown)):
        objection = check_objection(windows, settings, now)
        if objection is None:
            windows.number_checks.note(now)
            continue
        wait_s = (objection.until - now).total_seconds() if objection.until else None
        raise PonteError(
            errors.NUMBER_CHECK_LIMIT_REACHED,
            f"Of {len(unknown)} numbers that were not asked about lately, {asked} may be asked about now: "
            f"{objection.words}.",
            retry_after_s=wait_s,
        )
    await policy_store.note_sends(
        tx,
        scope,
        session_id,
        [SentAt(_hash(session_id, number), now, SendKind.NUMBER_CHECK) for number in unknown],
    )


def _hash(session_id: str, phone_number: str) -> str:
    return hashlib.sha256(f"{session_id} {phone_number}".encode()).hexdigest()[:36]
