"""What the sending policy asks of campaigns: how large they are, and the zone of recipients whose number tells none."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Table, bindparam, select

from orchestrator.domain.company import CompanyScope
from orchestrator.store.database import Transaction
from orchestrator.store.id_lists import padded
from orchestrator.store.models import CampaignRow

_campaigns: Table = CampaignRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """A campaign's number of recipients, and the IANA name of its time zone."""

    recipients: int
    time_zone: str


_FIND = select(_campaigns.c.id, _campaigns.c.recipients, _campaigns.c.time_zone).where(
    _campaigns.c.company_id == bindparam("b_company"),
    _campaigns.c.id.in_(bindparam("b_ids", expanding=True)),
)


async def find(
    tx: Transaction, scope: CompanyScope, campaign_ids: Collection[str]
) -> dict[str, CampaignFacts]:
    """Give the facts of campaigns by id; unknown ones are left out."""
    arguments = {"b_company": scope.company_id, "b_ids": padded(campaign_ids)}
    rows = await tx.connection.execute(_FIND, arguments)
    return {row.id: CampaignFacts(row.recipients, row.time_zone) for row in rows}
