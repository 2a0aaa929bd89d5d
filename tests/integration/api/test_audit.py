"""The audit log over REST: listed with filters, downloaded as a file, and changed by nobody."""

import csv
import io
import json
from datetime import timedelta

import pytest
from sqlalchemy import Table, delete, update
from sqlalchemy.exc import DBAPIError

from orchestrator.domain.company import CompanyScope
from orchestrator.services.context import Context
from orchestrator.services.suppressing import audit_entry
from orchestrator.store import audit
from orchestrator.store.models import AuditRow
from tests.integration.api.harness import RunningApi
from tests.support.clock import ManualClock

_AUDIT: Table = AuditRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


async def note(context: Context, company_id: str, count: int, action: str = "campaign.sent") -> None:
    """Note something so often."""
    scope = CompanyScope(company_id)
    entries = [
        audit_entry(context, "ponte", action, f"person{n % 3}", {"n": n, "words": "=1+1"})
        for n in range(count)
    ]
    async with context.database.transaction(scope) as tx:
        await audit.append(tx, scope, entries)


def rows_of(raw: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw.decode())))


async def test_the_whole_log_comes_as_a_file_oldest_first(
    api: RunningApi, context: Context, clock: ManualClock
) -> None:
    company_id, client = await api.company()
    other_id, other = await api.company()
    await note(context, company_id, 700)
    clock.advance(1)
    await note(context, company_id, 501, action="campaign.stopped")
    await note(context, other_id, 1)

    answer = await client.ask("GET", "/v1/audit.csv")

    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    rows = [row for row in rows_of(answer.raw) if row["action"] in ("campaign.sent", "campaign.stopped")]
    assert [row["action"] for row in rows] == ["campaign.sent"] * 700 + ["campaign.stopped"] * 501
    assert sorted(json.loads(row["detail"])["n"] for row in rows[:700]) == list(range(700))
    assert len(rows_of((await other.ask("GET", "/v1/audit.csv?action=campaign.sent")).raw)) == 1


async def test_entries_are_found_by_action_subject_and_time(
    api: RunningApi, context: Context, clock: ManualClock
) -> None:
    company_id, client = await api.company()
    await note(context, company_id, 3)
    clock.advance(3600)
    middle = clock()
    await note(context, company_id, 3)
    await note(context, company_id, 1, action="policy.raised")
    later = (middle + timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
    since = middle.isoformat().replace("+00:00", "Z")

    for query, count in (
        (f"since={since}", 4),
        (f"until={since}&action=campaign.sent", 3),
        (f"since={later}", 0),
        ("subject=person1&action=campaign.sent", 2),
        (f"subject=person1&action=campaign.sent&since={since}", 1),
    ):
        listed = await client.ask("GET", f"/v1/audit?{query}")
        assert len(listed.body["entries"]) == count, query
        assert len(rows_of((await client.ask("GET", f"/v1/audit.csv?{query}")).raw)) == count, query


async def test_a_bad_filter_and_a_missing_key_are_refused_as_problems(api: RunningApi) -> None:
    _, client = await api.company()
    refused = await client.ask("GET", "/v1/audit.csv?since=yesterday")
    assert (refused.status, refused.body["field_violations"][0]["field"]) == (400, "since")
    nobody = await client.ask("GET", "/v1/audit.csv", headers={"Authorization": "Bearer nothing"})
    assert nobody.status == 401


async def test_no_entry_can_be_changed_or_removed(api: RunningApi, context: Context) -> None:
    company_id, _ = await api.company()
    await note(context, company_id, 1)
    scope = CompanyScope(company_id)
    for change in (update(_AUDIT).values(actor="nobody"), delete(_AUDIT)):
        with pytest.raises(DBAPIError, match="append-only"):
            async with context.database.transaction(scope) as tx:
                await tx.connection.execute(change)
