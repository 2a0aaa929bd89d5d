"""Taking recipients in: a file row by row, or a few that a request names. Every line is counted, none is dropped
without a word."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import IO, Final

from orchestrator.domain.campaign.reasons import PassedOver
from orchestrator.domain.campaign.recipient_list import (
    ImportState,
    Recipient,
    RecipientImport,
    RecipientList,
    ReportedLine,
)
from orchestrator.domain.campaign.template import values_of
from orchestrator.domain.company import CompanyScope
from orchestrator.domain.errors import INVALID_ARGUMENT, PonteError, invalid_field, not_found
from orchestrator.domain.ids import make_id
from orchestrator.services.context import Context
from orchestrator.services.recipient_files import Row, make_row, read_rows
from orchestrator.services.recipient_lists import found_list
from orchestrator.services.recipient_numbers import zones_of
from orchestrator.services.recipient_standing import objections
from orchestrator.store import recipient_imports as import_store
from orchestrator.store import recipient_lists as list_store
from orchestrator.store.database import Transaction

MOST_NAMED: Final = 1_000
"""Recipients in one request; more go in a file."""

_BATCH: Final = 1_000
_UNKNOWN_ZONE: Final = ""


@dataclass(frozen=True, slots=True)
class GivenRecipient:
    """A recipient as a request names it."""

    phone_number: str
    name: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


class RecipientImports:
    """Fills lists. Memory does not grow with a file: a batch of rows is read, written and forgotten."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def from_file(
        self, scope: CompanyScope, list_id: str, file: IO[bytes], file_name: str = ""
    ) -> RecipientImport:
        """Take a CSV or XLSX file in, from its beginning. What was written before an error stays.

        Raises NOT_FOUND, IMPORT_UNREADABLE.
        """
        async with self._context.database.reading(scope) as tx:
            region = (await found_list(tx, scope, list_id)).region
        return await self._run(scope, list_id, read_rows(file, region), file_name)

    async def named(
        self, scope: CompanyScope, list_id: str, recipients: Sequence[GivenRecipient]
    ) -> RecipientImport:
        """Take up to 1,000 recipients in. Raises NOT_FOUND, INVALID_ARGUMENT."""
        if not 0 < len(recipients) <= MOST_NAMED:
            raise invalid_field(INVALID_ARGUMENT, "recipients", f"Give 1 to {MOST_NAMED} recipients.")
        async with self._context.database.reading(scope) as tx:
            region = (await found_list(tx, scope, list_id)).region
        rows = (
            make_row(line, given.phone_number, given.name, dict(given.fields), region)
            for line, given in enumerate(recipients, start=1)
        )
        return await self._run(scope, list_id, rows, "")

    async def _run(
        self, scope: CompanyScope, list_id: str, rows: Iterator[Row], file_name: str
    ) -> RecipientImport:
        now = self._context.clock()
        progress = RecipientImport(
            *(make_id(now, self._context.rng), list_id, file_name[:200], ImportState.RUNNING, now, now)
        )
        async with self._context.database.transaction(scope) as tx:
            await import_store.add(tx, scope, progress)
        try:
            # Reading and normalising take longer than writing: done in a thread, they hold nobody up.
            while batch := await asyncio.to_thread(_next, rows):
                progress = await self._write(scope, progress, batch)
        except BaseException as error:
            reason = error.sentence if isinstance(error, PonteError) else "It was interrupted."
            await asyncio.shield(self._end(scope, progress, ImportState.FAILED, reason))
            raise
        return await self._end(scope, progress, ImportState.COMPLETED)

    async def _end(
        self, scope: CompanyScope, progress: RecipientImport, state: ImportState, error: str = ""
    ) -> RecipientImport:
        ended = replace(progress, state=state, error=error[:500], updated_at=self._context.clock())
        async with self._context.database.transaction(scope) as tx:
            await import_store.save(tx, scope, ended)
        return ended

    async def _write(
        self, scope: CompanyScope, progress: RecipientImport, rows: Sequence[Row]
    ) -> RecipientImport:
        async with self._context.database.transaction(scope) as tx:
            filled = await list_store.lock(tx, scope, progress.list_id)
            if filled is None:
                raise not_found()
            new, reported = await self._sorted(tx, scope, filled, rows)
            counts = Counter(line.reason for line in reported)
            progress = replace(
                progress,
                lines=progress.lines + len(rows),
                accepted=progress.accepted + len(new),
                reported=Counter(progress.reported) + counts,
                updated_at=self._context.clock(),
            )
            await list_store.add_recipients(tx, scope, filled.id, new)
            await list_store.save_counts(tx, scope, _grown(filled, new))
            await import_store.report(tx, scope, progress.id, reported)
            await import_store.save(tx, scope, progress)
        return progress

    async def _sorted(
        self, tx: Transaction, scope: CompanyScope, filled: RecipientList, rows: Sequence[Row]
    ) -> tuple[list[Recipient], list[ReportedLine]]:
        """Part rows into new recipients and lines to report; a line may be both."""
        reported = [ReportedLine(row.line, row.given, PassedOver.INVALID) for row in rows if not row.number]
        valid = [row for row in rows if row.number]
        known = await list_store.known_numbers(tx, scope, filled.id, [row.number for row in valid])
        first: dict[str, Row] = {}
        for row in valid:
            if row.number in known or row.number in first:
                reported.append(ReportedLine(row.line, row.given, PassedOver.DUPLICATE))
            else:
                first[row.number] = row
        objected = await objections(tx, scope, list(first), self._context.clock())
        reported += [
            ReportedLine(first[number].line, first[number].given, reason)
            for number, reason in objected.items()
        ]
        recipients = [
            Recipient(position, row.number, row.name, row.values)
            for position, row in enumerate(first.values(), start=filled.recipients + 1)
        ]
        return recipients, sorted(reported, key=lambda line: line.line)


def _next(rows: Iterator[Row]) -> list[Row]:
    return list(islice(rows, _BATCH))


def _grown(filled: RecipientList, new: Sequence[Recipient]) -> RecipientList:
    fields = Counter(filled.field_counts)
    zones = Counter(filled.zone_counts)
    for recipient in new:
        fields.update(values_of(recipient.name, recipient.values).keys())
        zones[" ".join(zones_of(recipient.phone_number)) or _UNKNOWN_ZONE] += 1
    return replace(filled, recipients=filled.recipients + len(new), field_counts=fields, zone_counts=zones)
